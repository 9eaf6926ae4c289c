"""T5: tier 4 while contrast is given, or while the patient is watched after it (rule 15); the script by phase."""

from typing import Any

import pytest

from edged.core.observations import Act
from edged.core.phase import Phase
from edged.core.protocol import ROLES
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room, calm_room

PRE: tuple[Act, ...] = ()
INJECTING = (Act.CONTRAST_STARTED,)
MONITORING = (Act.CONTRAST_STARTED, Act.CONTRAST_ENDED)


def struck(*acts: Act) -> Room:
    """Tier 4 strikes a room in which these were done."""
    room = calm_room()
    for act in acts:
        room.act(act)
    room.phone(False).link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN)
    room.media(audio=False, video=False).wait(5)
    assert room.state.tier == 4
    return room


def tier(room: Room) -> dict[str, Any]:
    found: Any = room.doc()["tier"]
    return dict(found)


def restored(room: Room) -> Room:
    return room.link("fiber").link("cellular").media().phone(True)


@pytest.mark.parametrize(
    ("acts", "phase", "row"),
    [
        (PRE, Phase.PRE, "t4.phone_dead"),
        (INJECTING, Phase.INJECTING, "t5.contrast_given"),
        (MONITORING, Phase.MONITORING, "t5.contrast_given"),
        ((*MONITORING, Act.MONITORING_ENDED), Phase.PRE, "t4.phone_dead"),
    ],
)
def test_t5_rule15_the_response_and_the_script_are_those_of_the_phase(
    acts: tuple[Act, ...], phase: Phase, row: str
) -> None:
    room = struck(*acts)
    entered = room.last("tier.entered").data
    assert (entered["row"], entered["phase"]) == (row, phase.value)
    assert tier(room)["say"] == SITE.protocol.responses[row].say
    assert [step["say"] for step in tier(room)["script"]] == [step.say for step in SITE.protocol.script[phase]]


def test_t5_the_script_says_who_does_what_and_by_when_in_each_phase_before_the_session_is_closed() -> None:
    assert set(SITE.protocol.script) == set(Phase) - {Phase.CLOSED}
    for steps in SITE.protocol.script.values():
        assert all(step.who in ROLES and step.by_s is not None for step in steps)
        assert steps[0].by_s == 0.0


def test_t5_without_tier_4_there_is_no_script() -> None:
    room = calm_room().act(Act.CONTRAST_STARTED).media(audio=False, video=False).wait(10)
    assert (room.state.tier, tier(room)["script"]) == (3, [])


def test_t5_contrast_started_while_tier_4_stands_demands_it_at_once() -> None:
    room = struck().act(Act.CONTRAST_STARTED)
    assert room.room.is_up("t5.contrast_given")
    assert tier(room)["say"] == SITE.protocol.responses["t5.contrast_given"].say


def test_t5_ends_when_on_site_staff_are_there_and_so_does_tier_4() -> None:
    room = struck(*INJECTING).act(Act.ONSITE_PRESENT)
    assert not room.room.is_up("t5.contrast_given")
    assert room.state.tier == 3


def test_t5_ends_with_the_monitoring_window_and_tier_4_does_not() -> None:
    room = struck(*MONITORING).act(Act.MONITORING_ENDED)
    assert not room.room.is_up("t5.contrast_given")
    assert room.state.tier == 4
    assert tier(room)["say"] == SITE.protocol.responses["t4.phone_dead"].say


@pytest.mark.parametrize("acts", [INJECTING, MONITORING])
def test_t5_rule9_lines_that_come_back_do_not_end_it_without_a_word(acts: tuple[Act, ...]) -> None:
    room = restored(struck(*acts)).wait(40)
    assert room.room.is_up("t5.contrast_given")
    room.act(Act.ACKNOWLEDGED)
    assert not room.room.is_up("t5.contrast_given")


def test_t5_the_end_of_the_injection_does_not_end_it() -> None:
    room = struck(*INJECTING).act(Act.CONTRAST_ENDED).wait(2)
    assert room.room.is_up("t5.contrast_given")
    assert [step["say"] for step in tier(room)["script"]] == [s.say for s in SITE.protocol.script[Phase.MONITORING]]


@pytest.mark.parametrize("acts", [INJECTING, MONITORING])
def test_t5_rule15_a_session_closed_by_mistake_and_begun_anew_has_not_ended_what_was_given(
    acts: tuple[Act, ...],
) -> None:
    room = struck(*acts).act(Act.SESSION_CLOSED)
    assert not room.room.is_up("t5.contrast_given")
    room = room.restarted(away_s=3).act(Act.SESSION_OPENED, "s-1")
    assert room.room.is_up("t5.contrast_given")
    assert not room.act(Act.SESSION_CLOSED).act(Act.SESSION_OPENED, "s-2").room.is_up("t5.contrast_given")


def test_t5_rule8_it_outlives_a_restart() -> None:
    after = struck(*INJECTING).restarted(away_s=30)
    assert after.room.is_up("t5.contrast_given")
    assert (tier(after)["tier"], bool(tier(after)["script"])) == (4, True)
