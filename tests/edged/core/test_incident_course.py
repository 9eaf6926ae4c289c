"""Whatever happens in a night: every symptom has one incident, every number is opened once and closed once."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from edged.core.checkpoint import Moment, dump, load
from edged.core.conditions import BY_NAME, Severity
from edged.core.observations import Act
from probes.reading import Verdict
from tests.edged.core.room import Room, calm_room
from ups.reading import Power

VERDICTS = st.sampled_from([Verdict.UP, Verdict.DEGRADED, Verdict.DOWN])
HAPPENINGS = st.one_of(
    st.tuples(st.just("link"), st.sampled_from(["fiber", "cellular"]), VERDICTS),
    st.tuples(st.just("ups"), st.sampled_from(["network", "workstation"]), st.sampled_from(list(Power))),
    st.tuples(st.just("phone"), st.booleans()),
    st.tuples(st.just("router"), st.sampled_from(["0", "1", None])),
    st.tuples(st.just("act"), st.sampled_from([Act.CONTINUITY_CONFIRMED, Act.ACKNOWLEDGED, Act.DRILL_STARTED])),
    st.tuples(st.just("media"), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 5.0, 70.0])),
    st.tuples(st.just("restart")),
)


def happen(room: Room, what: str, *how: object) -> Room:
    if what == "restart":
        room.state = load(dump(room.state, Moment("b", room.now, 0.0)), Moment("b", room.now, 0.0))
    elif what == "media":
        room.media(audio=True, video=bool(how[0]))
    else:
        getattr(room, what)(*how)
    return room.wait(0.5)


def calling(room: Room) -> set[tuple[str, str]]:
    """Conditions that call for a response, and rows that are up."""
    conditions = {
        key
        for key, latch in room.state.conditions.items()
        if latch.raised and BY_NAME[key[0]].severity is not Severity.INFO and not key[0].startswith("alarms.")
    }
    return conditions | {(row, "room") for row, latch in room.room.tiers.items() if latch.raised}


@settings(max_examples=25, deadline=None)
@given(st.lists(HAPPENINGS, max_size=12))
def test_every_symptom_has_one_incident_and_every_number_one_course(night: list[tuple[str]]) -> None:
    room = calm_room()
    for each in night:
        happen(room, *each)
        standing = [key for incident in room.state.incidents.open for key in incident.standing]
        assert Counter(standing) == Counter(calling(room))
        shown = [line.split() for incident in room.state.incidents.open for line in incident.symptoms]
        assert {tuple(line) for line in shown} >= set(standing)
    opened = [event.data["number"] for event in room.events if event.name == "incident.opened"]
    closed = [event.data["number"] for event in room.events if event.name == "incident.closed"]
    assert opened == list(range(1, len(opened) + 1))
    assert Counter(closed) + Counter(each.number for each in room.state.incidents.open) == Counter(opened)
    tiers = [event for event in room.events if event.name == "tier.entered"]
    assert all(event.data.get("incident") in opened for event in tiers)


@settings(max_examples=15, deadline=None)
@given(st.lists(HAPPENINGS, max_size=10))
def test_every_alarm_that_stands_is_counted_in_one_line(night: list[tuple[str]]) -> None:
    room = calm_room()
    for each in night:
        happen(room, *each)
        lines: list[dict[str, int]] = list(room.doc()["alarms"])  # type: ignore[call-overload]
        assert sum(1 + line["symptoms"] for line in lines) == len(room.state.alarms.standing)
        assert {key for key in calling(room) if key[0] in BY_NAME} <= room.state.alarms.standing.keys()
    raised = [event.data["alarm"] for event in room.events if event.name == "alarm.raised"]
    cleared = [event.data["alarm"] for event in room.events if event.name == "alarm.cleared"]
    assert not Counter(cleared) - Counter(raised), "only what was announced is told to be over"
