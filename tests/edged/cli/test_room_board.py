"""What a technologist reads: what to do, in how many seconds, and how sure anybody is of sound and picture."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edged.cli import board
from edged.core.observations import Act
from edged.core.plan import PhonePlan
from probes.reading import Medium, Protection, Verdict, Way
from tests.edged.cli.site_desk import site
from tests.edged.cli.test_board import AROUND
from tests.edged.cli.test_link_board import screen, text
from tests.edged.core.room import SITE, Room, calm_room

ROOMS = replace(SITE, rooms=("ct-1", "mr-2", "angio"), has_mobile=True)
FATED = replace(SITE, phones={"": PhonePlan(("fiber",), ("network",))})


def doc(room: Room) -> dict[str, Any]:
    return {**room.doc(), **AROUND}


def seen(room: Room, width: int = 112, height: int = 40) -> str:
    return "\n".join(screen(doc(room), width, height)).rstrip()


def lost(room: Room | None = None) -> Room:
    return (room or calm_room()).media(audio=False, video=False)


def halted(phase: Act | None = None) -> Room:
    room = calm_room()
    if phase is not None:
        room.act(Act.CONTRAST_STARTED)
    if phase is Act.CONTRAST_ENDED:
        room.act(Act.CONTRAST_ENDED)
    return lost(room).wait(20).act(Act.PHONE_FAILED).wait(2)


# ── the banner ─────────────────────────────────────────────────────────────────────────────────────────
def test_c2_on_tier_3_it_says_what_may_be_said_on_the_phone() -> None:
    prompt = "On the phone give only the identifiers that are clinically necessary."
    assert prompt in seen(lost().wait(13))
    assert prompt not in seen(calm_room())


@pytest.mark.parametrize("phase", [None, Act.CONTRAST_STARTED, Act.CONTRAST_ENDED])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (112, 40)])
def test_t5_the_script_of_the_phase_is_numbered_and_whole_on_any_screen(
    phase: Act | None, width: int, height: int
) -> None:
    room = halted(phase)
    told: Any = room.doc()["tier"]
    assert len(told["script"]) >= 4
    lines = screen(doc(room), width, height)
    flat = " ".join(" ".join(line.strip("│ ") for line in lines).split())
    for number, step in enumerate(told["script"], start=1):
        assert f"{number}. {step['say']} {step['who']}" in flat
    assert len(lines) <= height
    assert "TIER 4 HALT" in lines[2]


def test_t5_what_is_to_be_done_at_once_says_now() -> None:
    shown = seen(halted(Act.CONTRAST_STARTED))
    assert "1. Stop the injector. technologist, NOW" in shown
    assert re.search(r"3\. Call the facility's emergency number\. technologist, (27|28) s left", shown)


def test_rule16_a_drill_is_marked_in_the_banner() -> None:
    assert "TIER 0 ALL WELL   DRILL " in seen(calm_room(session=False).act(Act.DRILL_STARTED).wait(1))
    assert "DRILL" not in seen(calm_room(session=False))


# ── the session ────────────────────────────────────────────────────────────────────────────────────────
def answered(after_s: float, *acts: Act) -> str:
    room = calm_room(session=False).act(Act.SESSION_REQUESTED, "s-2").wait(after_s).act(Act.SESSION_JOINED).media()
    for act in acts:
        room.act(act)
    return seen(room.wait(2))


@pytest.mark.parametrize(
    ("after_s", "acts", "says"),
    [
        (10, (), "joined in 10 s: best"),
        (45, (), "joined in 45 s: acceptable; document it: edgectl escalate"),
        (75, (), "joined in 1m 15s: late; document it: edgectl escalate"),
        (75, (Act.ESCALATED,), "joined in 1m 15s: late, escalated"),
        (100, (), "joined in 1m 40s: at risk; document it: edgectl escalate"),
    ],
)
def test_e2_how_fast_somebody_joined_and_whether_that_wants_its_record(
    after_s: float, acts: tuple[Act, ...], says: str
) -> None:
    assert re.search(rf"^ {{9}}{re.escape(says)}(  ·|$)", answered(after_s, *acts), re.MULTILINE)


def test_e2_a_request_nobody_answers_is_seen_waiting() -> None:
    room = calm_room(session=False).act(Act.SESSION_REQUESTED, "s-2").wait(12)
    assert "session s-2  ·  requested 12 s ago: nobody has joined yet" in seen(room)


@pytest.mark.parametrize(
    ("acts", "phase"),
    [
        ((), "pre"),
        ((Act.CONTRAST_STARTED,), "injecting"),
        ((Act.CONTRAST_STARTED, Act.CONTRAST_ENDED), "monitoring"),
    ],
)
def test_rule15_the_phase_is_shown(acts: tuple[Act, ...], phase: str) -> None:
    room = calm_room()
    for act in acts:
        room.act(act)
    assert f" session s-1, {phase}, open 6 s" in seen(room.wait(1))


# ── deadlines ──────────────────────────────────────────────────────────────────────────────────────────
def due(room: Room) -> str:
    return text(board.due(doc(room))).strip()


def test_rule11_both_deadlines_run_down_side_by_side() -> None:
    assert due(lost().wait(13)) == "DUE    mobile 1m 47s left  ·  phone 1m 47s left"


def test_rule8_a_deadline_that_was_met_or_missed_says_so() -> None:
    assert due(lost().wait(13).act(Act.PHONE_CONFIRMED).wait(120)) == "DUE    mobile MISSED 13 s ago  ·  phone met"


def test_without_a_deadline_there_is_no_such_line() -> None:
    assert due(calm_room()) == ""


# ── the lamp ───────────────────────────────────────────────────────────────────────────────────────────
def test_the_lamp_gives_the_first_reason_and_counts_the_rest() -> None:
    room = calm_room().act(Act.SESSION_CLOSED).phone(False).wait(1)
    said = text(board.ready(doc(room))).strip()
    assert re.fullmatch(r"READY  ● RED  Request a radiologist first: no session is open in this room\. \(\+\d\)", said)


# ── sound and picture ──────────────────────────────────────────────────────────────────────────────────
def av(room: Room) -> list[str]:
    return [" ".join(line.split()) for line in text(board.av(doc(room))).splitlines()]


def test_rule7_each_way_of_each_medium_is_shown_for_itself() -> None:
    lives: dict[tuple[Medium, Way], bool | None] = {(medium, way): True for medium in Medium for way in Way}
    lives[Medium.VIDEO, Way.FROM_ROOM] = False
    shown = av(calm_room().streams(lives).wait(1))
    assert shown == [
        "A/V TO ROOM FROM ROOM LOSS",
        "audio LIVE 50 /s LIVE 50 /s 0.0 %",
        "video LIVE 30 fps LOST 30 fps 0.0 %",
    ]
    short = text(board.av_in_short(doc(calm_room().streams(lives).wait(1))))
    assert short.strip() == "A/V    audio LIVE in LIVE out  ·  video LIVE in LOST out"


def test_whose_word_it_is_stands_beside_it_unless_it_is_the_observers() -> None:
    room = calm_room().platform(True, video_from_room=False).wait(1)
    assert av(room)[2] == "video LIVE by platform LOST by platform 0.0 %"
    dark = calm_room().media(audio=None, video=None)
    dark.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).wait(1)
    assert av(dark)[1] == "audio LOST by links, 50 % sure LOST by links, 50 % sure 0.0 %"
    assert "by links, 50 % sure" in text(board.av_in_short(doc(dark)))


def test_what_nobody_knows_is_unknown_and_no_word_is_claimed() -> None:
    unwatched = calm_room(replace(SITE, has_media=False), session=False)
    unwatched._says.pop("media:")
    unwatched.wait(10)
    assert av(unwatched)[1].startswith("audio UNKNOWN")
    assert "LIVE" not in " ".join(av(unwatched))


def test_h1_media_in_clear_text_are_shouted() -> None:
    room = calm_room()
    room.streams({(m, w): True for m in Medium for w in Way}, protection=Protection.CLEAR).wait(1)
    assert "NOT ENCRYPTED" in seen(room)
    assert "NOT ENCRYPTED" in seen(room, 80, 24)


# ── phone and mobile workstation ───────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("reachable", "registered", "says"),
    [(True, True, "REACHABLE, registered"), (True, False, "REACHABLE, NOT REGISTERED"), (False, None, "UNREACHABLE")],
)
def test_c1_the_phone_says_whether_a_call_would_come_through(
    reachable: bool, registered: bool | None, says: str
) -> None:
    room = calm_room().phone(reachable, registered=registered).wait(1)
    assert f" PHONE  {says} for 1 s" in seen(room)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (112, 40)])
def test_rule12_a_shared_fate_is_said_plainly_on_any_screen(width: int, height: int) -> None:
    shown = seen(lost(calm_room(FATED)).wait(13), width, height)
    assert re.search(r"SHARED FATE.*link:fiber, ups:network", shown)


@pytest.mark.parametrize(
    ("mcc_mnc", "own", "says"),
    [
        ("310-410", "310-260", "on 310-410, another carrier than the backup's"),
        ("310-260", "310-260", "on 310-260, SAME CARRIER as the backup: one outage takes both"),
        ("310-410", None, "on 310-410, whether by another carrier than the backup's is not known"),
    ],
)
def test_c3_the_mobile_workstations_carrier_is_compared(mcc_mnc: str, own: str | None, says: str) -> None:
    links = (SITE.links[0], replace(SITE.links[1], mcc_mnc=own))
    room = calm_room(replace(SITE, links=links, has_mobile=True)).mobile(True, mcc_mnc=mcc_mnc).wait(1)
    assert f" MOBILE HEARD for 1 s  {says}" in seen(room)


def test_phone_and_mobile_workstation_can_be_asked_for_alone(tmp_path: Path) -> None:
    with site(calm_room(replace(SITE, has_mobile=True)).mobile(False, mcc_mnc=None).wait(1), tmp_path) as ctl:
        assert ctl("phone")[1].strip().startswith("PHONE  REACHABLE for")
        assert ctl("mobile")[1].strip().startswith("MOBILE SILENT for")
        assert ctl("phone", "--room", "none")[0] == 2
        assert ctl("phone", "--json")[1].startswith('{\n  "room": {')
        assert ctl.acts() == []


# ── several rooms ──────────────────────────────────────────────────────────────────────────────────────
def three() -> Room:
    room = Room(ROOMS).link("fiber").link("cellular").router("0").phone(True).mobile(True).media(room="ct-1")
    room.act(Act.SESSION_OPENED, "s-17", room="ct-1").act(Act.SESSION_REQUESTED, "s-18", room="mr-2").wait(6)
    return room.act(Act.CONTRAST_STARTED, "s-17")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (112, 40)])
def test_several_rooms_are_a_line_each_below_the_banner_of_the_leading_one(width: int, height: int) -> None:
    lines = seen(three().media(room="ct-1", audio=False, video=False).wait(13), width, height).splitlines()
    assert len(lines) <= height
    assert "TIER 3 HOLD AND CALL" in lines[2]
    assert "ct-1" in lines[2]
    rows = [" ".join(line.split()) for line in lines if re.match(r" [▶ ]  (ct-1|mr-2|angio)", line)]
    assert rows == [
        "▶ ct-1 3 HOLD AND CALL 10 s s-17 injecting NOT COMPLIANT ● RED",
        "mr-2 0 ALL WELL 19 s s-18 requested – ● RED",
        "angio 0 ALL WELL 19 s no session – ● RED",
    ]


def test_one_room_has_no_such_line() -> None:
    assert text(board.rooms(doc(calm_room()))).strip() == ""
