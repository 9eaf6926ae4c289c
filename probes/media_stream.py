"""One medium of a room in one direction: all its sources together, whichever flow they come in.

Audio is live while packets come, video only while new frames do: packets that bring none are a freeze. Simulcast is
live if any layer moves. A stream never seen is unknown; one that was seen and stopped is not live, until `forget_s` of
nothing make it unknown again.
"""

from probes.media_loss import WINDOW_SLOTS, slot_of
from probes.media_source import Source
from probes.reading import Medium, StreamReading, Way

_MAX_SOURCES = 16  # simulcast layers and a few restarts; more is noise, and what spoke longest ago falls out
_STALL_S = 0.5  # without a new frame: below, a camera in a dark room at 5 frames a second is no freeze


class Stream:
    """Fed with the packets of one medium and way, asked at a time."""

    __slots__ = (
        *("_confidence", "_forget_s", "_frame_s", "_medium", "_packets", "_seen_s", "_silence_s", "_sources", "_way"),
    )

    def __init__(self, medium: Medium, way: Way, silence_s: float, forget_s: float) -> None:
        self._medium, self._way = medium, way
        self._silence_s, self._forget_s = silence_s, forget_s
        self._seen_s: float | None = None
        self._frame_s: float | None = None
        self._packets: dict[int, int] = {}
        self._sources: list[Source] = []
        self._confidence = 1.0

    def feed(self, source: Source, t_s: float, *, new: bool) -> None:
        """A packet of this medium; `new` where it begins a frame."""
        slot = slot_of(t_s)
        self.stuffed(t_s)
        self._packets[slot] = self._packets.get(slot, 0) + 1
        if new or self._medium is Medium.AUDIO:
            self._frame_s = t_s if self._frame_s is None else max(t_s, self._frame_s)
        if not source.joined:
            self._join(source)

    def stuffed(self, t_s: float) -> None:
        """A packet that belongs to this medium and carries nothing new of it: padding, repair."""
        self._seen_s = t_s if self._seen_s is None else max(t_s, self._seen_s)

    def live(self, now_s: float) -> bool | None:
        if self._seen_s is None or now_s - self._seen_s > self._forget_s:
            return None
        return self._frame_s is not None and max(0.0, now_s - self._frame_s) <= self._silence_s

    def reading(self, now_s: float, *, overrun: bool) -> StreamReading:
        """Everything at `now_s`; with `overrun`, what is missing cannot be told from what our own kernel dropped."""
        slot = slot_of(now_s)
        age_s = None if self._seen_s is None else max(0.0, now_s - self._seen_s)
        loss_pct = self._loss_pct(slot)
        return StreamReading(
            medium=self._medium,
            way=self._way,
            live=self.live(now_s),
            age_s=age_s,
            packet_rate_hz=self._packet_rate_hz(slot),
            loss_pct=None if overrun else loss_pct,
            frame_rate_hz=self._frame_rate_hz(slot),
            frozen_for_s=self._frozen_for_s(now_s, age_s),
            confidence=self._sure(),
        )

    def _join(self, source: Source) -> None:
        if len(self._sources) >= _MAX_SOURCES:
            oldest = min(self._sources, key=lambda other: other.seen_s)
            oldest.joined = False
            self._sources.remove(oldest)
        source.joined = True
        self._sources.append(source)

    def leave(self, source: Source) -> None:
        """The source turned out to be of another medium."""
        if source in self._sources:
            source.joined = False
            self._sources.remove(source)

    def _packet_rate_hz(self, now_slot: int) -> float:
        """Packets of the ten whole slots before this one, which are one second."""
        start = now_slot - WINDOW_SLOTS
        self._packets = {slot: n for slot, n in self._packets.items() if slot >= start}
        return float(sum(n for slot, n in self._packets.items() if slot < now_slot))

    def _frame_rate_hz(self, now_slot: int) -> float | None:
        if self._medium is not Medium.VIDEO or self._seen_s is None:
            return None
        return float(max((source.frame_rate_hz(now_slot) for source in self._sources), default=0))

    def _frozen_for_s(self, now_s: float, age_s: float | None) -> float | None:
        if self._medium is not Medium.VIDEO or self._frame_s is None or age_s is None or age_s > self._silence_s:
            return None
        still_s = now_s - self._frame_s
        return still_s if still_s >= _STALL_S else None

    def _loss_pct(self, now_slot: int) -> float | None:
        counts = [source.ledger.count(now_slot) for source in self._sources if source.ledger is not None]
        for source in [s for s in self._sources if now_slot - slot_of(s.seen_s) > 2 * WINDOW_SLOTS]:
            self.leave(source)
        expected = sum(e for e, _ in counts)
        return 100.0 * sum(lost for _, lost in counts) / expected if expected else None

    def _sure(self) -> float:
        self._confidence = max((source.confidence for source in self._sources), default=self._confidence)
        return self._confidence
