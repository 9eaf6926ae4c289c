"""A UPS's variables become figures that can be believed; what is known to be a lie becomes None."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figures:
    """What a UPS measures. None: it did not say, or said something known to be a lie."""

    charge_pct: float | None = None
    runtime_s: float | None = None
    runtime_doubtful: bool = False
    """The UPS's own figure and the model of its battery are more than 30 % apart."""
    load_pct: float | None = None
    battery_v: float | None = None
    input_v: float | None = None
    input_nominal_v: float | None = None
    model: str | None = None


def figures_of(variables: Mapping[str, str]) -> Figures:
    """Read the variables of LIST VAR (names and units: NUT's nut-names.txt)."""
    charge_pct = _number(variables, "battery.charge", 0, 110)
    return Figures(
        charge_pct=None if charge_pct is None else min(charge_pct, 100.0),  # 101 and 104 are seen on full batteries
        runtime_s=_runtime_s(variables),
        load_pct=_number(variables, "ups.load", 0, 500),
        battery_v=_number(variables, "battery.voltage", 0, 2000),
        input_v=_number(variables, "input.voltage", 0, 2000),
        input_nominal_v=_number(variables, "input.voltage.nominal", 1, 2000),
        model=_text(variables, "ups.model") or _text(variables, "device.model"),
    )


_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{0,12})?")
_RUNTIME_LIES = frozenset({-1.0, 0.0, 65535.0})
_LONGEST_RUNTIME_S = 604_800.0
"""A week: what claims more counts something else."""
_MODEL_CHARS = 64


def _runtime_s(variables: Mapping[str, str]) -> float | None:
    runtime_s = _number(variables, "battery.runtime", -math.inf, _LONGEST_RUNTIME_S)
    return None if runtime_s is None or runtime_s in _RUNTIME_LIES or runtime_s < 0 else runtime_s


def _number(variables: Mapping[str, str], name: str, lowest: float, highest: float) -> float | None:
    said = variables.get(name, "").strip()
    if not _NUMBER.fullmatch(said):
        return None
    number = float(said)
    return number if lowest <= number <= highest else None


def _text(variables: Mapping[str, str], name: str) -> str | None:
    return variables.get(name, "").strip()[:_MODEL_CHARS] or None
