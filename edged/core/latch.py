"""A condition's memory: up after it held for the raise dwell, down after its clear rule held for the clear dwell.

Not knowing neither raises nor clears. A trigger that returns while clearing starts the clear dwell anew.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dwell:
    """Seconds a trigger must hold to raise, and a clear rule to clear. Up fast, down slow."""

    raise_s: float
    clear_s: float


@dataclass(frozen=True, slots=True)
class Latch:
    """Since when the trigger holds, since when it is up, and since when the clear rule holds. None: not now."""

    onset_s: float | None = None
    raised_s: float | None = None
    quiet_s: float | None = None

    @property
    def raised(self) -> bool:
        return self.raised_s is not None


DOWN = Latch()


def step(latch: Latch, *, trigger: bool, clear: bool, dwell: Dwell, now: float) -> Latch:
    """The latch at `now`. `trigger` wins over `clear` where a table's row lets both hold."""
    if not latch.raised:
        return _below(latch, trigger=trigger, dwell=dwell, now=now)
    if trigger or not clear:
        return Latch(latch.onset_s, latch.raised_s)
    quiet_s = now if latch.quiet_s is None else latch.quiet_s
    if now - quiet_s >= dwell.clear_s:
        return DOWN
    return Latch(latch.onset_s, latch.raised_s, quiet_s)


def _below(latch: Latch, *, trigger: bool, dwell: Dwell, now: float) -> Latch:
    if not trigger:
        return DOWN
    onset_s = now if latch.onset_s is None else latch.onset_s
    return Latch(onset_s, now if now - onset_s >= dwell.raise_s else None)
