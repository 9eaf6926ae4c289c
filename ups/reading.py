"""What a UPS tells the judge. `None` means the UPS did not say, or said something known to be a lie."""

from dataclasses import dataclass
from enum import StrEnum


class Contact(StrEnum):
    """How far the question got: the four ways not to know are told apart."""

    OK = "ok"
    STALE = "stale"  # upsd answers, its data are old (DATA-STALE)
    DRIVER_LOST = "driver_lost"  # upsd answers, the driver is gone (DRIVER-NOT-CONNECTED)
    UNKNOWN_UPS = "unknown_ups"  # upsd answers, no such UPS, or access denied
    SERVER_LOST = "server_lost"  # upsd does not answer, or answers garbage


class Power(StrEnum):
    UNKNOWN = "unknown"
    MAINS = "mains"
    BATTERY = "battery"
    LOW_BATTERY = (
        "low_battery"  # on battery and believed low (debounced, cross-checked; stale while last seen on battery)
    )
    OFF = "off"


@dataclass(frozen=True, slots=True)
class UpsReading:
    """One UPS at `at_s` (monotonic seconds). Sent at each change of power, contact or flags and once per slow poll."""

    ups: str
    at_s: float
    contact: Contact
    power: Power
    since_s: float
    """Since when `power` is what it is."""
    flags: tuple[str, ...]
    """`ups.status` split, as NUT gave it: OL, OB, LB, CHRG, DISCHRG, RB, CAL, ALARM, OFF, BYPASS, …"""
    charge_pct: float | None
    runtime_s: float | None
    load_pct: float | None
    battery_v: float | None
    model: str | None
    testing: bool = False
    """A runtime test or calibration runs (TEST, CAL): its OB is reported as MAINS while mains is there."""
    runtime_doubtful: bool = False
    """`runtime_s` is the shorter of two opinions, the UPS's and the model of its battery, more than 30 % apart."""
