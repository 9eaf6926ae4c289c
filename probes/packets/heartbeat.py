"""The mobile workstation's heartbeat and the box's answer to it, one UDP datagram each. Bytes in, facts out.

    mobile workstation                       box
    HEARTBEAT  challenge, counter, network ──▶  taken if the challenge is fresh and the counter higher than any before
                                           ◀──  ANSWER  a fresh challenge, the counter answered, the highest one taken

Both are 48 bytes: `eM`, version, kind, fields, HMAC-SHA-256 over all that cut to 16 bytes (as RFC 8762 does). Whoever
holds the key is the workstation, so a key belongs to one workstation and one box. The answer goes only to who signed,
and is no larger than the question, so it cannot be used against anybody.

Neither side's clock of the day decides anything. What is old is told by the challenge, which the box makes of a secret
it has since it started, and of its own monotonic time: nothing recorded before it started, or longer than 20 s ago, is
good. What is repeated within that time is told by the counter. A sender that starts anew begins with its clock in
milliseconds and, if that went back, goes on from the counter the box tells it.
"""

import hmac
import re
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from probes.errors import MisuseError, PeerError

PORT = 8621
"""Unassigned at IANA, beside the capacity server's; the box listens there."""
SIZE = 48
CHALLENGE_BYTES = 8
NO_CHALLENGE = bytes(CHALLENGE_BYTES)
"""Of a heartbeat that asks for one."""
SLOT_S = 10.0
"""A challenge is good in the slot of the box's monotonic time it was made in, and in the next one: 10 to 20 s."""
KEY_BYTES_MIN = 16

_MAGIC, _VERSION, _MAC_BYTES = b"eM", 1, 16
_HEARTBEAT = struct.Struct("!2sBB8sQBxHHI2x")
_ANSWER = struct.Struct("!2sBB8sQQB3x")
_NETWORK = re.compile(r"([0-9]{3})-([0-9]{2,3})", re.ASCII)

# Flags of a heartbeat: what its fields mean.
_HAS_NETWORK, _LONG_MNC, _HAS_ASN, _KNOWS_REGISTERED, _REGISTERED = 1, 2, 4, 8, 16


class _Kind(IntEnum):
    HEARTBEAT = 1
    ANSWER = 2


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What the workstation says of itself. `None`: it does not know."""

    challenge: bytes
    counter: int
    mcc_mnc: str | None
    """Serving network, "310-260": three digits, two or three (ITU-T E.212)."""
    asn: int | None
    """Of the address it has (RFC 6793); never 0 (RFC 7607)."""
    registered: bool | None
    """Its modem is registered with that network."""


@dataclass(frozen=True, slots=True)
class Answer:
    challenge: bytes
    """To be put into the next heartbeat."""
    counter: int
    """Of the heartbeat answered."""
    highest: int
    """Taken so far; the next one must be higher."""
    taken: bool
    """False: the challenge was not fresh, or the counter not higher."""


def is_network(text: str) -> bool:
    """Whether it is a serving network as written here, "310-260"."""
    return _NETWORK.fullmatch(text) is not None


def encode_heartbeat(heartbeat: Heartbeat, key: bytes) -> bytes:
    """The signed datagram. Raises MisuseError if a value does not fit its field."""
    network = _NETWORK.fullmatch(heartbeat.mcc_mnc or "000-00")
    if network is None:
        raise MisuseError(f"{heartbeat.mcc_mnc!r} is no serving network such as 310-260")
    flags = _HAS_NETWORK if heartbeat.mcc_mnc is not None else 0
    flags |= _LONG_MNC if len(network[2]) == 3 else 0
    flags |= _HAS_ASN if heartbeat.asn is not None else 0
    flags |= 0 if heartbeat.registered is None else _KNOWS_REGISTERED | (_REGISTERED if heartbeat.registered else 0)
    counted = heartbeat.challenge, heartbeat.counter
    fields = (*counted, flags, int(network[1]), int(network[2]), heartbeat.asn or 0)
    return _signed(_HEARTBEAT, _Kind.HEARTBEAT, fields, key)


def decode_heartbeat(data: bytes, key: bytes) -> Heartbeat:
    """Raises PeerError if it is none, is not signed with `key`, or names a network that cannot be."""
    challenge, counter, flags, mcc, mnc, asn = _fields(_HEARTBEAT, _Kind.HEARTBEAT, data, key)
    digits = 3 if flags & _LONG_MNC else 2
    if mcc > 999 or mnc >= 10**digits or (flags & _HAS_ASN and asn == 0):
        raise PeerError(f"heartbeat from network {mcc}-{mnc} with {digits} digits, AS {asn}")
    return Heartbeat(
        challenge=challenge,
        counter=counter,
        mcc_mnc=f"{mcc:03}-{mnc:0{digits}}" if flags & _HAS_NETWORK else None,
        asn=asn if flags & _HAS_ASN else None,
        registered=bool(flags & _REGISTERED) if flags & _KNOWS_REGISTERED else None,
    )


def encode_answer(answer: Answer, key: bytes) -> bytes:
    """The signed datagram. Raises MisuseError if a value does not fit its field."""
    fields = (answer.challenge, answer.counter, answer.highest, answer.taken)
    return _signed(_ANSWER, _Kind.ANSWER, fields, key)


def decode_answer(data: bytes, key: bytes) -> Answer:
    """Raises PeerError if it is none, or is not signed with `key`."""
    challenge, counter, highest, taken = _fields(_ANSWER, _Kind.ANSWER, data, key)
    return Answer(challenge, counter, highest, taken == 1)


def challenge_at(secret: bytes, now_s: float) -> bytes:
    """The box's challenge at its monotonic time `now_s`. Who does not know the secret cannot tell the next one."""
    return _challenge(secret, int(now_s // SLOT_S))


def is_fresh(challenge: bytes, secret: bytes, now_s: float) -> bool:
    """Whether the challenge was made with this secret, in this slot of time or in the one before."""
    slot = int(now_s // SLOT_S)
    return any(hmac.compare_digest(challenge, _challenge(secret, each)) for each in (slot, slot - 1))


def _challenge(secret: bytes, slot: int) -> bytes:
    made = hmac.digest(secret, b"edged heartbeat challenge" + struct.pack("!q", slot), "sha256")[:CHALLENGE_BYTES]
    return made if made != NO_CHALLENGE else b"\x01" * CHALLENGE_BYTES


def _signed(layout: struct.Struct, kind: _Kind, fields: tuple[bytes | int, ...], key: bytes) -> bytes:
    try:
        packet = layout.pack(_MAGIC, _VERSION, kind, *fields)
    except struct.error as error:
        raise MisuseError(f"a field of a {kind.name.lower()} does not fit: {fields}") from error
    return packet + hmac.digest(key, packet, "sha256")[:_MAC_BYTES]


def _fields(layout: struct.Struct, kind: _Kind, data: bytes, key: bytes) -> tuple[Any, ...]:
    if len(data) != SIZE or data[:4] != struct.pack("!2sBB", _MAGIC, _VERSION, kind):
        raise PeerError(f"no {kind.name.lower()}: {len(data)} bytes, {data[:4].hex()}")
    packet, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
    if not hmac.compare_digest(hmac.digest(key, packet, "sha256")[:_MAC_BYTES], mac):
        raise PeerError(f"{kind.name.lower()} not signed with our key")
    return layout.unpack(packet)[3:]
