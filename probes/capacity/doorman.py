"""Who may measure against the far end: the opening, and a bounded table of sessions. Pure.

A public door. Until a client has proven that it gets what is sent to its address, it is answered with no more bytes
than it sent, and nothing is kept of it: the cookie holds all that is needed. A cookie is good for one session, for
three seconds, for one nonce from one address and port. A client (an address) has one session at a time.
"""

import hmac
import struct
from dataclasses import dataclass

from probes.packets.capacity import (
    COOKIE_BYTES,
    OPENING_BYTES,
    Challenge,
    Denied,
    Hello,
    Open,
    Opened,
    Refused,
    Why,
    Wish,
    session_key,
)
from probes.stamp_reflector import Allowance

_GOOD_FOR_S = 3.0
_OPENINGS_HZ, _DENIALS_HZ = 100.0, 10.0
_ISSUED = struct.Struct("!Q")
_WHO = struct.Struct("!HQ")

Peer = tuple[str, int]
"""Address and port."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of each session, and of how many."""

    sessions: int = 4
    rate_bps: float = 300e6
    bytes: int = 200_000_000
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Grant:
    """A session that may begin."""

    session: int
    peer: Peer
    key: bytes
    nonce: bytes
    wish: Wish
    packet_bytes: int
    bytes_max: int
    rate_bps: float
    until_s: float
    opened: Opened


class Doorman:
    """`secret` is random, known to nobody else, and ends with the process."""

    def __init__(self, shared: bytes, secret: bytes, limits: Limits, now_s: float) -> None:
        self._shared, self._secret, self._limits = shared, secret, limits
        self._openings, self._denials = Allowance(_OPENINGS_HZ, now_s), Allowance(_DENIALS_HZ, now_s)
        self._used: dict[bytes, float] = {}
        self._sessions: dict[str, Grant] = {}

    def hello(self, peer: Peer, hello: Hello, size: int, now_s: float) -> Challenge | None:
        """The answer to a signed HELLO of `size` bytes."""
        if size < OPENING_BYTES or not self._openings.take(now_s):
            return None
        issued = _ISSUED.pack(int(now_s * 1000))
        return Challenge(hello.session, hello.number, hello.nonce, issued + self._proof(peer, hello, issued))

    def denied(self, hello: Hello, size: int, now_s: float) -> Denied | None:
        """The answer to one that another key signed: it tells an administrator from a dead line."""
        if size < OPENING_BYTES or not self._denials.take(now_s):
            return None
        return Denied(hello.session, hello.number, hello.nonce)

    def open(self, peer: Peer, asked: Open, size: int, now_s: float) -> Grant | Refused | None:
        """A session: a new one, or this client's own again, for our OPENED may have been lost; or why not."""
        if size < OPENING_BYTES or not self._openings.take(now_s) or asked.wish not in tuple(Wish):
            return None
        issued, proof = asked.cookie[: _ISSUED.size], asked.cookie[_ISSUED.size : COOKIE_BYTES]
        if not hmac.compare_digest(proof, self._proof(peer, asked, issued)):
            return None  # an address that is not its own
        held = self._sessions.get(peer[0])
        if held is not None and (held.session, held.nonce, held.peer) == (asked.session, asked.nonce, peer):
            return held
        age_s = now_s - _ISSUED.unpack(issued)[0] / 1000
        self._used = {cookie: until_s for cookie, until_s in self._used.items() if until_s > now_s}
        if age_s > _GOOD_FOR_S or asked.cookie in self._used:
            return Refused(asked.session, asked.number, asked.nonce, Why.STALE)
        if held is not None or len(self._sessions) >= self._limits.sessions:
            return Refused(asked.session, asked.number, asked.nonce, Why.BUSY)
        self._used[asked.cookie] = now_s + 2 * _GOOD_FOR_S
        return self._grant(peer, asked, now_s)

    def gone(self, grant: Grant) -> None:
        if self._sessions.get(grant.peer[0]) == grant:
            del self._sessions[grant.peer[0]]

    def _grant(self, peer: Peer, asked: Open, now_s: float) -> Grant:
        limits = self._limits
        rate_kbps = min(asked.rate_kbps, int(limits.rate_bps / 1000))
        bytes_max = min(asked.bytes_max, limits.bytes)
        duration_ms = min(asked.duration_ms, int(limits.seconds * 1000))
        grant = Grant(
            session=asked.session,
            peer=peer,
            key=session_key(self._shared, asked.nonce, asked.cookie),
            nonce=asked.nonce,
            wish=Wish(asked.wish),
            packet_bytes=asked.packet_bytes,
            bytes_max=bytes_max,
            rate_bps=rate_kbps * 1000,
            until_s=now_s + duration_ms / 1000,
            opened=Opened(asked.session, asked.number, bytes_max, rate_kbps, duration_ms),
        )
        self._sessions[peer[0]] = grant
        return grant

    def _proof(self, peer: Peer, asked: Hello | Open, issued: bytes) -> bytes:
        who = _WHO.pack(peer[1], asked.session) + peer[0].encode()
        return hmac.digest(self._secret, issued + asked.nonce + who, "sha256")[: COOKIE_BYTES - _ISSUED.size]
