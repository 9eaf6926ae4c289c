"""Whether one flow's media are encrypted, from what passed in clear. Pure.

Keys agreed on the five-tuple itself (DTLS-SRTP, RFC 5764; ZRTP) are encryption: both ends must have shaken hands, and
one must use its keys already, or four flights must have passed (of a datagram only the first record is seen). Clear is
what only unencrypted packets look like, seen several times apart and hardly ever the other way; it outweighs the
handshake, since it is what passes now. All else is unknown: whoever begins to look in mid-session cries no wolf.
"""

from probes.packets.keying import Stage
from probes.packets.rtcp import Dress
from probes.reading import Protection, Way

_FLIGHTS = 4  # of a whole handshake: hello, hello and certificate, the same and keys, done (RFC 6347, 4.2.4)
_SIGHTINGS = 3
_APART_S = 0.2  # copies of one packet are one sighting
_CLEAR_TO_SEALED = 4
_FRESH_S = 60.0  # a source reports every 5 s at the latest (RFC 3550, 6.2): after twelve missed, it is no news

STATIC_TELEPHONY = frozenset((0, 8, 9))  # PCMU, PCMA, G.722: one octet a tick of 8 kHz (RFC 3551)
_FRAME_OCTETS = 80  # 10 ms of it. SRTP's tag adds 4, 10 or 16 octets, which no number of frames makes up for
_RUN = 25


class ProtectionEvidence:
    """What was seen on one five-tuple, both ways."""

    __slots__ = ("_clear", "_clear_s", "_flights", "_last_way", "_sealed", "_sealed_reports", "_seen")

    def __init__(self) -> None:
        self._seen: set[Way] = set()
        self._sealed: set[Way] = set()
        self._last_way: Way | None = None
        self._flights = 0
        self._clear = self._sealed_reports = 0
        self._clear_s = float("-inf")

    def handshake(self, way: Way, stage: Stage) -> None:
        """One packet of a key exchange."""
        likely = stage is Stage.LIKELY_SEALED and way in self._seen
        if stage is Stage.SEALED or likely:
            self._sealed.add(way)
        if stage in (Stage.ASKING, Stage.SEALED):
            self._seen.add(way)
            self._flights += way is not self._last_way
            self._last_way = way

    @property
    def has_handshake(self) -> bool:
        """Keys were, or are being, agreed on this very five-tuple."""
        return bool(self._seen or self._sealed)

    def report(self, dress: Dress, t_s: float) -> None:
        """An RTCP packet of a known source."""
        if dress is Dress.CLEAR:
            self.clear(t_s)
        elif dress is Dress.SEALED:
            self._sealed_reports += 1

    def clear(self, t_s: float) -> None:
        """Something only unencrypted media look like."""
        if t_s - self._clear_s < _APART_S:
            return
        if t_s - self._clear_s > _FRESH_S:
            self._clear = self._sealed_reports = 0
        self._clear += 1
        self._clear_s = t_s

    def verdict(self, now_s: float) -> Protection:
        fresh = now_s - self._clear_s <= _FRESH_S
        if fresh and self._clear >= max(_SIGHTINGS, _CLEAR_TO_SEALED * self._sealed_reports):
            return Protection.CLEAR
        agreed = len(self._seen) == len(Way) and (self._sealed or self._flights >= _FLIGHTS)
        return Protection.ENCRYPTED if agreed else Protection.UNKNOWN


class TelephonyRun:
    """Packets in a row of one source with exactly as many octets as their timestamps advance: nothing was added."""

    __slots__ = ("_octets", "_run", "_sequence", "_timestamp")

    def __init__(self) -> None:
        self._octets = self._run = self._sequence = self._timestamp = 0

    def feed(self, sequence: int, timestamp: int, octets: int) -> bool:
        """Take a packet with `octets` of payload. True each time a whole run has been seen."""
        follows = (sequence - self._sequence) & 0xFFFF == 1
        exact = octets and not octets % _FRAME_OCTETS and (timestamp - self._timestamp) & 0xFFFFFFFF == self._octets
        if follows:  # lost and reordered ones tell nothing
            self._run = self._run + 1 if exact else 0
        self._sequence, self._timestamp, self._octets = sequence, timestamp, octets
        if self._run < _RUN:
            return False
        self._run = 0
        return True
