"""One five-tuple between a room and elsewhere: media each way, checks and keys.

What passes by a TURN relay is a flow apart from the server's own. It is one, in however many channels and indications:
an allocation belongs to one ICE component, which has one far end, and moves into a channel in mid-handshake.
"""

from collections.abc import Callable, Mapping

from probes.errors import PeerError
from probes.media_checks import Checks
from probes.media_lane import Lane
from probes.media_protection import ProtectionEvidence
from probes.media_source import Source
from probes.packets.demux import Kind
from probes.packets.ice import Check, parse_check
from probes.packets.keying import parse_dtls, parse_zrtp
from probes.packets.rtcp import Dress, parse_rtcp
from probes.packets.rtp import HEADER_LEN, parse_rtp
from probes.reading import FarEnd, Way

Report = Callable[[Way, int, Dress, float], None]
"""An RTCP packet that way, by that sender, dressed so, came then."""
Origin = Callable[[Way, int], "Flow | None"]
"""The flow that way in which this source is known to be media."""


class Flow:
    """Fed with the packets of both its directions."""

    __slots__ = ("_checks", "_heard_s", "_lanes", "_origin", "_report", "evidence", "media_s")

    def __init__(self, lanes: Mapping[Way, Lane], report: Report, origin: Origin) -> None:
        self.evidence = ProtectionEvidence()
        self.media_s: float | None = None
        """When a packet of a known medium last passed, either way; None: never, and this is no media flow."""
        self._lanes = lanes
        self._report = report
        self._origin = origin
        self._checks: Checks | None = None
        self._heard_s: float | None = None

    def take(self, kind: Kind, way: Way, data: bytes, at: int, length: int, t_s: float) -> None:
        """One packet of `kind` with `length` bytes on the wire from `at`. Raises PeerError where it is none."""
        if kind is Kind.RTP:
            self._media(way, data, at, length, t_s)
        elif kind is Kind.STUN:
            if self._check(way, data, at, length, t_s):
                return  # an answer is remembered as such
        elif kind is Kind.RTCP:
            sender, dress = parse_rtcp(data, at, length)
            self._report(way, sender, dress, t_s)
        elif kind is Kind.DTLS:
            self.evidence.handshake(way, parse_dtls(data, at))
        elif kind is Kind.ZRTP:
            self.evidence.handshake(way, parse_zrtp(data, at))
        if way is Way.TO_ROOM:
            self._heard_s = t_s

    def known(self, way: Way, ssrc: int) -> Source | None:
        """This source, if it is known to be media here."""
        return self._lanes[way].known(ssrc)

    def far_end(self, now_s: float) -> FarEnd:
        return FarEnd.UNKNOWN if self._checks is None else self._checks.far_end(now_s, self._heard_s)

    def _media(self, way: Way, data: bytes, at: int, length: int, t_s: float) -> None:
        header = parse_rtp(data, at)
        if length < HEADER_LEN:
            raise PeerError(f"an RTP packet of {length} bytes")
        lane = self._lanes[way]
        origin = None if header.ssrc in lane else self._origin(way, header.ssrc)
        known, clear = lane.feed(header, length, t_s)
        if origin is not None:
            self._follow(origin, way, header.ssrc)
        if known:
            self.media_s = t_s
        if clear:
            self.evidence.clear(t_s)

    def _follow(self, origin: "Flow", way: Way, ssrc: int) -> None:
        """ICE may change the path under a source (RFC 8445, 2.4): neither what it sends nor its keys are new then."""
        if (source := origin.known(way, ssrc)) is not None:
            self._lanes[way].recognise(ssrc, source)
        if not self.evidence.has_handshake:
            self.evidence = origin.evidence

    def _check(self, way: Way, data: bytes, at: int, length: int, t_s: float) -> bool:
        """Whether it was an answer to the room. The room's own answers say nothing of the far end."""
        check, transaction = parse_check(data, at, length)
        if check is Check.REQUEST and way is Way.FROM_ROOM:
            if self._checks is None:
                self._checks = Checks()
            self._checks.asked(transaction, t_s)
        elif check is Check.ANSWER and way is Way.TO_ROOM:
            if self._checks is not None:
                self._checks.answer(transaction, t_s)
            return True
        return False
