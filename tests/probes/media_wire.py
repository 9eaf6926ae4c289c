"""Captures of our own making: frames with the seconds they came at, written without the code under test.

A capture is a list of (seconds, frame). What sends one is described by clock, pace and wire, as a sender would say it.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from random import Random

Capture = list[tuple[float, bytes]]

ROOM, PLATFORM = "10.77.0.20", "198.51.100.30"
ROOM_PORT, PLATFORM_PORT = 40000, 3478
MASK = 0xFFFFFFFF
SEND, DATA = 0x0016, 0x0017
_MACS = b"\xff" * 6 + b"\x02\0\0\0\0\x20"  # to everybody: a bridge floods it, whoever is where


@dataclass(frozen=True, slots=True)
class Path:
    """One direction of a flow."""

    source: str = ROOM
    destination: str = PLATFORM
    source_port: int = ROOM_PORT
    destination_port: int = PLATFORM_PORT
    channel: int = 0
    """TURN channel that everything goes in; 0: none."""
    indication: int = 0
    """TURN indication that everything goes in: SEND to the server, DATA from it; 0: none."""

    def back(self) -> "Path":
        other = self.indication and SEND + DATA - self.indication
        return Path(self.destination, self.source, self.destination_port, self.source_port, self.channel, other)

    def frame(self, payload: bytes) -> bytes:
        if self.channel:
            payload = struct.pack(">HH", self.channel, len(payload)) + payload
        if self.indication:
            peer = struct.pack(">HHBBHI", 0x0012, 8, 0, 1, 5000, 7)
            data = struct.pack(">HH", 0x0013, len(payload)) + payload + bytes(-len(payload) % 4)
            body = peer + data if self.indication == SEND else data + peer  # as Firefox, as coturn
            payload = struct.pack(">HHI", self.indication, len(body), 0x2112A442) + bytes(12) + body
        source, destination = ip_address(self.source), ip_address(self.destination)
        udp = struct.pack(">HHHH", self.source_port, self.destination_port, 8 + len(payload), 0) + payload
        if source.version == 6:
            ip = struct.pack(">IHBB", 6 << 28, len(udp), 17, 64) + source.packed + destination.packed
            return _MACS + b"\x86\xdd" + ip + udp
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + source.packed + destination.packed
        total = sum(struct.unpack(">10H", ip))  # a bridge may check it
        total = (total & 0xFFFF) + (total >> 16)
        return _MACS + b"\x08\x00" + ip[:10] + struct.pack(">H", ~total & 0xFFFF) + ip[12:] + udp


OUT = Path()
BACK = OUT.back()


def rtp(
    sequence: int, timestamp: int, *, ssrc: int = 7, payload_type: int = 111, size: int = 100, padding: bool = False
) -> bytes:
    """One RTP packet with `size` bytes behind its header."""
    first = 0xA0 if padding else 0x80
    return struct.pack(">BBHII", first, payload_type, sequence & 0xFFFF, timestamp & MASK, ssrc) + bytes(size)


@dataclass(frozen=True, slots=True)
class Sender:
    """One source that sends steadily: `per_tick` packets every `every_s`, their timestamp advancing by `ticks`."""

    ticks: int
    every_s: float
    ssrc: int = 7
    payload_type: int = 111
    per_tick: int = 1
    size: int = 100
    sequence: int = 65_500  # wraps soon
    timestamp: int = MASK - 20_000  # so does this

    def packets(self, start_s: float, seconds: float, path: Path = BACK, *, jitter_s: float = 0.0) -> Capture:
        """What it sends from `start_s` on, were it sending since 0; each packet up to `jitter_s` late."""
        dice = Random(5)
        capture = []
        first = round(start_s / self.every_s)
        for tick in range(first, first + round(seconds / self.every_s)):
            for piece in range(self.per_tick):
                packet = rtp(
                    self.sequence + tick * self.per_tick + piece,
                    self.timestamp + tick * self.ticks,
                    ssrc=self.ssrc,
                    payload_type=self.payload_type,
                    size=self.size,
                )
                at_s = tick * self.every_s + piece * 0.001 + dice.random() * jitter_s
                capture.append((at_s, path.frame(packet)))
        return capture

    def another(self, ssrc: int) -> "Sender":
        return replace(self, ssrc=ssrc, sequence=self.sequence * 7 % 65536, timestamp=self.timestamp * 5 & MASK)


OPUS = Sender(960, 0.02)
OPUS_60_MS = Sender(2880, 0.06)
OPUS_DTX = Sender(19_200, 0.4, size=3)
PCMU = Sender(160, 0.02, payload_type=0, size=160)
PCMU_SEALED = replace(PCMU, size=170)
WIDEBAND = Sender(320, 0.02, payload_type=100, size=40)  # 16 kHz
VP8 = Sender(3000, 1 / 30, payload_type=96, ssrc=8, per_tick=4, size=1000)
VP8_THIN = Sender(3000, 1 / 30, payload_type=96, ssrc=8)  # one packet a frame, as at 200 kbit/s
VP8_SLOW = Sender(18_000, 0.2, payload_type=96, ssrc=8, per_tick=2)


def frozen(sender: Sender, start_s: float, seconds: float, path: Path = BACK) -> Capture:
    """It goes on sending, and always the same picture: the timestamp of `start_s`."""
    first = round(start_s / sender.every_s)
    packets = round(seconds / sender.every_s)
    return [
        (
            (first + n) * sender.every_s,
            path.frame(
                rtp(
                    sender.sequence + first * sender.per_tick + n,
                    sender.timestamp + first * sender.ticks,
                    ssrc=sender.ssrc,
                    payload_type=sender.payload_type,
                    size=1000,
                )
            ),
        )
        for n in range(packets)
    ]


def binding(transaction: int, *, answer: bool = False, path: Path | None = None) -> bytes:
    """A STUN binding request of the room, or the far end's answer to it."""
    kind, way = (0x0101, BACK) if answer else (0x0001, OUT)
    message = struct.pack(">HHI", kind, 8, 0x2112A442) + transaction.to_bytes(12, "big") + bytes(8)
    return (path or way).frame(message)


def dtls(content: int, *, epoch: int = 0, path: Path = OUT) -> bytes:
    """One DTLS 1.2 record."""
    return path.frame(struct.pack(">BHHHIH", content, 0xFEFD, epoch, 0, 1, 40) + bytes(40))


def handshake() -> list[bytes]:
    """Hellos both ways, then both Finished under the new keys."""
    return [dtls(22), dtls(22, path=BACK), dtls(22, epoch=1), dtls(22, epoch=1, path=BACK)]


def rtcp(ssrc: int, *, sealed: bool = False, path: Path = BACK, tag: int = 10) -> bytes:
    """A sender report and a description of the source, in clear or as SRTCP leaves it."""
    report = struct.pack(">BBHI", 0x80, 200, 6, ssrc) + bytes(20)
    description = struct.pack(">BBHI", 0x81, 202, 3, ssrc) + b"\x01\x04room\0\0"
    if sealed:
        return path.frame(report + Random(3).randbytes(len(description)) + b"\x80\0\0\1" + bytes(tag))
    return path.frame(report + description)


def in_order(*captures: Iterable[tuple[float, bytes]]) -> Iterator[tuple[float, bytes]]:
    """All of them on one wire."""
    return iter(sorted((each for capture in captures for each in capture), key=lambda packet: packet[0]))
