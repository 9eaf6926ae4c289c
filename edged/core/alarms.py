"""Alarms as people meet them: one alarm is one required response.

Escalation is never damped: what calls for a more urgent response is announced at once. Recovery and repetition are: an
alarm stays for a hold once its condition is gone, and the hold grows each time it comes back. Shelving hides a line;
it touches no tier, no readiness and nothing that is recorded.
"""

from collections.abc import Iterable
from dataclasses import replace

from edged.core.alarm_lines import Line, lines, severity
from edged.core.alarm_state import (
    DAY_S,
    FLAPPING_WITHIN_S,
    Alarm,
    Alarms,
    Flaps,
    Key,
    RaisedInHour,
    is_flapping,
)
from edged.core.conditions import BY_NAME, Severity
from edged.core.events import Channel, Event, Json
from edged.core.observations import Act
from edged.core.plan import Plan
from edged.core.state import State

FIRST_HOLD_S = 10.0
LONGEST_HOLD_S = 600.0
"""The hold doubles from the one to the other as an alarm comes back; ten minutes without it, and all is forgotten."""
LED_FOR_S = 60.0
"""A symptom that outlives its cause is announced after so long: most are about to go too."""
_HOUR_S = 3600.0
_MOST_RAISES = 10


def attend(
    plan: Plan, before: State, state: State, events: tuple[Event, ...], now: float
) -> tuple[State, tuple[Event, ...]]:
    """The alarms after this step, and what is to be told of them."""
    up = {key: latch.raised_s for key, latch in state.conditions.items() if latch.raised_s is not None and _calls(key)}
    was = state.alarms
    if not (up or was.standing or was.flaps or was.shelves_s):
        return state, ()
    alarms, gone = _stepped(was, up, now)
    alarms, unshelved = _acted(alarms, events, now)
    found = lines(plan, state, alarms.standing)
    alarms, raised = _announced(_led(alarms, found, now), found, now)
    alarms, flapping = _noticed(alarms, found, now)
    state = replace(state, alarms=alarms)
    told = [
        *(
            _told(state, "raised", line.key, now, {"severity": severity(line.key).value, **_of(line)})
            for line in raised
        ),
        *(_told(state, "cleared", key, now, _cleared(state, key, alarm)) for key, alarm in gone if alarm.told),
        *(_told(state, "unshelved", key, now, {"why": why}) for key, why in unshelved),
        *(_told(state, "flapping", line.key, now, {"raises": raises, **_of(line)}) for line, raises in flapping),
    ]
    return state, tuple(told)


def _calls(key: Key) -> bool:
    """Whether the condition calls for a response."""
    return key[0] in BY_NAME and BY_NAME[key[0]].severity is not Severity.INFO


# ── which there are ────────────────────────────────────────────────────────────────────────────────────
def _stepped(was: Alarms, up: dict[Key, float], now: float) -> tuple[Alarms, list[tuple[Key, Alarm]]]:
    """The alarms that stand, and those that are over."""
    flaps = {
        key: held
        for key, held in was.flaps.items()
        if key in was.standing or now - held.raises_s[-1] <= FLAPPING_WITHIN_S
    }
    standing: dict[Key, Alarm] = {}
    gone = []
    for key, alarm in was.standing.items():
        quiet_s = None if key in up else now if alarm.quiet_s is None else alarm.quiet_s
        if alarm.quiet_s is not None and quiet_s is None:
            flaps[key] = _again(flaps.get(key), now)
        if quiet_s is not None and now - quiet_s >= (flaps[key].hold_s if key in flaps else FIRST_HOLD_S):
            gone.append((key, replace(alarm, quiet_s=quiet_s)))
        else:
            standing[key] = alarm if quiet_s == alarm.quiet_s else replace(alarm, quiet_s=quiet_s)
    for key in sorted(up.keys() - was.standing.keys()):
        standing[key] = Alarm(up[key])
        flaps[key] = _again(flaps.get(key), now)
    return replace(was, standing=standing, flaps=flaps), gone


def _again(held: Flaps | None, now: float) -> Flaps:
    if held is None:
        return Flaps((now,), FIRST_HOLD_S)
    return replace(held, raises_s=(*held.raises_s, now)[-_MOST_RAISES:], hold_s=min(2 * held.hold_s, LONGEST_HOLD_S))


# ── what people do about them ──────────────────────────────────────────────────────────────────────────
def _acted(alarms: Alarms, events: Iterable[Event], now: float) -> tuple[Alarms, list[tuple[Key, str]]]:
    """Acknowledged, shelved, brought back; and what comes back by itself because its time is over."""
    back = [(key, "time") for key, until_s in sorted(alarms.shelves_s.items()) if now >= until_s]
    alarms = _without(alarms, (key for key, _ in back))
    for event in events:
        name, _, at = str(event.data.get("subject") or "").partition(" ")
        key, for_s = (name, at), event.data.get("for_s")
        if event.name == f"act.{Act.ACKNOWLEDGED}":
            alarms = _acknowledged(alarms, key if name else None)
        elif event.name == f"act.{Act.SHELVED}" and isinstance(for_s, (int, float)):
            alarms = replace(alarms, shelves_s={**alarms.shelves_s, key: now + for_s})
        elif event.name == f"act.{Act.UNSHELVED}" and key in alarms.shelves_s:
            back.append((key, "asked"))
            alarms = _without(alarms, [key])
    return alarms, back


def _without(alarms: Alarms, keys: Iterable[Key]) -> Alarms:
    over = set(keys)
    kept = {key: until_s for key, until_s in alarms.shelves_s.items() if key not in over}
    return replace(alarms, shelves_s=kept) if over else alarms


def _acknowledged(alarms: Alarms, only: Key | None) -> Alarms:
    """Without a subject, all that stand now."""
    known = {
        key: replace(alarm, acknowledged=True) if only in (None, key) else alarm
        for key, alarm in alarms.standing.items()
    }
    return replace(alarms, standing=known)


# ── what is announced ──────────────────────────────────────────────────────────────────────────────────
def _led(alarms: Alarms, found: list[Line], now: float) -> Alarms:
    """Since when each alarm leads its line."""
    leaders = {line.key for line in found}
    led = {
        key: alarm
        if (alarm.leads_s is not None) == (key in leaders)
        else replace(alarm, leads_s=now if key in leaders else None)
        for key, alarm in alarms.standing.items()
    }
    return replace(alarms, standing=led)


def _announced(alarms: Alarms, found: list[Line], now: float) -> tuple[Alarms, list[Line]]:
    fresh = [line for line in found if _is_news(alarms, line, now)]
    if not fresh:
        return alarms, []
    told = {line.key: replace(alarms.standing[line.key], told=True) for line in fresh}
    alarms = replace(alarms, standing={**alarms.standing, **told})
    for line in fresh:
        alarms = replace(alarms, hours=_counted(alarms.hours, line.key[0], now))
    return alarms, fresh


def _is_news(alarms: Alarms, line: Line, now: float) -> bool:
    alarm = alarms.standing[line.key]
    if alarm.told or alarm.quiet_s is not None or line.suppressed or line.key in alarms.shelves_s:
        return False
    return line.for_cause or (alarm.leads_s is not None and now - alarm.leads_s >= LED_FOR_S)


def _counted(hours: tuple[RaisedInHour, ...], name: str, now: float) -> tuple[RaisedInHour, ...]:
    kept = tuple(hour for hour in hours if now - hour.began_s < DAY_S)
    if not kept or now - kept[-1].began_s >= _HOUR_S:
        return (*kept, RaisedInHour(now, {name: 1}))
    counts = kept[-1].counts
    return (*kept[:-1], replace(kept[-1], counts={**counts, name: counts.get(name, 0) + 1}))


def _noticed(alarms: Alarms, found: list[Line], now: float) -> tuple[Alarms, list[tuple[Line, int]]]:
    """What has begun to flap, among what people see; told once, until it has rested."""
    noticed = []
    for line in found:
        held = alarms.flaps.get(line.key)
        if held is None or held.told or line.suppressed or line.key in alarms.shelves_s or not is_flapping(held, now):
            continue
        noticed.append((line, len(held.raises_s)))
        alarms = replace(alarms, flaps={**alarms.flaps, line.key: replace(held, told=True)})
    return alarms, noticed


# ── the events ─────────────────────────────────────────────────────────────────────────────────────────
def _told(state: State, word: str, key: Key, now: float, data: dict[str, Json]) -> Event:
    return Event(Channel.LOG, f"alarm.{word}", state.tier, now, {"alarm": " ".join(key), **data})


def _of(line: Line) -> dict[str, Json]:
    return {} if line.incident is None else {"incident": line.incident}


def _cleared(state: State, key: Key, alarm: Alarm) -> dict[str, Json]:
    """It lasted until its condition went, not until its hold was over."""
    incident = state.incidents.of(*key)
    its: dict[str, Json] = {} if incident is None else {"incident": incident.number}
    over_s = alarm.raised_s if alarm.quiet_s is None else alarm.quiet_s
    return {"lasted_s": round(over_s - alarm.raised_s, 3), **its}
