"""One synchronisation source (SSRC) of one flow and way: what it is, what it showed last, what of it is missing.

A source counts from its second packet on: one alone, or one far from its numbers, may be anything (RFC 3550, A.1). Its
medium, once known, stays with it through silence, restarts and changes of payload type.
"""

from probes.media_clock import SURE_S, ClockEstimate, Guess
from probes.media_loss import MAX_DROPOUT, MAX_LATE, WINDOW_SLOTS, SequenceLedger
from probes.media_protection import TelephonyRun
from probes.packets.rtp import RtpHeader
from probes.reading import Medium

_NUMBERS = 1 << 16
_NEAR = 100  # how far apart the first two may be: a burst of losses, not chance
_PATIENCE_S = 5.0  # for the second one


class Source:
    """Fed by its lane with each of its packets."""

    __slots__ = (
        *("clock", "confidence", "frames", "hinted", "joined", "ledger", "medium", "newest", "payload_type"),
        *("proven", "seen_s", "telephony", "_held", "_held_s", "_sequence"),
    )

    def __init__(self, header: RtpHeader, t_s: float) -> None:
        self.payload_type = header.payload_type
        self.medium: Medium | None = None
        self.confidence = 0.0
        self.hinted = False
        """Its medium is told by configuration: the clock is not asked."""
        self.proven = False
        self.joined = False
        """Counted in its room's stream."""
        self.seen_s = t_s
        self.newest: int | None = None
        """The timestamp that is furthest ahead."""
        self.clock: ClockEstimate | None = None
        self.ledger: SequenceLedger | None = None
        self.telephony: TelephonyRun | None = None
        self.frames: dict[int, int] = {}
        """New frames by slot of 0.1 s."""
        self._sequence = header.sequence
        self._held: int | None = header.sequence
        self._held_s = t_s

    def follows(self, sequence: int, t_s: float) -> bool:
        """Whether this packet belongs to what came before, and so may be counted."""
        if self.proven:
            step = (sequence - self._sequence) % _NUMBERS
            if step <= MAX_DROPOUT:
                self._sequence = sequence
                return True
            if step >= _NUMBERS - MAX_LATE:
                return True
        if not self._follows_the_held(sequence, t_s):
            self._held, self._held_s = sequence, t_s
            return False
        self.proven = True
        self._sequence, self._held = sequence, None
        return True

    def _follows_the_held(self, sequence: int, t_s: float) -> bool:
        if self._held is None or t_s - self._held_s > _PATIENCE_S:
            return False
        step = (sequence - self._held) % _NUMBERS
        return 1 <= step <= _NEAR or step >= _NUMBERS - _NEAR

    def count(self, sequence: int, slot: int) -> None:
        """For loss."""
        if self.ledger is None:
            self.ledger = SequenceLedger(sequence, slot)
        else:
            self.ledger.feed(sequence, slot)

    def listen(self, header: RtpHeader, t_s: float, *, new: bool) -> Guess | None:
        """Hold one packet against the clocks: what they say, once they do. `new`: its timestamp is a new one."""
        if self.clock is None:
            self.clock = ClockEstimate(t_s, header.timestamp, header.sequence) if new else None
            return None
        if not new:
            if header.timestamp == self.newest:
                self.clock.repeat()
            return None
        self.clock.feed(t_s, header.timestamp, header.sequence)
        return self.clock.guess()

    def is_settled(self) -> bool:
        """The clock has nothing to add."""
        if self.hinted:
            return True
        return self.medium is not None and self.clock is not None and self.clock.span_s >= SURE_S

    def frame(self, slot: int) -> None:
        self.frames[slot] = self.frames.get(slot, 0) + 1

    def frame_rate_hz(self, now_slot: int) -> int:
        """Frames of the ten whole slots before this one, which are one second; forgets what is older."""
        start = now_slot - WINDOW_SLOTS
        self.frames = {slot: n for slot, n in self.frames.items() if slot >= start}
        return sum(n for slot, n in self.frames.items() if slot < now_slot)
