"""A UPS battery, pure: how charge falls on battery, rises on mains, and what the UPS then says of itself.

Runtime after Peukert: T(L) = t_full · (100/L)^k with k = ln(t_half/t_full) / ln 2, times the state of charge.
Recharging is linear. A lab day can be compressed by giving `advance` more seconds than passed.
"""

import math
from dataclasses import dataclass

LEAST_LOAD_PCT = 10.0  # Peukert promises days below this; no UPS does
FULL = 0.995


@dataclass(frozen=True, slots=True)
class Rating:
    """What is printed on the box."""

    model: str
    serial: str
    power_va: int
    realpower_w: int
    load_pct: float
    runtime_full_load_s: float
    runtime_half_load_s: float
    recharge_s: float = 4 * 3600.0
    low_charge_pct: float = 20.0
    low_runtime_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Battery:
    """`charge` is 0…1."""

    charge: float = 1.0
    on_mains: bool = True


def runtime_s(rating: Rating, charge: float) -> float:
    """Seconds the load of `rating` runs from a battery at `charge` (0…1)."""
    exponent = math.log(rating.runtime_half_load_s / rating.runtime_full_load_s) / math.log(2)
    load_pct = max(rating.load_pct, LEAST_LOAD_PCT)
    return float(rating.runtime_full_load_s * (100 / load_pct) ** exponent * charge)


def advance(battery: Battery, rating: Rating, *, on_mains: bool, elapsed_s: float) -> Battery:
    """The battery after `elapsed_s` seconds with or without mains."""
    step = elapsed_s / rating.recharge_s if on_mains else -elapsed_s / runtime_s(rating, 1.0)
    return Battery(charge=min(1.0, max(0.0, battery.charge + step)), on_mains=on_mains)


def status(battery: Battery, rating: Rating) -> str:
    """`ups.status` as a driver would put it."""
    if battery.on_mains:
        return "OL" if battery.charge >= FULL else "OL CHRG"
    low = battery.charge * 100 <= rating.low_charge_pct or runtime_s(rating, battery.charge) <= rating.low_runtime_s
    return "OB DISCHRG LB" if low else "OB DISCHRG"


def variables(battery: Battery, rating: Rating) -> dict[str, str]:
    """Everything the UPS says over NUT (names: NUT's variable list)."""
    volts = 27.3 if battery.on_mains and battery.charge >= FULL else 22.0 + 4.0 * battery.charge
    return {
        "ups.status": status(battery, rating),
        "ups.mfr": "Lab",
        "ups.model": rating.model,
        "ups.serial": rating.serial,
        "ups.load": f"{rating.load_pct:.0f}",
        "ups.power.nominal": str(rating.power_va),
        "ups.realpower.nominal": str(rating.realpower_w),
        "battery.charge": f"{battery.charge * 100:.0f}",
        "battery.charge.low": f"{rating.low_charge_pct:.0f}",
        "battery.runtime": f"{runtime_s(rating, battery.charge):.0f}",
        "battery.runtime.low": f"{rating.low_runtime_s:.0f}",
        "battery.voltage": f"{volts:.1f}",
        "battery.voltage.nominal": "24",
        "battery.type": "PbAc",
        "input.voltage": "120.4" if battery.on_mains else "0.0",
        "input.voltage.nominal": "120",
        "output.voltage": "120.0",
    }
