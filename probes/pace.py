"""How often a link is asked. Calm when nothing is at stake, alert on suspicion, session while somebody depends on the
link; and in any of them, quicker still while a run of misses is under way, which is over in a fraction of a second.
"""

from enum import StrEnum
from typing import Annotated, Self, assert_never

from pydantic import BaseModel, ConfigDict, Field, model_validator

from probes.prober import TargetSettings


class Pace(StrEnum):
    CALM = "calm"
    ALERT = "alert"
    SESSION = "session"


class Paces(BaseModel):
    """Seconds between two probes of one target. Three targets at 50 ms are 35 kbit/s each way, at 20 ms 86 kbit/s."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calm_s: Annotated[float, Field(ge=0.05, le=60)] = 0.5
    alert_s: Annotated[float, Field(ge=0.02, le=10)] = 0.1
    session_s: Annotated[float, Field(ge=0.01, le=1)] = 0.05
    suspect_s: Annotated[float, Field(ge=0.01, le=1)] = 0.02
    """While a run of misses is under way: a cut is sure after some 15 misses, so asking faster is knowing sooner."""

    @model_validator(mode="after")
    def _quicken(self) -> Self:
        if not self.session_s <= self.alert_s <= self.calm_s:
            given = f"{self.calm_s}, {self.alert_s}, {self.session_s} s"
            raise ValueError(f"paces must quicken from calm to alert to session, not {given}")
        return self

    def interval_s(self, pace: Pace, *, in_doubt: bool = False) -> float:
        """`in_doubt`: a run of misses is under way."""
        usual_s = self._usual_s(pace)
        return min(usual_s, self.suspect_s) if in_doubt else usual_s

    def _usual_s(self, pace: Pace) -> float:
        match pace:
            case Pace.CALM:
                return self.calm_s
            case Pace.ALERT:
                return self.alert_s
            case Pace.SESSION:
                return self.session_s
            case _:
                assert_never(pace)

    def heavy_interval_s(self, target: TargetSettings, *, suspicious: bool) -> float:
        """For kinds that cost the far side more than a packet: slow, and only quicker to settle a suspicion."""
        if suspicious:
            return max(target.heavy_alert_s, self.alert_s)
        return max(target.heavy_calm_s, self.calm_s)


class PaceControl:
    """The daemon's hand on one link: whether somebody depends on it now. Takes effect with the next probe."""

    def __init__(self, *, session: bool = False) -> None:
        self.session = session

    def pace(self, *, suspicious: bool) -> Pace:
        if self.session:
            return Pace.SESSION
        return Pace.ALERT if suspicious else Pace.CALM
