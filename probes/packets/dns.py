"""DNS (RFC 1035): one question for an address, and what a reply to that very question says.

A reply counts only if it repeats identifier, name, type and class, the name letter for letter: with 16 random bits and
a random case (the "0x20" bits, one more bit a letter) a blind forger needs luck. Of compressed names only the length is
needed, so a pointer is stepped over and never followed: none can loop.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address

from probes.errors import MisuseError, PeerError

PORT = 53

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_QUESTION_END = struct.Struct("!HH")
_RESPONSE, _OPCODE, _TRUNCATED, _RECURSION_DESIRED, _RCODE = 0x8000, 0x7800, 0x0200, 0x0100, 0x000F
_INTERNET = 1
_NAME_MAX, _LABEL_MAX = 255, 63
_POINTER = 0xC0


class Kind(IntEnum):
    """Record types that hold an address."""

    A = 1
    AAAA = 28


class Rcode(IntEnum):
    """RFC 1035 section 4.1.1. Above these there are updates and transfers, which we never ask for."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5


@dataclass(frozen=True, slots=True)
class Question:
    """`name` as it is written on the wire, case and all."""

    ident: int
    name: str
    kind: Kind = Kind.A


@dataclass(frozen=True, slots=True)
class Response:
    rcode: int
    """Mostly one of `Rcode`."""
    truncated: bool
    addresses: tuple[IPv4Address | IPv6Address, ...]
    """Of the answer section, at whatever name: a chain of aliases ends at another one."""


class CaseChanged(PeerError):
    """Everything fits but the case of the name: a resolver, or a box before it, that writes names anew."""


def mixed_case(name: str, bits: int) -> str:
    """`name` with letter n in upper case where bit n of `bits` is set."""
    return "".join(letter.upper() if bits >> place & 1 else letter.lower() for place, letter in enumerate(name))


def encode_query(question: Question) -> bytes:
    """A query with recursion desired. Raises MisuseError if the name is none, or the identifier no 16-bit number."""
    try:
        header = _HEADER.pack(question.ident, _RECURSION_DESIRED, 1, 0, 0, 0)
    except struct.error as error:
        raise MisuseError(f"DNS identifier {question.ident} does not fit 16 bits") from error
    return header + _question(question)


def ident_of(data: bytes) -> int:
    """Which question a message belongs to. Raises PeerError if it is no DNS message."""
    if len(data) < _HEADER.size:
        raise PeerError(f"DNS message of {len(data)} bytes, at least {_HEADER.size} expected")
    return int.from_bytes(data[:2], "big")


def decode_response(data: bytes, question: Question) -> Response:
    """Reads the reply to `question`.

    Raises CaseChanged where only the case of the name differs, PeerError where this is no reply to that question, ends
    too early, or has a name or an address that cannot be.
    """
    if ident_of(data) != question.ident:
        raise PeerError(f"DNS message {ident_of(data)}, {question.ident} was asked")
    _, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
    if not flags & _RESPONSE or flags & _OPCODE or questions != 1:
        raise PeerError(f"DNS flags {flags:#06x} with {questions} questions are no reply to a query")
    asked = _question(question)
    echoed = data[_HEADER.size : _HEADER.size + len(asked)]
    if echoed != asked:
        # Nothing but letters may differ: a length byte is at most 63, below the letters.
        if echoed.lower() == asked.lower():
            raise CaseChanged(f"DNS reply asks {echoed!r}, {asked!r} was asked")
        raise PeerError(f"DNS reply to another question: {echoed[:80]!r}")
    return Response(flags & _RCODE, bool(flags & _TRUNCATED), _addresses(data, _HEADER.size + len(asked), answers))


def _question(question: Question) -> bytes:
    return _wire_name(question.name) + _QUESTION_END.pack(question.kind, _INTERNET)


def _wire_name(name: str) -> bytes:
    try:
        labels = [label.encode("ascii") for label in name.removesuffix(".").split(".")]
    except UnicodeEncodeError as error:
        raise MisuseError(f"DNS name {name!r} is not ASCII") from error
    if any(not 1 <= len(label) <= _LABEL_MAX for label in labels):
        raise MisuseError(f"DNS name {name!r} has a label of 0 or more than {_LABEL_MAX} bytes")
    wire = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    if len(wire) > _NAME_MAX:
        raise MisuseError(f"DNS name {name!r} is longer than {_NAME_MAX} bytes")
    return wire


def _addresses(data: bytes, at: int, records: int) -> tuple[IPv4Address | IPv6Address, ...]:
    """Each record takes 11 bytes or more, so whatever number is claimed, the message's end is soon there."""
    found: list[IPv4Address | IPv6Address] = []
    for _ in range(records):
        at = _after_name(data, at)
        if at + _RECORD.size > len(data):
            raise PeerError(f"DNS message of {len(data)} bytes ends inside a record")
        kind, family, _, length = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        value = data[at : at + length]
        at += length
        if at > len(data):
            raise PeerError(f"DNS record of {length} bytes ends beyond the message")
        if family == _INTERNET and kind in (Kind.A, Kind.AAAA):
            found.append(_address(kind, value))
    return tuple(found)


def _address(kind: int, value: bytes) -> IPv4Address | IPv6Address:
    if len(value) != (4 if kind == Kind.A else 16):
        raise PeerError(f"DNS record of type {kind} with {len(value)} bytes")
    return IPv4Address(value) if kind == Kind.A else IPv6Address(value)


def _after_name(data: bytes, at: int) -> int:
    """Where the name at `at` ends. Raises PeerError if it is cut off, too long, or points ahead (section 4.1.4)."""
    began = at
    while at < len(data):
        length = data[at]
        if length >= _POINTER:
            if at + 2 > len(data) or int.from_bytes(data[at : at + 2], "big") & 0x3FFF >= began:
                raise PeerError(f"DNS name at {began} points at no earlier one")
            return at + 2
        if length > _LABEL_MAX:
            raise PeerError(f"DNS label of type {length:#04x}")
        at += 1 + length
        if at - began > _NAME_MAX:
            raise PeerError(f"DNS name at {began} is longer than {_NAME_MAX} bytes")
        if length == 0:
            return at
    raise PeerError(f"DNS message of {len(data)} bytes ends inside a name")
