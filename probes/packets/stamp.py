"""STAMP test packets (RFC 8762), unauthenticated and authenticated, with the session id of RFC 8972. Bytes in, facts
out.

Timestamps stay the 64-bit integers of the wire; `ntp_time` reads them. A key chooses the authenticated layout. What
follows the fixed layout is `stamp_tlv`'s.
"""

import hmac
import struct
from typing import NamedTuple

from probes.errors import MisuseError, PeerError
from probes.packets.ntp_time import from_ntp, from_ptp

PORT = 862
SIZE = 44
AUTHENTICATED_SIZE = 112

_SYNCHRONISED = 0x8000
_PTP_FORMAT = 0x4000
_HMAC_SIZE = 16
_LONGEST_KEPT_NS = 3600 * 10**9
_HOUR = 3600 << 32  # of NTP timestamps

_REQUEST = struct.Struct("!IQHH28x")
_REPLY = struct.Struct("!IQHHQIQH2xB3x")
_AUTHENTICATED_REQUEST = struct.Struct("!I12xQHH68x")
_AUTHENTICATED_REPLY = struct.Struct("!I12xQHH4xQ8xI12xQH6xB15x")


# Tuples, not dataclasses: two are made and one compared with each probe, at a third of the price.
class Request(NamedTuple):
    """What a session-sender sends. `sent` is T1."""

    sequence: int
    sent: int
    error: int
    """Error estimate, RFC 4656 section 4.1.2: S, Z, scale, multiplier."""
    ssid: int


class Reply(NamedTuple):
    """What a session-reflector answers: `received` is T2, `sent` is T3, and `request` is what it answers."""

    sequence: int
    sent: int
    error: int
    received: int
    request: Request
    request_ttl: int


def error_estimate(error_s: float, *, synchronised: bool = False) -> int:
    """The 16-bit error estimate of a clock good to `error_s` seconds: multiplier · 2^(scale - 32), rounded up.

    A multiplier of zero is forbidden (RFC 4656), so the smallest error that can be said is 2^-32 s.
    """
    units = max(1, round(error_s * (1 << 32)))
    scale = max(0, units.bit_length() - 8)
    multiplier = -(-units >> scale)
    if multiplier > 0xFF:
        scale, multiplier = scale + 1, (multiplier + 1) // 2
    if scale > 0x3F:
        raise MisuseError(f"an error of {error_s} s does not fit a STAMP error estimate")
    return (_SYNCHRONISED if synchronised else 0) | scale << 8 | multiplier


def encode_request(request: Request, key: bytes | None = None) -> bytes:
    """44 bytes, or 112 with a key. Raises MisuseError if a number does not fit its field."""
    layout = _REQUEST if key is None else _AUTHENTICATED_REQUEST
    return _seal(_pack(layout, request.sequence, request.sent, request.error, request.ssid), key)


def decode_request(data: bytes, key: bytes | None = None) -> Request:
    """Reads what a sender sent. Raises PeerError if it is too short or not signed with `key`."""
    layout = _REQUEST if key is None else _AUTHENTICATED_REQUEST
    sequence, sent, error, ssid = _unpack(layout, data, key)
    return Request(sequence, sent, error, ssid)


def encode_reply(reply: Reply, key: bytes | None = None) -> bytes:
    """44 bytes, or 112 with a key. Raises MisuseError if a number does not fit its field."""
    layout, asked = (_REPLY if key is None else _AUTHENTICATED_REPLY), reply.request
    answer = (reply.sequence, reply.sent, reply.error, asked.ssid, reply.received)
    return _seal(_pack(layout, *answer, asked.sequence, asked.sent, asked.error, reply.request_ttl), key)


def decode_reply(data: bytes, key: bytes | None = None) -> Reply:
    """Reads what a reflector answered. Raises PeerError if it is too short or not signed with `key`."""
    layout = _REPLY if key is None else _AUTHENTICATED_REPLY
    sequence, sent, error, ssid, received, *asked, ttl = _unpack(layout, data, key)
    asked_sequence, asked_sent, asked_error = asked
    return Reply(sequence, sent, error, received, Request(asked_sequence, asked_sent, asked_error, ssid), ttl)


def reflector_times_ns(reply: Reply, *, near_ns: int) -> tuple[int, int]:
    """(T2, T3) in nanoseconds by the reflector's clock, in whichever format it says it writes, T2 in the era nearest to
    `near_ns`. A reflector that writes PTP counts TAI.

    Raises PeerError where it answers before it was asked, or says it kept the packet for over an hour: no such figure
    can be subtracted from a round trip.
    """
    read = from_ptp if reply.error & _PTP_FORMAT else from_ntp
    received_ns = read(reply.received, near_ns=near_ns)
    sent_ns = read(reply.sent, near_ns=received_ns)
    if not 0 <= sent_ns - received_ns <= _LONGEST_KEPT_NS:
        raise PeerError(
            f"STAMP reflector claims to have kept packet {reply.request.sequence} for {sent_ns - received_ns} ns"
        )
    return received_ns, sent_ns


def answers_a_packet_of(data: bytes, now: int, key: bytes | None = None) -> bool:
    """Whether a packet that decodes as a request is in truth the answer to one that was sent at about `now`, an NTP
    timestamp of our own clock.

    Senders leave the bytes zero that hold T2 and the sender's timestamp in a reply, or fill them with anything (a TWAMP
    Light sender with random padding), and RFC 8762 has them ignored. But a reflector can be set on another one, or on
    an echo service, by one forged packet, and both would talk for ever. Whatever answers our reply carries our clock's
    time: a reflector gives our T3 back as the sender's timestamp, an echo service our own T2. So both are looked for,
    to an hour; random padding is taken for it once in 300,000 packets.
    """
    stamps = (_REPLY if key is None else _AUTHENTICATED_REPLY).unpack_from(data)
    return any(_within_an_hour(stamp, now) for stamp in (stamps[4], stamps[6]))


def _within_an_hour(stamp: int, now: int) -> bool:
    return (stamp - now + _HOUR) % (1 << 64) <= 2 * _HOUR


def _pack(layout: struct.Struct, *values: int) -> bytes:
    try:
        return layout.pack(*values)
    except struct.error as error:
        raise MisuseError(f"a STAMP field does not fit: {values}") from error


def _unpack(layout: struct.Struct, data: bytes, key: bytes | None) -> tuple[int, ...]:
    size = SIZE if key is None else AUTHENTICATED_SIZE
    if len(data) < size:
        raise PeerError(f"STAMP packet of {len(data)} bytes, at least {size} expected")
    if key is not None and not hmac.compare_digest(_digest(data[:96], key), data[96:AUTHENTICATED_SIZE]):
        raise PeerError("STAMP packet not signed with our key")
    return layout.unpack_from(data)


def _seal(packet: bytes, key: bytes | None) -> bytes:
    return packet if key is None else packet + _digest(packet, key)


def _digest(packet: bytes, key: bytes) -> bytes:
    """HMAC-SHA-256 cut to 16 bytes over everything before it (RFC 8762 section 4.4)."""
    return hmac.digest(key, packet, "sha256")[:_HMAC_SIZE]
