"""A name server of our own, as bytes (RFC 1035): it knows the names in its table, and that there are no others.

Pure, and written apart from the prober's codec. EDNS is passed over, as RFC 6891 lets an old server do.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

A, SOA, AAAA, ANY, INTERNET = 1, 6, 28, 255, 1
NOERROR, FORMERR, NXDOMAIN, NOTIMP, REFUSED = 0, 1, 3, 4, 5
TTL_S = 60

_HEADER = struct.Struct("!HHHHHH")
_QR, _OPCODE, _AA, _RD = 0x8000, 0x7800, 0x0400, 0x0100
_LONGEST_LABEL = 63
_TO_QUESTION = struct.pack("!H", 0xC000 | _HEADER.size)
"""Name compression: as in the question, which stands right behind the header."""
_TYPES = {4: A, 6: AAAA}

_ROOT = b"\0"
_SOA_DATA = _ROOT + _ROOT + struct.pack("!IIIII", 1, 3600, 600, 86400, TTL_S)
_AUTHORITY = _ROOT + struct.pack("!HHIH", SOA, INTERNET, TTL_S, len(_SOA_DATA)) + _SOA_DATA
"""The SOA that makes a "no" one that may be remembered (RFC 2308): the whole tree of names is ours."""

Table = Mapping[str, Sequence[IPv4Address | IPv6Address]]
"""Names in lower case, without the final dot."""


@dataclass(frozen=True, slots=True)
class _Question:
    name: str
    kind: int
    klass: int
    raw: bytes
    """As it was asked, letter case and all: that is how it is given back."""


def answer(data: bytes, table: Table) -> bytes | None:
    """The response to one datagram; None for what is no question at all."""
    if len(data) < _HEADER.size:
        return None
    number, flags, questions, *_ = _HEADER.unpack_from(data)
    if flags & _QR:
        return None
    if flags & _OPCODE:
        return _header(number, flags, NOTIMP)
    question = _question(data) if questions == 1 else None
    if question is None:
        return _header(number, flags, FORMERR)
    if question.klass != INTERNET:
        return _header(number, flags, REFUSED, questions=1) + question.raw
    addresses = table.get(question.name)
    found = [_record(a) for a in addresses or () if question.kind in (_TYPES[a.version], ANY)]
    code = NXDOMAIN if addresses is None else NOERROR
    if not found:
        return _header(number, flags | _AA, code, questions=1, authorities=1) + question.raw + _AUTHORITY
    return _header(number, flags | _AA, code, questions=1, answers=len(found)) + question.raw + b"".join(found)


def _question(data: bytes) -> _Question | None:
    """None where it is cut short, too long or compressed, which the first name of a message cannot be."""
    labels, at = [], _HEADER.size
    while at < len(data) and (length := data[at]):
        if length > _LONGEST_LABEL:
            return None
        labels.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    end = at + 5
    if end > len(data):
        return None
    kind, klass = struct.unpack_from("!HH", data, at + 1)
    return _Question(b".".join(labels).decode("latin-1").lower(), kind, klass, data[_HEADER.size : end])


def _header(number: int, flags: int, code: int, *, questions: int = 0, answers: int = 0, authorities: int = 0) -> bytes:
    """A name server that asks nobody else: recursion is not available, and what was desired is said back."""
    return _HEADER.pack(number, _QR | flags & (_OPCODE | _AA | _RD) | code, questions, answers, authorities, 0)


def _record(address: IPv4Address | IPv6Address) -> bytes:
    kind = _TYPES[address.version]
    return _TO_QUESTION + struct.pack("!HHIH", kind, INTERNET, TTL_S, len(address.packed)) + address.packed
