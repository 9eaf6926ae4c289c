"""One link as the configuration gives it: how it is told from the others, whom to ask over it, how soon to be sure."""

from enum import StrEnum
from math import log
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress, model_validator

from probes.budget import SLOWEST_CALM_S, Budget, Spent
from probes.capacity.settings import CapacitySettings
from probes.detector import SECONDS_A_YEAR, trip_nats
from probes.exit import ExitSettings
from probes.pace import Paces
from probes.prober import Pin, TargetSettings
from probes.recovery import RecoveryRules
from probes.registry import Target
from probes.standby_settings import StandbySettings
from probes.verdict import Rules

# Recovery shows over a longer time on cellular: a bad cell comes back in pieces.
_RECOVERY_WINDOW_S = {"primary": 10.0, "backup": 30.0}
_ALIVE_AFTER, _ALIVE_AFTER_HEAVY = 20, 5  # 0.7 s of three targets on the alert, 2 s of one; 5 s of a slow kind
_WITNESS_INTERVALS = 3
# The joint test and the majority of the targets' own tests may each be wrong.
_TESTS = 2


class Role(StrEnum):
    PRIMARY = "primary"
    BACKUP = "backup"


class LinkSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    role: Role = Role.PRIMARY
    source: IPvAnyAddress | None = None
    """Address of this box that the router sends out by this link."""
    interface: Annotated[str, Field(min_length=1, max_length=15, pattern=r"^[^\s/]+$")] | None = None
    """Interface of this box that is this link."""
    targets: Annotated[tuple[Target, ...], Field(min_length=1, max_length=8)]
    paces: Paces = Paces()
    timeout_s: Annotated[float, Field(ge=0.1, le=5)] = 1.0
    """An answer later than this is lost. What is merely overdue is judged sooner, by what is usual for each target."""
    false_alarms_per_year: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """How often "down" may be wrong."""
    false_degraded_per_year: Annotated[float, Field(gt=0, le=10_000)] = 12.0
    """How often "degraded by loss" may be wrong."""
    monthly_mb: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """On a metered link: what probing it may cost in a calendar month, 10^6 bytes both ways. None: not metered."""
    exit: ExitSettings | None = None
    """Whom to ask by which door the link leaves."""
    capacity: CapacitySettings | None = None
    """The far end that helps to measure its bandwidth."""
    standby: StandbySettings | None = None
    """What proves that it could take over."""
    recovery_window_s: Annotated[float, Field(ge=1, le=600)] | None = None
    """99 % must have been answered for so long; 10 s on a primary link and 30 s on a backup where not given."""
    hold_down_s: Annotated[float, Field(ge=0, le=3600)] = 10.0
    """And then without another outage, doubled with each one up to `hold_down_max_s`."""
    hold_down_max_s: Annotated[float, Field(ge=0, le=86400)] = 600.0
    flap_memory_s: Annotated[float, Field(ge=1, le=604800)] = 1800.0
    """An outage so long after the last one is the first again."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.source is None and self.interface is None:
            raise ValueError(
                f"link {self.name}: give its source address or its interface; "
                "a probe that is not pinned follows the failover and hides a dead link"
            )
        for target in self.targets:
            if self.source is not None and target.address.version != self.source.version:
                raise ValueError(f"link {self.name}: {target.label} cannot be reached from source {self.source}")
        for key, asked in (("exit", self.exit), ("capacity", self.capacity), ("standby", self.standby)):
            if self.source is not None and asked is not None and asked.address.version != self.source.version:
                raise ValueError(
                    f"link {self.name}: {key}.address {asked.address} cannot be reached from source {self.source}"
                )
        labels = [target.label for target in self.targets]
        if twice := {label for label in labels if labels.count(label) > 1}:
            raise ValueError(
                f"link {self.name}: {', '.join(sorted(twice))} given twice; targets must fail independently"
            )
        if self.hold_down_max_s < self.hold_down_s:
            raise ValueError(
                f"link {self.name}: hold_down_max_s {self.hold_down_max_s} is below hold_down_s {self.hold_down_s}"
            )
        return self

    @property
    def pin(self) -> Pin:
        return Pin(self.source, self.interface)

    @property
    def slowest_calm_s(self) -> float:
        """The calm pace at its slowest: a budget that runs out stretches it."""
        return self.paces.calm_s if self.monthly_mb is None else max(self.paces.calm_s, SLOWEST_CALM_S)

    def budget(self, spent: Spent) -> Budget | None:
        """What probing may cost here this month; None where the link is not metered."""
        if self.monthly_mb is None:
            return None
        calm_bps = sum(8 * target.wire_bytes / self._calm_s(target) for target in self.targets)
        most = max(1.0, SLOWEST_CALM_S / self.paces.calm_s)
        return Budget(round(self.monthly_mb * 1e6), calm_bps=calm_bps, most_stretch=most, spent=spent)

    def _calm_s(self, target: TargetSettings) -> float:
        return self.paces.heavy_interval_s(target, suspicious=False) if target.heavy else self.paces.calm_s

    @property
    def probes_per_s(self) -> float:
        """Of those that vote, at their fastest."""
        fast = sum(not target.heavy for target in self.targets)
        heavy = (1 / self.paces.heavy_interval_s(target, suspicious=True) for target in self.targets)
        return fast / self.paces.session_s if fast else sum(heavy)

    @property
    def rules(self) -> Rules:
        """What the detector needs to know of all this."""
        fast = any(not target.heavy for target in self.targets)
        heavy = [target for target in self.targets if target.heavy]
        paces = self.paces
        seldom_s = min((paces.heavy_interval_s(target, suspicious=False) for target in heavy), default=0.0)
        slowest_s = self.slowest_calm_s if fast else seldom_s
        witness_s = max((paces.heavy_interval_s(target, suspicious=True) for target in heavy), default=1.0)
        return Rules(
            trip_nats=trip_nats(self.false_alarms_per_year / _TESTS, self.probes_per_s),
            gray_nats=max(1.0, log(SECONDS_A_YEAR * self.probes_per_s / self.false_degraded_per_year)),
            recovery=RecoveryRules(
                window_s=self.recovery_window_s or _RECOVERY_WINDOW_S[self.role],
                hold_down_s=self.hold_down_s,
                hold_down_max_s=self.hold_down_max_s,
                flap_memory_s=self.flap_memory_s,
                alive_after=_ALIVE_AFTER if fast else _ALIVE_AFTER_HEAVY,
            ),
            witness_for_s=_WITNESS_INTERVALS * witness_s,
            blind_after_s=3 * slowest_s + self.timeout_s + 1,
        )
