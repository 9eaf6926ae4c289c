"""MQTT's way of writing numbers, strings and properties. Whatever is malformed raises PeerError. Source: OASIS MQTT
5.0, 1.5, 2.2.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.services.errors import PeerError
from lab.services.mqtt_packets import Properties

FIXED_SIZES: Mapping[int, int] = {
    0x01: 1, 0x02: 4, 0x11: 4, 0x13: 2, 0x17: 1, 0x18: 4, 0x19: 1, 0x21: 2, 0x22: 2, 0x23: 2,
    0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip
LENGTH_PREFIXED = frozenset({0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F})
SUBSCRIPTION_ID = 0x0B  # a variable byte integer
USER_PROPERTY = 0x26  # two strings


def variable(number: int) -> bytes:
    digits = bytearray()
    while True:
        number, digit = divmod(number, 128)
        digits.append(digit | 0x80 if number else digit)
        if not number:
            return bytes(digits)


def text(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(2, "big") + raw


@dataclass(slots=True)
class Reader:
    """A packet's body, taken from the front."""

    body: bytes
    place: int = field(default=0)

    @property
    def ended(self) -> bool:
        return self.place >= len(self.body)

    def take(self, size: int) -> bytes:
        piece = self.body[self.place : self.place + size]
        if len(piece) != size:
            raise PeerError(f"MQTT packet ends {size - len(piece)} bytes early")
        self.place += size
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def binary(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        try:
            return self.binary().decode()
        except UnicodeDecodeError as error:
            raise PeerError("MQTT string is no UTF-8") from error

    def rest(self) -> bytes:
        return self.take(len(self.body) - self.place)

    def variable(self) -> int:
        number = 0
        for shift in (0, 7, 14, 21):
            digit = self.number(1)
            number |= (digit & 0x7F) << shift
            if digit < 0x80:
                return number
        raise PeerError("MQTT variable byte integer has more than four bytes")

    def properties(self) -> Properties:
        inside = Reader(self.take(self.variable()))
        found = []
        while not inside.ended:
            name = inside.number(1)
            start = inside.place
            inside.skip_value(name)
            found.append((name, inside.body[start : inside.place]))
        return tuple(found)

    def skip_value(self, name: int) -> None:
        if name in FIXED_SIZES:
            self.take(FIXED_SIZES[name])
        elif name in LENGTH_PREFIXED:
            self.binary()
        elif name == USER_PROPERTY:
            self.text(), self.text()
        elif name == SUBSCRIPTION_ID:
            self.variable()
        else:
            raise PeerError(f"MQTT property {name:#x} does not exist")
