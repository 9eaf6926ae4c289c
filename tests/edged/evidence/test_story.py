"""One session on one axis, whatever the clocks, the rooms and the ids did."""

from typing import Any

import pytest

from edged.evidence.derived import derived
from edged.evidence.errors import EvidenceBroken
from edged.evidence.reading import Said
from edged.evidence.story import AGAIN_WITHIN_S, LONGEST_AWAY_S, LONGEST_S, story
from tests.edged.evidence.ten_minutes import SESSION
from tests.edged.evidence.test_derived import said_at, seconds_at

Doc = dict[str, Any]
OTHER_BOOT = "00000000-98e6-46f4-aafc-8b5470085929"


def of(*rows: Said) -> Doc:
    return dict(derived(rows, SESSION))


def use(begin_s: float, end_s: float, words: str = "LLLL") -> list[Said]:
    seconds = seconds_at(end_s, [words] * round(end_s - begin_s))
    return [said_at(begin_s, "act.session_opened"), seconds, said_at(end_s, "act.session_closed")]


# ── which tier ─────────────────────────────────────────────────────────────────────────────────────────
def test_t5_is_a_row_of_tier_4() -> None:
    entered = said_at(105.0, "tier.entered", 4, row="t5.contrast_given", cause="all_links_down", cause_at=None)
    found = of(*use(100.0, 110.0)[:1], entered, *use(100.0, 110.0)[1:])
    assert [each["tier"] for each in found["tiers"]] == [4]
    assert {each["tier"] for each in found["timeline"]} == {0, 4}


def test_what_is_told_of_a_room_has_the_tier_of_that_room_and_not_the_highest_of_the_site() -> None:
    calm = said_at(101.0, "tier.entered", 0, row=None)
    marked = said_at(105.0, "act.reaction_marked", 4, act="reaction_marked", subject="m-1")  # 4: next door
    found = of(*use(100.0, 110.0)[:1], calm, marked, *use(100.0, 110.0)[1:])
    assert [each["tier"] for each in found["reactions"]] == [0]
    assert {each["tier"] for each in found["timeline"]} == {0}


# ── which session ──────────────────────────────────────────────────────────────────────────────────────
def test_a_session_closed_by_mistake_and_opened_again_is_one_and_the_time_between_is_unobserved() -> None:
    found = of(*use(100.0, 110.0), *use(120.0, 130.0, "DDDD"))
    assert found["band"]["av"] == "Y" * 10 + "U" * 10 + "N" * 10
    assert found["session"]["closed"]["at_s"] == 30.0
    assert found["session"]["again"] is None


def test_an_id_used_for_another_procedure_is_named_and_the_other_one_is_not_told() -> None:
    later_s = 110.0 + AGAIN_WITHIN_S + 1.0
    found = of(*use(100.0, 110.0), *use(later_s, later_s + 10.0, "DDDD"))
    assert found["band"]["av"] == "Y" * 10
    assert found["session"]["again"]["at_s"] == later_s - 100.0
    assert all(each["at_s"] <= 10.0 for each in found["timeline"])


def test_an_id_used_in_two_rooms_at_once_is_named_too() -> None:
    begin, *rest = use(100.0, 110.0)
    next_door = [
        said_at(101.0, "act.session_opened", room="next door"),
        said_at(105.0, "act.session_closed", room="next door"),
    ]
    found = of(begin, *next_door, *rest)
    assert found["band"]["av"] == "Y" * 10
    assert found["session"]["again"]["at_s"] == 1.0


def test_a_session_whose_beginning_is_lost_is_told_from_the_first_second_that_is_left() -> None:
    """The disk broke in the middle of it, and the record began anew."""
    held = said_at(123.0, "act.held", act="held", reason="line_failed")
    found = of(seconds_at(120.2, ["LLLL"] * 10), held, *use(120.0, 130.0, "LDLL")[1:])
    assert found["band"]["av"] == "Y" * 10 + "N" * 10
    assert len(found["gaps"]) == 1
    assert found["session"]["response"] == {"took_s": None, "class": None, "escalation": None}
    assert "escalation_record" in found["completeness"]["missing"]


def test_a_session_whose_beginning_is_lost_is_never_called_continuous() -> None:
    found = of(seconds_at(120.2, ["LLLL"] * 10), *use(120.0, 130.0)[1:])
    assert found["band"]["av"] == "Y" * 20
    assert found["supervision"]["continuous"] is None


def test_an_act_that_was_refused_days_before_does_not_begin_the_session() -> None:
    early = said_at(100.0, "act.refused", act="session_joined", refused="no_session_is_open", room=None)
    found = of(early, *use(300_000.0, 300_010.0))
    assert found["session"]["opened"]["at_s"] == 0.0
    assert found["session"]["room"] == "room"


# ── which time ─────────────────────────────────────────────────────────────────────────────────────────
def test_a_clock_that_jumps_by_years_while_the_box_is_off_makes_no_session_of_years() -> None:
    begin = said_at(100.0, "act.session_opened")
    end = said_at(20.0, "act.session_closed", boot=OTHER_BOOT, wall_s=1.8e9)
    assert story([begin, end], SESSION).closed_s == LONGEST_AWAY_S


@pytest.mark.parametrize("end_s", [100.0 + LONGEST_S + 1.0, 9.9e14])
def test_a_session_longer_than_any_can_be_is_refused(end_s: float) -> None:
    with pytest.raises(EvidenceBroken, match="more than 31 days"):
        of(said_at(100.0, "act.session_opened"), said_at(end_s, "act.session_closed"))


def test_after_the_clock_was_set_the_time_of_a_gap_is_that_of_the_rows_around_it() -> None:
    """The box believed it was 1970 until the middle of the session."""
    set_ = said_at(110.0, "clock.stepped", wall_s=1.8e9, session=None, room=None, by_s=1.7e9, clockq="synced")
    seconds = seconds_at(140.0, ["LLLL"] * 10 + ["DDDD"] * 10, wall_s=1.8e9 + 30.0)
    closed = said_at(140.0, "act.session_closed", wall_s=1.8e9 + 30.0)
    found = of(said_at(100.0, "act.session_opened"), set_, seconds, closed)
    assert [each["time"] for each in found["gaps"]] == ["2027-01-15T08:00:20.000Z"]
