"""How a dual-WAN router decides, as arithmetic: which WANs are up, and which one carries the traffic.

A WAN is up until its health checks stayed unanswered for `failover_s`, or its carrier went. A WAN that is not up must
answer without a gap for `failback_s` before it counts again. The first WAN that is up, in the order of preference,
carries the traffic; with none up it stays where it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum


class PeplinkState(IntEnum):
    """wanTable column 3 of a Balance router (23695.2.1.2.1.3), the states this one takes."""

    DISCONNECTED = 2
    CONNECTED = 3
    HEALTH_CHECK_FAIL = 6
    STANDBY = 8


@dataclass(frozen=True, slots=True)
class Timing:
    """Raises ValueError outside 0.5–600 s."""

    failover_s: float = 10.0
    failback_s: float = 10.0

    def __post_init__(self) -> None:
        for name, value in (("failover", self.failover_s), ("failback", self.failback_s)):
            if not 0.5 <= value <= 600:
                raise ValueError(f"{name} time must lie between 0.5 s and 600 s, not {value:g} s")

    @property
    def check_every_s(self) -> float:
        """At least eight checks within the failover time, so that single losses do not look like a dead WAN."""
        return min(1.0, max(0.1, self.failover_s / 8))


@dataclass(frozen=True, slots=True)
class Sight:
    """What the router sees of a WAN: carrier now, and when the last answer to a health check came (None: never)."""

    carrier: bool
    answered_at_s: float


@dataclass(frozen=True, slots=True)
class Health:
    """`good_since_s`: when the present run of answers began, for a WAN that is not up."""

    up: bool = True
    carrier: bool = True
    good_since_s: float | None = None


def step(health: Health, sight: Sight, now: float, timing: Timing) -> Health:
    """The health of a WAN after what is seen of it at `now`."""
    if not sight.carrier:
        return Health(up=False, carrier=False)
    silent_s = now - sight.answered_at_s
    if health.up:
        return Health(up=silent_s < timing.failover_s)
    if silent_s > 3 * timing.check_every_s:
        return Health(up=False)
    good_since_s = now if health.good_since_s is None else health.good_since_s
    if now - good_since_s >= timing.failback_s:
        return Health()
    return replace(health, carrier=True, good_since_s=good_since_s)


def choose(healths: Sequence[Health], active: int) -> int:
    """Place of the WAN that shall carry the traffic; `healths` in the order of preference, `active` the one that does
    now."""
    return next((place for place, health in enumerate(healths) if health.up), active)


def peplink_state(health: Health, *, active: bool) -> PeplinkState:
    if not health.carrier:
        return PeplinkState.DISCONNECTED
    if not health.up:
        return PeplinkState.HEALTH_CHECK_FAIL
    return PeplinkState.CONNECTED if active else PeplinkState.STANDBY
