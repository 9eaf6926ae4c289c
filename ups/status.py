"""From what a UPS says to what its power is. Pure: `now_s` is an argument, the memory between answers a frozen value.

Rules:
- On battery is OB; unknown flags are kept and ignored; OFF wins over all, since the load gets nothing.
- OB under CAL or TEST is a test, not a loss of mains, unless the input voltage says that mains is gone.
- LB alone is never acted on (a false LB right at the loss of mains is common): how long it must stand depends on what
  charge and runtime say beside it. Once believed, low stays low until mains is back: under load a battery only empties.
- A UPS not heard while last seen on battery is a low battery; otherwise its power is unknown. Never "still on mains".
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from ups.figures import Figures
from ups.reading import Contact, Power


@dataclass(frozen=True, slots=True)
class LowLimits:
    """At or below these, charge and runtime speak for a low battery."""

    charge_pct: float
    runtime_s: float


@dataclass(frozen=True, slots=True)
class Memory:
    """One UPS from one answer to the next."""

    contact: Contact
    power: Power
    since_s: float
    """When `power` became what it is."""
    flags: tuple[str, ...] = ()
    on_battery: bool = False
    """When last heard."""
    low_since_s: float | None = None
    """Since when something speaks for a low battery, believed or not."""
    low_believed: bool = False

    @property
    def testing(self) -> bool:
        return not _TEST.isdisjoint(self.flags)


def nothing_heard(now_s: float) -> Memory:
    return Memory(contact=Contact.SERVER_LOST, power=Power.UNKNOWN, since_s=now_s)


def flags_of(ups_status: str) -> tuple[str, ...]:
    """The flags of `ups.status`, each once, in their order; cut to a length no UPS needs (RFC 9271 knows 20 flags)."""
    return tuple(dict.fromkeys(flag[:_FLAG_CHARS] for flag in ups_status.split()))[:_MOST_FLAGS]


def heard(memory: Memory, flags: tuple[str, ...], figures: Figures, limits: LowLimits, *, now_s: float) -> Memory:
    """The UPS answered. To be called at each answer, changed or not: patience with LB runs by these calls."""
    supply = _supply(flags, figures)
    silent = not flags or not _SILENT.isdisjoint(flags)
    memory = replace(memory, contact=Contact.STALE if silent else Contact.OK, flags=flags)
    if silent or supply is Power.UNKNOWN:
        return _unheard(memory, now_s)
    if supply is not Power.BATTERY:
        return _turned(replace(memory, on_battery=False, low_since_s=None, low_believed=False), supply, now_s)
    after_s = _low_after_s(flags, figures, limits)
    low_since_s = None if after_s is None else now_s if memory.low_since_s is None else memory.low_since_s
    stood = after_s is not None and low_since_s is not None and now_s - low_since_s >= after_s
    believed = memory.low_believed or stood
    memory = replace(memory, on_battery=True, low_since_s=low_since_s, low_believed=believed)
    return _turned(memory, Power.LOW_BATTERY if believed else Power.BATTERY, now_s)


def not_heard(memory: Memory, contact: Contact, *, now_s: float) -> Memory:
    """The UPS did not answer; `contact` says how far the question got."""
    return _unheard(replace(memory, contact=contact, flags=()), now_s)


class _Witness(StrEnum):
    """What charge and runtime say of the battery."""

    SILENT = "silent"
    HEALTHY = "healthy"
    SPLIT = "split"
    LOW = "low"


_LOW_AFTER_S: dict[tuple[bool, _Witness], float] = {
    (False, _Witness.LOW): 3.0,
    (True, _Witness.LOW): 3.0,
    (True, _Witness.SPLIT): 3.0,
    # Nothing to check it against: the false LB at the loss of mains lasts one or two of the driver's polls of 2 s.
    (True, _Witness.SILENT): 5.0,
    # LB comes from the battery's voltage, charge is counted: on an old battery LB is right and the charge is not. 30 s
    # is one full update of a slow driver: the figures had their chance.
    (True, _Witness.HEALTHY): 30.0,
}
"""(LB said, what the figures say) → how long this must stand until low is believed; what is not here never is."""

_MOST_FLAGS = 32
_FLAG_CHARS = 24
_SILENT = frozenset({"WAIT", "NOCOMM"})
"""Said in the UPS's place: by upsd for a second or two after a driver came, by a driver that cannot reach its UPS."""
_TEST = frozenset({"CAL", "TEST"})
_MAINS_GONE_BELOW = 0.5
"""Of the nominal input voltage: deeper than any brown-out a UPS would call mains."""


def _supply(flags: tuple[str, ...], figures: Figures) -> Power:
    said = frozenset(flags)
    if "OFF" in said:
        return Power.OFF
    if "OB" in said:
        return Power.BATTERY if said.isdisjoint(_TEST) or _mains_is_gone(figures) else Power.MAINS
    return Power.MAINS if "OL" in said or "BYPASS" in said else Power.UNKNOWN


def _mains_is_gone(figures: Figures) -> bool:
    """A UPS measures its input even while it tests, or it would not know when to go back."""
    if figures.input_v is None or figures.input_nominal_v is None:
        return False
    return figures.input_v < _MAINS_GONE_BELOW * figures.input_nominal_v


def _low_after_s(flags: tuple[str, ...], figures: Figures, limits: LowLimits) -> float | None:
    if "FSD" in flags:  # forced shutdown: upsmon's order, no measurement; the load goes off whatever the battery holds
        return 0.0
    return _LOW_AFTER_S.get(("LB" in flags, _witness(figures, limits)))


def _witness(figures: Figures, limits: LowLimits) -> _Witness:
    pairs = ((figures.charge_pct, limits.charge_pct), (figures.runtime_s, limits.runtime_s))
    low = [figure <= limit for figure, limit in pairs if figure is not None]
    if not low:
        return _Witness.SILENT
    if all(low):
        return _Witness.LOW
    return _Witness.SPLIT if any(low) else _Witness.HEALTHY


def _unheard(memory: Memory, now_s: float) -> Memory:
    return _turned(memory, Power.LOW_BATTERY if memory.on_battery else Power.UNKNOWN, now_s)


def _turned(memory: Memory, power: Power, now_s: float) -> Memory:
    return memory if memory.power is power else replace(memory, power=power, since_s=now_s)
