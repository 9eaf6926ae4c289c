"""How long a battery lasts, from its data sheet: a second opinion on what the UPS says. The shorter one counts.

T(L) = t_full · (100 / L)^k · charge · health, Peukert's law with its exponent from two rated points:
k = ln(t_half / t_full) / ln(load_full / load_half), where load_full / load_half = 2.
"""

import math
from dataclasses import dataclass

_LEAST_LOAD_PCT = 10.0
"""Below 10 % the inverter's own draw rules and Peukert promises days."""
_DOUBTFUL_APART = 0.30


@dataclass(frozen=True, slots=True)
class Runtime:
    runtime_s: float | None
    doubtful: bool
    """The two opinions differ by more than 30 % of the longer one."""


def modelled_runtime_s(
    *, full_load_s: float, half_load_s: float, load_pct: float, charge_pct: float, health_pct: float
) -> float:
    """Seconds the battery lasts at this load, from the rated seconds at 100 % and at 50 % load."""
    exponent = math.log(half_load_s / full_load_s) / math.log(2)
    new_and_full_s = full_load_s * math.pow(100 / max(load_pct, _LEAST_LOAD_PCT), exponent)
    return new_and_full_s * charge_pct / 100 * health_pct / 100


def believed_runtime(ups_s: float | None, model_s: float | None) -> Runtime:
    """The shorter of what the UPS says and what the model says."""
    if ups_s is None or model_s is None:
        return Runtime(ups_s if model_s is None else model_s, doubtful=False)
    apart = abs(ups_s - model_s) > _DOUBTFUL_APART * max(ups_s, model_s)
    return Runtime(min(ups_s, model_s), doubtful=apart)
