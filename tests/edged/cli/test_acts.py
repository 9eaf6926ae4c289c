"""Each act is one short command, one line of answer, and one event with role, time and coded reason."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edged.cli.edgectl import app
from edged.cli.options import Reason as CliReason
from edged.core.observations import Act, Reason
from probes.reading import Verdict
from tests.edged.cli.site_desk import Ctl, site
from tests.edged.core.room import SITE, Room, calm_room

TWO = replace(SITE, rooms=("ct-1", "mr-2"))


@pytest.fixture
def ctl(tmp_path: Path) -> Iterator[Ctl]:
    with site(calm_room(), tmp_path) as found:
        yield found


# ── every act has its command ──────────────────────────────────────────────────────────────────────────
ONE_BY_ONE: list[tuple[str, Act]] = [
    ("session close", Act.SESSION_CLOSED),
    ("session request s-2", Act.SESSION_REQUESTED),
    ("session join", Act.SESSION_JOINED),
    ("escalate", Act.ESCALATED),
    ("contrast start", Act.CONTRAST_STARTED),
    ("contrast end", Act.CONTRAST_ENDED),
    ("monitoring end", Act.MONITORING_ENDED),
    ("continuity", Act.CONTINUITY_CONFIRMED),
    ("phone confirm", Act.PHONE_CONFIRMED),
    ("phone failed", Act.PHONE_FAILED),
    ("mobile up", Act.MOBILE_UP),
    ("onsite", Act.ONSITE_PRESENT),
    ("ack", Act.ACKNOWLEDGED),
    ("hold --reason degraded", Act.HELD),
    ("halt --reason line_failed", Act.HALTED),
    ("reschedule --reason coverage", Act.RESCHEDULED),
    ("reaction rx-0042", Act.REACTION_MARKED),
    ("session close --session s-2", Act.SESSION_CLOSED),
    ("session open s-3", Act.SESSION_OPENED),
    ("drill start", Act.DRILL_STARTED),
    ("drill abort", Act.DRILL_ABORTED),
    ("drill end", Act.DRILL_ENDED),
]


def test_h3_a_day_in_the_room_each_act_recorded_with_role_and_reason(ctl: Ctl) -> None:
    for words, act in ONE_BY_ONE:
        code, said = ctl(*words.split())
        if act is Act.DRILL_ENDED:  # it is over already: the primary line never went away
            assert (code, "no drill is on" in said) == (1, True)
            continue
        assert (code, said.count("\n")) == (0, 1), (words, said)
        assert said.startswith("recorded: "), (words, said)
        told = ctl.acts()[-1]
        assert (told["act"], told["role"]) == (act.value, "admin"), words
        ctl.room.wait(1)
    assert ctl.acts()[13]["reason"] == "degraded"


def test_every_act_there_is_can_be_typed() -> None:
    assert {act for _, act in ONE_BY_ONE} == set(Act) - {Act.SHELVED, Act.UNSHELVED}  # they have their own test


def test_e7_the_reasons_are_those_of_the_judge_but_the_nocs() -> None:
    assert set(CliReason) == {reason.value for reason in Reason} - {Reason.NOC_COMMAND.value}


@pytest.mark.parametrize("words", ["hold", "halt", "reschedule", "shelve x --for 5m"])
def test_e6_what_is_counted_by_its_reason_must_give_one(ctl: Ctl, words: str) -> None:
    code, said = ctl(*words.split())
    assert (code, "--reason" in said, ctl.acts()) == (2, True, [])


@pytest.mark.parametrize("command", ["continuity", "phone confirm", "onsite", "ack"])
def test_the_older_spelling_says_the_same(ctl: Ctl, command: str) -> None:
    ctl(*command.split())
    ctl("confirm", command.split()[0])
    first, second = ctl.acts()
    assert first == second


# ── the answer ─────────────────────────────────────────────────────────────────────────────────────────
def test_the_answer_says_what_is_to_be_done_next(tmp_path: Path) -> None:
    room = calm_room().media(audio=False, video=False).wait(13)
    with site(room, tmp_path) as ctl:
        _, said = ctl("ack", "--reason", "line_failed")
    assert said.startswith("recorded: acknowledged in room, session s-1 (line_failed) at ")
    assert "; tier is 3. Hold contrast and call the radiologist on the direct phone" in said
    assert said.rstrip().endswith("s left)")


def test_the_answer_names_the_alarm_it_is_about(tmp_path: Path) -> None:
    with site(calm_room().link("cellular", Verdict.DOWN).wait(3), tmp_path) as ctl:
        _, said = ctl("ack", "link.down cellular")
    assert said.startswith("recorded: acknowledged link.down cellular (procedure) at ")


def test_e2_a_late_answer_is_followed_by_the_wish_for_its_record(tmp_path: Path) -> None:
    room = calm_room(session=False).act(Act.SESSION_REQUESTED, "s-2").wait(75)
    with site(room, tmp_path) as ctl:
        assert "edgectl escalate" in ctl("session", "join")[1]
        assert "edgectl escalate" not in ctl("escalate")[1]


def test_said_twice_it_is_already_recorded_and_no_failure(ctl: Ctl) -> None:
    ctl("contrast", "start")
    code, said = ctl("contrast", "start")
    assert (code, said.startswith("already recorded: contrast started in room, session s-1")) == (0, True)


@pytest.mark.parametrize("how", ["request", "open"])
def test_e7_a_session_nobody_names_gets_an_opaque_id(ctl: Ctl, how: str) -> None:
    ctl("session", "close")
    code, said = ctl("session", how)
    made = re.search(r"in room, session (s-\d{8}) ", said)
    assert made is not None, said
    assert (code, ctl.acts()[-1]["session"]) == (0, made[1])


def test_e7_a_patients_name_is_refused_as_an_id_and_goes_nowhere(ctl: Ctl) -> None:
    ctl("session", "close")
    before = len(ctl.acts())
    code, said = ctl("session", "request", "Doe")
    assert (code, "an opaque id has letters and digits" in said) == (1, True)
    assert len(ctl.acts()) == before


def test_a_program_gets_all_of_it(ctl: Ctl) -> None:
    code, said = ctl("contrast", "start", "--json")
    told = json.loads(said)
    assert (code, told["act"], told["session"], told["repeated"]) == (0, "contrast_started", "s-1", False)


def test_what_cannot_be_is_refused_in_plain_words(ctl: Ctl) -> None:
    assert ctl("contrast", "end") == (1, "edgectl: contrast ended: no contrast is running: say when it starts\n")
    code, said = ctl("session", "open", "s-9")
    assert (code, "another session is open in this room: close it first (there is s-1)" in said) == (1, True)


def test_without_a_daemon_nothing_is_recorded_and_the_status_says_so(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["contrast", "start", "--socket", str(tmp_path / "none.sock")])
    assert (done.exit_code, "is edged running?" in done.output) == (3, True)


# ── rooms ──────────────────────────────────────────────────────────────────────────────────────────────
def test_of_several_rooms_one_must_be_named(tmp_path: Path) -> None:
    with site(calm_room(TWO, session=False), tmp_path) as ctl:
        assert ctl("session", "open", "s-1") == (
            1,
            "edgectl: session opened: several rooms can be meant: say which (there is ct-1, mr-2)\n",
        )
        assert ctl("session", "open", "s-1", "--room", "mr-2")[0] == 0
        assert ctl("contrast", "start", "--session", "s-1")[0] == 0
        assert [told["room"] for told in ctl.acts()[1:]] == ["mr-2", "mr-2"]


# ── alarms ─────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def alarmed(tmp_path: Path) -> Iterator[Ctl]:
    with site(calm_room().phone(False).wait(40), tmp_path) as found:
        yield found


def name(room: Room) -> str:
    standing: list[str] = [f"{key} {at}" for (key, at), held in room.state.conditions.items() if held.raised]
    return next(each for each in standing if each.startswith("phone."))


def test_an_alarm_is_shelved_for_a_time_with_its_reason_and_put_back(alarmed: Ctl) -> None:
    alarm = name(alarmed.room)
    assert alarmed("shelve", alarm, "--for", "30m", "--reason", "nuisance")[0] == 0
    told = alarmed.acts()[-1]
    assert (told["act"], told["subject"], told["for_s"], told["reason"]) == ("shelved", alarm, 1800.0, "nuisance")
    assert alarmed("unshelve", alarm)[0] == 0


def test_several_alarms_are_acknowledged_one_by_one(alarmed: Ctl) -> None:
    alarm = name(alarmed.room)
    code, said = alarmed("ack", alarm, "link.down fiber")
    assert (code, alarmed.acts()[0]["subject"]) == (1, alarm)
    assert "no such alarm stands" in said


@pytest.mark.parametrize(
    ("time", "for_s"), [("90s", 90.0), ("30m", 1800.0), ("2h", 7200.0), ("1h30m", 5400.0), ("9h", None), ("30", None)]
)
def test_times_are_typed_as_people_say_them(alarmed: Ctl, time: str, for_s: float | None) -> None:
    code, said = alarmed("shelve", name(alarmed.room), "--for", time, "--reason", "maintenance")
    assert (code == 0) is (for_s is not None), said
    if for_s is not None:
        assert alarmed.acts()[-1]["for_s"] == for_s
