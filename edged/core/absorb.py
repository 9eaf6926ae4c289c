"""Taking in one observation: the state that follows from it, and what is worth recording about it on its own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar, assert_never

from edged.core import errands, line
from edged.core.acts import act
from edged.core.effects import Run
from edged.core.events import Channel, Event, Json
from edged.core.observations import (
    AccessRefused,
    Asked,
    CertificateReading,
    ClockReading,
    ClockStepped,
    Commanded,
    DaemonPhase,
    LedgerSealed,
    Observation,
    PersonActed,
    PlatformSaid,
    RecordReading,
    SourceFailed,
    Tick,
    UplinkReading,
)
from edged.core.plan import LinkRole, Plan
from edged.core.state import Failover, LinkState, State
from probes.line_reading import (
    CapacityReading,
    ExitReading,
    LineReading,
    MeasureFailed,
    PathReading,
    StandbyReading,
)
from probes.reading import LinkReading, MediaReading, MobileReading, PhoneReading
from qos.reading import ShaperReading
from ups.reading import UpsReading
from wan.reading import ActiveWanChanged, RouterReading

Absorbed = tuple[State, tuple[Event, ...]]
K = TypeVar("K")
V = TypeVar("V")


def absorb(plan: Plan, state: State, observation: Observation, now: float) -> Absorbed:  # noqa: C901  one arm a kind
    """The state with `observation` in it. Pure; nothing is judged here."""
    match observation:
        case Tick():
            return state, ()
        case DaemonPhase():
            return replace(state, daemon=observation), (_phase(state, observation, now),)
        case LedgerSealed():
            return state, (_sealed(state, observation, now),)
        case LinkReading() | MediaReading() | PhoneReading() | MobileReading() | UpsReading() | ShaperReading():
            return _kept(plan, state, observation, now), ()
        case PlatformSaid():
            return _platform(plan, state, observation), ()
        case RouterReading():
            return _router(plan, _seen(replace(state, router=observation), "router", now), observation.active, now)
        case ActiveWanChanged():
            return _router(plan, state, observation.active, now)
        case UplinkReading():
            return replace(state, uplink=observation), ()
        case RecordReading():
            return _record(state, observation, now)
        case ClockReading():
            return _clock(state, observation, now)
        case ClockStepped():
            by: dict[str, Json] = {"by_s": round(observation.by_s, 3), "clockq": observation.quality}
            return state, (log(state, "clock.stepped", now, by),)
        case CertificateReading():
            return replace(state, certificates=_put(state.certificates, observation.which, observation)), ()
        case Commanded():
            return state, (_commanded(state, observation, now),)
        case PersonActed():
            return act(plan, state, observation, now)
        case Asked():
            return _asked(plan, state, observation, now)
        case CapacityReading() | MeasureFailed() | ExitReading() | StandbyReading() | PathReading():
            return _line(state, observation, now)
        case AccessRefused():
            refused = {"actor": observation.actor, "role": observation.role, "asked": observation.asked}
            return state, (log(state, "access.refused", now, refused),)
        case SourceFailed():
            return state, _source_failed(state, observation, now)
        case _:
            assert_never(observation)


Reading = LinkReading | MediaReading | PhoneReading | MobileReading | UpsReading | ShaperReading


def _kept(plan: Plan, state: State, reading: Reading, now: float) -> State:
    """The newest reading of an instrument, and that it told something."""
    match reading:
        case LinkReading():
            return _seen(_link(plan, state, reading), f"link:{reading.link}", now)
        case MediaReading():
            return _seen(_media(plan, state, reading), "media", now)
        case PhoneReading():
            its = f"phone:{reading.room}" if reading.room else "phone"
            return _seen(replace(state, phones=_put(state.phones, reading.room, reading)), its, now)
        case MobileReading():
            return _seen(replace(state, mobile=reading), "mobile", now)
        case UpsReading():
            return _seen(replace(state, ups=_put(state.ups, reading.ups, reading)), f"ups:{reading.ups}", now)
        case ShaperReading():
            shapers = _put(state.shapers, reading.interface, reading)
            return _seen(replace(state, shapers=shapers), f"qos:{reading.interface}", now)
        case _:
            assert_never(reading)


def log(state: State, name: str, now: float, data: Mapping[str, Json]) -> Event:
    """An event of the log channel, under the tier in force."""
    return Event(Channel.LOG, name, state.tier, now, data)


def _phase(state: State, told: DaemonPhase, now: float) -> Event:
    return log(state, f"daemon.{told.phase}", now, {**_made_by(told), "record": told.record})


def _made_by(told: DaemonPhase) -> dict[str, Json]:
    """What the record is made by and under, as far as it was told."""
    version, _, protocol_hash = told.protocol.partition(" ")
    words: dict[str, Json] = {"version": told.version, "config_hash": told.config_hash}
    return {**words, "protocol": version or None, "protocol_hash": protocol_hash or None}


def _sealed(state: State, seal: LedgerSealed, now: float) -> Event:
    data: dict[str, Json] = {"stream": seal.stream, "at": seal.sequence, "row_hash": seal.row_hash, "key": seal.key}
    made_by = _made_by(state.daemon) if state.daemon else {}
    told = {**data, "public_key": seal.public_key, "signature": seal.signature, **made_by}
    return log(state, "ledger.checkpoint", now, told)


def _media(plan: Plan, state: State, reading: MediaReading) -> State:
    name = reading.room or plan.rooms[0]
    return state.with_room(name, replace(state.room(name), media=reading)) if name in plan.rooms else state


def _platform(plan: Plan, state: State, said: PlatformSaid) -> State:
    name = said.room or plan.rooms[0]
    return state.with_room(name, replace(state.room(name), platform=said)) if name in plan.rooms else state


def _source_failed(state: State, told: SourceFailed, now: float) -> tuple[Event, ...]:
    """The first failure of a row, then ever fewer: one that fails for ever must not fill the record."""
    if told.failures not in (1, 10, 100, 1000):
        return ()
    data: dict[str, Json] = {"source": told.source, "error": told.error, "failures": told.failures}
    return (log(state, "source.failed", now, data),)


def _record(state: State, reading: RecordReading, now: float) -> Absorbed:
    folded = reading.coalesced - (state.record.coalesced if state.record else 0)
    events = (log(state, "record.coalesced", now, {"events": folded}),) if folded > 0 else ()
    return replace(state, record=reading), events


def _clock(state: State, reading: ClockReading, now: float) -> Absorbed:
    was = state.clock.leap if state.clock else "none"
    announced = reading.leap not in ("none", was)
    events = (log(state, "clock.leap_announced", now, {"leap": reading.leap}),) if announced else ()
    return replace(state, clock=reading), events


def _commanded(state: State, done: Commanded, now: float) -> Event:
    data: dict[str, Json] = {"id": done.id, "command": done.command, "key": done.key, "role": done.role}
    if done.refused is not None:
        return log(state, "command.refused", now, {**data, "refused": done.refused, "count": done.count})
    return log(state, "command.done", now, {**data, "repeated": done.repeated})


def _seen(state: State, source: str, now: float) -> State:
    return replace(state, seen_s=_put(state.seen_s, source, now))


def _put(mapping: Mapping[K, V], key: K, value: V) -> dict[K, V]:
    return {**mapping, key: value}


def _link(plan: Plan, state: State, reading: LinkReading) -> State:
    known = state.links.get(reading.link)
    rtts_s = known.rtts_s if known else ()
    if not reading.changed and reading.rtt_s is not None:  # rule 3 counts the one-second summaries only
        rtts_s = (*rtts_s, reading.rtt_s)[-plan.thresholds.spike_window :]
    return replace(state, links=_put(state.links, reading.link, LinkState(reading, rtts_s)))


def _router(plan: Plan, state: State, active: str | None, now: float) -> Absorbed:
    """Failover and failback are seen by comparing with what carried last, so one during our own restart counts too."""
    link = plan.link_of_wan(active)
    if link is None or link == state.carrier:
        return state, ()
    moved = replace(state, carrier=link)
    if state.carrier is None:
        return moved, ()
    name = "wan.failback" if plan.link(link).role is LinkRole.PRIMARY else "wan.failover"
    event = log(state, name, now, {"previous": state.carrier, "active": link})
    made = state.drill is not None and not state.drill.real
    return replace(moved, failover=Failover(now, state.carrier, link, drill=made)), (event,)


def _line(state: State, reading: LineReading, now: float) -> Absorbed:
    before = state.lines.get(reading.link, line.NOTHING)
    told = line.worth_recording(before, reading)
    lines = line.with_doors(_put(state.lines, reading.link, line.learn(before, reading)))
    learnt = replace(state, lines=lines)
    return learnt, (log(state, told[0], now, told[1]),) if told else ()


def _asked(plan: Plan, state: State, asked: Asked, now: float) -> Absorbed:
    data: dict[str, Json] = {"errand": asked.errand.value, "at": asked.link, "actor": asked.actor, "role": asked.role}
    refused = errands.refusal(plan, state, asked.errand, asked.link)
    if refused:
        return state, (log(state, "errand.refused", now, {**data, "refused": refused}),)
    wanted = replace(state, wanted=(*state.wanted, Run(asked.errand, asked.link)))
    return wanted, (log(state, "errand.accepted", now, data),)
