"""Is a link that carries nothing fit to carry a session? Judged from what was found out, and when. Pure.

Fit means proven, all of it, and not too long ago. What was never found out makes the answer "not known", until it is
overdue: then the link is unfit, for nobody may rely on it. Parts are of different age: packets are cheap and proven
often, a capacity sample is dear and proven seldom.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto

from probes.line_reading import CapacityReading, MeasureFailed, StandbyReading
from probes.reading import Direction
from probes.standby_settings import StandbySettings

_RETRY_FIRST_S, _SILENT_MOST_S = 30.0, 900.0  # a try at a dead link costs 0.6 kB, a proof of a poor one up to 8 kB
_SAMPLE_RETRY_FIRST_S = 1800.0  # may cost a megabyte each


class Mark(Enum):
    """What became of the code point of real-time media."""

    UNKNOWN = auto()  # the reflector does not say
    KEPT = auto()
    CHANGED = auto()  # on the way out or on the way back
    DROPPED = auto()  # packets that carry it do not arrive, others do


@dataclass(frozen=True, slots=True)
class PathProof:
    """What packets found out, once."""

    at_s: float
    mtu_bytes: int | None
    """None: the reflector answers with less than it gets, which proves no size."""
    mark: Mark
    dscp_arrived: int | None


@dataclass(frozen=True, slots=True)
class Proofs:
    """All that is held of one link."""

    began_s: float
    path: PathProof | None = None
    silent: int = 0
    """How many times running nobody answered."""
    poor: int = 0
    """How many proofs running found something lacking."""
    up: CapacityReading | None = None
    down: CapacityReading | None = None
    sampled_s: float | None = None
    """When sampling was last tried, with or without success."""
    sample_fails: int = 0
    """How many samples running failed, or fell short."""


@dataclass(frozen=True, slots=True)
class Fitness:
    fit: bool | None
    lacks: tuple[str, ...]
    proven_s: float | None
    """When the oldest needed part was found out; None while one never was."""


def fitness(settings: StandbySettings, proofs: Proofs, now_s: float, *, sampling: bool) -> Fitness:
    """What the link lacks now, most important first. `sampling`: whether capacity is measured at all."""
    path = proofs.path
    times_s = [None if path is None else path.at_s]
    lacks = ["no_answer"] if proofs.silent else []
    if path is not None:
        lacks += ["mtu"] if path.mtu_bytes is not None and path.mtu_bytes < settings.mtu_bytes else []
        lacks += ["dscp"] if settings.dscp_needed and path.mark in (Mark.CHANGED, Mark.DROPPED) else []
    for code, need_mbit, sample in _needs(settings, proofs) if sampling else ():
        lacks += [code] if sample is not None and sample.rate_bps < need_mbit * 1e6 else []
        times_s.append(None if sample is None else sample.at_s)
    if now_s >= stale_at_s(settings, proofs, sampling=sampling):
        lacks.append("stale")
    known = [at_s for at_s in times_s if at_s is not None]
    unknown = len(known) < len(times_s) or (path is not None and path.mtu_bytes is None)
    fit = False if lacks else None if unknown else True
    return Fitness(fit, tuple(lacks), min(known) if len(known) == len(times_s) else None)


def stale_at_s(settings: StandbySettings, proofs: Proofs, *, sampling: bool) -> float:
    """When the first part of the proof will be too old, or was."""
    began_s = proofs.began_s
    path_s = (began_s if proofs.path is None else proofs.path.at_s) + settings.max_age_s
    samples = [sample for _, _, sample in _needs(settings, proofs)] if sampling else []
    return min([path_s, *((began_s if s is None else s.at_s) + settings.sample_max_age_s for s in samples)])


def path_due_s(settings: StandbySettings, proofs: Proofs, last_s: float, luck: float) -> float:
    """When packets are to be sent again; `last_s`: when that was last tried, `luck`: evenly from 0 to 1.

    What failed or was poor is looked at sooner, ever later, never later than the ordinary.
    """
    wait_s = settings.every_s
    if proofs.silent:
        wait_s = min(wait_s, _retry_s(proofs.silent, _SILENT_MOST_S, luck))
    elif proofs.poor:
        wait_s = _retry_s(proofs.poor, wait_s, luck)
    return last_s + wait_s


def sample_due_s(settings: StandbySettings, proofs: Proofs, luck: float) -> float:
    """Likewise for the capacity sample."""
    if proofs.sampled_s is None:
        return proofs.began_s
    wait_s = settings.sample_every_s
    if proofs.sample_fails:
        wait_s = _retry_s(proofs.sample_fails, wait_s, luck, _SAMPLE_RETRY_FIRST_S)
    return proofs.sampled_s + wait_s


def proven(settings: StandbySettings, proofs: Proofs, path: PathProof) -> Proofs:
    """After packets were answered."""
    proofs = replace(proofs, path=path, silent=0)
    lacks = fitness(settings, proofs, path.at_s, sampling=False).lacks
    return replace(proofs, poor=proofs.poor + 1 if lacks else 0)


def unanswered(proofs: Proofs) -> Proofs:
    """After they were not: what was proven before stays as it was, and grows old."""
    return replace(proofs, silent=proofs.silent + 1)


def sampled(
    settings: StandbySettings, proofs: Proofs, found: tuple[CapacityReading | MeasureFailed, ...], now_s: float
) -> Proofs:
    """After a capacity sample. A direction that failed keeps its older figure, which grows old."""
    for figure in found:
        match figure:
            case CapacityReading(direction=Direction.UP):
                proofs = replace(proofs, up=figure)
            case CapacityReading(direction=Direction.DOWN):
                proofs = replace(proofs, down=figure)
            case MeasureFailed():
                pass
    needs = list(_needs(settings, proofs))
    new = all(any(figure is sample for figure in found) for _, _, sample in needs)
    enough = all(sample is not None and sample.rate_bps >= need * 1e6 for _, need, sample in needs)
    return replace(proofs, sampled_s=now_s, sample_fails=0 if new and enough else proofs.sample_fails + 1)


def reading_of(link: str, settings: StandbySettings, proofs: Proofs, now_s: float, *, sampling: bool) -> StandbyReading:
    judged, path = fitness(settings, proofs, now_s, sampling=sampling), proofs.path
    return StandbyReading(
        link=link,
        at_s=now_s,
        mtu_bytes=path.mtu_bytes if path else None,
        dscp_sent=settings.dscp if path else None,
        dscp_arrived=path.dscp_arrived if path else None,
        up_bps=proofs.up.rate_bps if proofs.up else None,
        down_bps=proofs.down.rate_bps if proofs.down else None,
        proven_s=judged.proven_s,
        fit=judged.fit,
        lacks=judged.lacks,
    )


def _needs(settings: StandbySettings, proofs: Proofs) -> list[tuple[str, float, CapacityReading | None]]:
    """Code, need in Mbit/s and newest figure of each direction that is needed."""
    both = (("up_rate", settings.need_up_mbit, proofs.up), ("down_rate", settings.need_down_mbit, proofs.down))
    return [(code, need_mbit, sample) for code, need_mbit, sample in both if need_mbit is not None]


def _retry_s(times: int, most_s: float, luck: float, first_s: float = _RETRY_FIRST_S) -> float:
    """Doubling from `first_s` up to `most_s`, and three quarters to all of that: boxes are not to march in step."""
    return min(most_s, first_s * 2.0 ** min(times - 1, 20)) * (0.75 + luck / 4)
