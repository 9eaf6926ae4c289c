"""What is missing from one RTP source, by its sequence numbers (RFC 3550 appendix A.1), over a sliding second.

A number that was skipped is missing until it comes: late or reordered is no loss. So the second that is counted ended a
moment ago, `SETTLE_SLOTS`. A hole longer than `MAX_DROPOUT`, or one after a second of silence, is an outage, which
liveness tells, and the count starts anew; so does a source that restarts with another number, once two packets agree.
"""

SLOT_S = 0.1
WINDOW_SLOTS = 10  # one second
SETTLE_SLOTS = 1  # 0.1–0.2 s: longer than any jitter buffer waits for a late packet
MAX_DROPOUT = 1000  # 0.5 s of a 2,000 packets/s stream
MAX_LATE = 100  # RFC 3550's MAX_MISORDER
MAX_MISSING = 4 * MAX_DROPOUT  # what is remembered of a source at most; more in a second is noise, not a stream

_SLOTS_MAX = 2 * (WINDOW_SLOTS + SETTLE_SLOTS)  # nobody asks about a source of no known medium: it forgets by itself
_NUMBERS = 1 << 16


def slot_of(t_s: float) -> int:
    """The 0.1 s slot a moment belongs to."""
    return int(t_s / SLOT_S)


class SequenceLedger:
    """Counts what one synchronisation source should have sent and what never came."""

    __slots__ = ("_expected", "_highest", "_last_slot", "_missing", "_restart_at")

    def __init__(self, sequence: int, slot: int) -> None:
        self._expected = {slot: 1}
        self._missing: dict[int, int] = {}
        self._highest = sequence
        self._last_slot = slot
        self._restart_at: int | None = None

    def __len__(self) -> int:
        """Slots and numbers remembered."""
        return len(self._expected) + len(self._missing)

    def feed(self, sequence: int, slot: int) -> None:
        """Take the next packet of this source, which came in `slot`."""
        step = (sequence - self._highest) % _NUMBERS
        outage = slot - self._last_slot > WINDOW_SLOTS
        self._last_slot = slot
        if step == 1 or (outage and step):
            self._expect(slot, 1)
            self._highest = sequence
        elif 1 < step <= MAX_DROPOUT and len(self._missing) < MAX_MISSING:
            self._skip_to(sequence, step, slot)
        elif step >= _NUMBERS - MAX_LATE:
            self._missing.pop(sequence, None)  # late, or a duplicate of one that came
        elif step:
            self._jump(sequence, slot)

    def count(self, now_slot: int) -> tuple[int, int]:
        """(expected, lost) packets of the second that ended `SETTLE_SLOTS` before `now_slot`; forgets what is older."""
        self._forget(now_slot)
        end = now_slot - SETTLE_SLOTS
        expected = sum(n for slot, n in self._expected.items() if slot < end)
        return expected, sum(slot < end for slot in self._missing.values())

    def _forget(self, now_slot: int) -> None:
        start = now_slot - SETTLE_SLOTS - WINDOW_SLOTS
        self._expected = {slot: n for slot, n in self._expected.items() if slot >= start}
        self._missing = {sequence: slot for sequence, slot in self._missing.items() if slot >= start}

    def _expect(self, slot: int, count: int) -> None:
        if slot not in self._expected and len(self._expected) >= _SLOTS_MAX:
            self._forget(slot)
        self._expected[slot] = self._expected.get(slot, 0) + count

    def _skip_to(self, sequence: int, step: int, slot: int) -> None:
        self._expect(slot, step)
        for skipped in range(self._highest + 1, self._highest + step):
            self._missing[skipped % _NUMBERS] = slot
        self._highest = sequence

    def _jump(self, sequence: int, slot: int) -> None:
        """Far from anything expected: noise, until the next packet follows it."""
        if sequence == self._restart_at:
            self._expected, self._missing = {slot: 2}, {}
            self._highest, self._restart_at = sequence, None
        else:
            self._restart_at = (sequence + 1) % _NUMBERS
