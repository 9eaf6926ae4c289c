"""One direction of one flow: the RTP sources in it, and which of them are which medium. Pure.

A source is told by the configured hint, else by what its payload type was found to be before on this very lane, else by
its clock. Memory is bounded: of too many sources, the unknown ones that spoke longest ago fall out first.
"""

from collections.abc import Mapping

from probes.media_clock import step_of
from probes.media_frames import REORDERED_TICKS, ShownFrames, is_padding_only
from probes.media_loss import slot_of
from probes.media_protection import STATIC_TELEPHONY, TelephonyRun
from probes.media_settings import MediaSettings
from probes.media_source import Source
from probes.media_stream import Stream
from probes.packets.rtp import HEADER_LEN, RtpHeader
from probes.reading import Medium, Way

Streams = Mapping[tuple[Medium, Way], Stream]

_MAX_SOURCES = 24  # layers, their repair, audio, and restarts
_INHERITED = 0.9  # confidence at most, until its own clock has spoken


class Lane:
    """One direction of a flow: the RTP sources in it."""

    __slots__ = ("_hints", "_known", "_platform_port", "_settings", "_shown", "_sources", "_streams", "_way")

    def __init__(self, settings: MediaSettings, streams: Streams, way: Way, platform_port: int) -> None:
        self._settings, self._streams, self._way, self._platform_port = settings, streams, way, platform_port
        self._sources: dict[int, Source] = {}
        self._shown = ShownFrames()
        self._known: dict[int, tuple[Medium, float]] = {}
        self._hints: dict[int, Medium | None] = {}

    def feed(self, header: RtpHeader, length: int, t_s: float) -> tuple[bool, bool]:
        """Take a packet of `length` bytes of RTP: (whether its medium is known, whether it ends a run in clear)."""
        source = self._sources.get(header.ssrc)
        if source is None:
            source = self._admit(header, t_s)
        elif header.payload_type != source.payload_type:
            source.payload_type = header.payload_type
            self._tell(source)
        source.seen_s = max(t_s, source.seen_s)
        source.count(header.sequence, slot_of(t_s))
        if not source.follows(header.sequence, t_s):
            return False, False
        new = self._learn(source, header, length, t_s)
        if source.medium is None:
            self._stuff(header, length, t_s, new=new)
            return False, False
        self._streams[source.medium, self._way].feed(source, t_s, new=new)
        if new and source.medium is Medium.VIDEO:
            source.frame(slot_of(t_s))
        return True, source.medium is Medium.AUDIO and _in_clear(source, header, length)

    def __contains__(self, ssrc: int) -> bool:
        """Whether this source was heard here."""
        return ssrc in self._sources

    def known(self, ssrc: int) -> Source | None:
        """This source, if it is known to be media."""
        source = self._sources.get(ssrc)
        return None if source is None or source.medium is None else source

    def recognise(self, ssrc: int, elsewhere: Source) -> None:
        """A source of this lane was known `elsewhere` before its path changed: it is what it was."""
        source = self._sources[ssrc]
        source.newest = elsewhere.newest
        if source.medium is None and elsewhere.medium is not None:
            self._move(source, elsewhere.medium, min(_INHERITED, elsewhere.confidence))

    def _admit(self, header: RtpHeader, t_s: float) -> Source:
        if len(self._sources) >= _MAX_SOURCES:
            del self._sources[min(self._sources, key=self._weight)]
        source = self._sources[header.ssrc] = Source(header, t_s)
        self._tell(source)
        return source

    def _weight(self, ssrc: int) -> tuple[bool, float]:
        source = self._sources[ssrc]
        return source.proven and source.medium is not None, source.seen_s

    def _tell(self, source: Source) -> None:
        """What is known of a payload type before its clock has spoken: a hint, or what was heard in it before."""
        kind = source.payload_type
        if kind not in self._hints:
            self._hints[kind] = self._settings.medium_of(self._platform_port, kind)
        if (hint := self._hints[kind]) is not None:
            self._move(source, hint, 1.0)
            self._known[kind] = hint, 1.0
            source.hinted = True
        elif source.medium is None and (known := self._known.get(kind)) is not None:
            self._move(source, known[0], min(_INHERITED, known[1]))

    def _learn(self, source: Source, header: RtpHeader, length: int, t_s: float) -> bool:
        """Whether the packet begins a new frame; what it says of the medium goes to its source."""
        if source.medium is Medium.AUDIO and source.is_settled():
            return True
        padding = is_padding_only(header, length)
        new = not padding and self._shown.is_new(header.timestamp, source.newest)
        if new and (source.newest is None or not 0 <= step_of(source.newest, header.timestamp) < REORDERED_TICKS):
            source.newest = header.timestamp
        if padding or source.is_settled():
            return new
        if guess := source.listen(header, t_s, new=new):
            self._move(source, guess.medium, guess.confidence)
            self._known[header.payload_type] = guess.medium, guess.confidence
        return new

    def _move(self, source: Source, medium: Medium, confidence: float) -> None:
        if source.medium is not None and source.medium is not medium:
            self._streams[source.medium, self._way].leave(source)
        source.medium, source.confidence = medium, confidence

    def _stuff(self, header: RtpHeader, length: int, t_s: float, *, new: bool) -> None:
        """Repair or padding in a source of its own beside a video: packets come, nothing new does."""
        if not new and any(medium is Medium.VIDEO for medium, _ in self._known.values()):
            self._streams[Medium.VIDEO, self._way].stuffed(t_s)


def _in_clear(source: Source, header: RtpHeader, length: int) -> bool:
    if header.payload_type not in STATIC_TELEPHONY or not header.bare or header.padding:
        return False
    if source.telephony is None:
        source.telephony = TelephonyRun()
    return source.telephony.feed(header.sequence, header.timestamp, length - HEADER_LEN)
