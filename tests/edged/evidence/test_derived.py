"""What a packet says of a session is in its rows, and nothing unobserved is ever good."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.contract.examples import DATA as EXAMPLES
from edged.contract.kinds import KINDS, Told
from edged.evidence.derived import derived
from edged.evidence.errors import EvidenceMisused
from edged.evidence.packet import Packet
from edged.evidence.reading import Said
from tests.edged.evidence.ten_minutes import SESSION

Doc = dict[str, Any]
LANES = ("audio_to", "audio_from", "video_to", "video_from")
BOOT = "3624b021-98e6-46f4-aafc-8b5470085929"


def said_at(
    at_s: float, kind: str, tier: int = 0, *, boot: str = BOOT, wall_s: float | None = None, **data: Any
) -> Said:
    """A row at `at_s` seconds of this boot's monotonic clock."""
    return Said(
        kind=kind,
        source="edge/clinic/room-1",
        stream="f43f8e97-9d6a-46ef-92e4-8fd032032bff",
        sequence=round(at_s * 1000) + 1,
        tier=tier,
        time="2026-11-22T10:00:00.000Z",
        wall_s=1000.0 + at_s if wall_s is None else wall_s,
        monotonic_s=at_s,
        boot=boot,
        clockq="synced",
        data={"session": SESSION, "room": "room", **data},
        known=True,
    )


def seconds_at(at_s: float, words: list[str], *, boot: str = BOOT, wall_s: float | None = None, av: str = "") -> Said:
    """A second's four letters each; the last second ended at the whole second before `at_s`."""
    lanes = {name: "".join(word[at] for word in words) for at, name in enumerate(LANES)}
    claimed = av or "".join("N" if "D" in word else "U" if "U" in word else "Y" for word in words)
    data: Doc = {
        **lanes,
        "av": claimed,
        "tier": 0,
        "phase": "pre",
        "ended_s_ago": round(at_s % 1, 3),
        "source": "observer",
    }
    return said_at(at_s, "av.seconds", boot=boot, wall_s=wall_s, **data)


def session(*between: Said, requested_s: float | None = 100.0, joined_s: float = 120.0, closed_s: float = 140.0) -> Doc:
    begin = [said_at(requested_s, "act.session_requested")] if requested_s is not None else []
    joined = said_at(joined_s, "act.session_joined" if begin else "act.session_opened")
    return dict(derived([*begin, joined, *between, said_at(closed_s, "act.session_closed")], SESSION))


def test_e1_a_session_without_a_gap_was_continuous() -> None:
    found = session(seconds_at(130.2, ["LLLL"] * 10), seconds_at(140.0, ["LLLL"] * 10))
    assert found["supervision"] == {
        **{"seconds": 20, "live_s": 20, "dead_s": 0, "unobserved_s": 0, "interruptions": 0, "longest_s": 0},
        "continuous": True,
    }
    assert (found["gaps"], found["unobserved"], found["tiers"]) == ([], [], [])


def test_e1_seconds_no_row_speaks_of_were_not_observed() -> None:
    found = session(seconds_at(130.2, ["LLLL"] * 10))
    assert found["band"]["av"] == "Y" * 10 + "U" * 10
    assert found["supervision"]["continuous"] is None
    assert [each["seconds"] for each in found["unobserved"]] == [10]
    assert session()["supervision"]["live_s"] == 0


@pytest.mark.parametrize("word", ["DLLL", "LDLL", "LLDL", "LLLD", "ULLL", "LLLU", "UUUU", "DDDD"])
def test_rule7_a_second_is_live_only_if_all_four_streams_were_whatever_else_is_claimed(word: str) -> None:
    found = session(seconds_at(130.0, [word] * 10, av="Y" * 10), seconds_at(140.0, ["LLLL"] * 10))
    assert found["supervision"]["live_s"] == 10
    assert found["band"]["av"][:10] == ("N" if "D" in word else "U") * 10


@given(
    st.lists(
        st.tuples(
            st.integers(110, 150),
            st.lists(st.text(alphabet="LDU", min_size=4, max_size=4), min_size=1, max_size=12),
        ),
        max_size=5,
    )
)
@settings(max_examples=60, deadline=None)
def test_rule7_no_unobserved_second_counts_as_live(told: list[tuple[int, list[str]]]) -> None:
    rows = [seconds_at(float(at), words) for at, words in sorted(told, key=lambda each: each[0])]
    found = session(*rows)
    live: dict[int, set[str]] = {}
    for at, words in told:
        for back, word in enumerate(reversed(words)):
            live.setdefault(at - back, set()).add(word)
    for place, letter in enumerate(found["band"]["av"]):
        if letter == "Y":
            assert live[120 + place + 1] == {"LLLL"}
    held = found["supervision"]
    assert held["live_s"] + held["dead_s"] + held["unobserved_s"] == held["seconds"] == 20
    assert held["continuous"] in ((True,) if set(found["band"]["av"]) == {"Y"} else (None, False))


def test_two_rows_on_one_second_the_worse_counts() -> None:
    found = session(seconds_at(130.0, ["LLLL"] * 10), seconds_at(130.0, ["LLDL"] * 5), seconds_at(140.0, ["LLLL"] * 10))
    assert found["band"]["av"] == "Y" * 5 + "N" * 5 + "Y" * 10


def test_a_restart_of_the_box_is_unobserved_time_by_the_wall_clock() -> None:
    other = "00000000-98e6-46f4-aafc-8b5470085929"
    rows = [
        said_at(100.0, "act.session_requested"),
        said_at(120.0, "act.session_joined"),
        seconds_at(130.0, ["LLLL"] * 10),
        said_at(20.0, "daemon.started", boot=other, wall_s=1170.0, session=None),
        seconds_at(30.0, ["LLLL"] * 5, boot=other, wall_s=1180.0),
        said_at(30.0, "act.session_closed", boot=other, wall_s=1180.0),
    ]
    found = dict(derived(rows, SESSION))
    assert found["clock"]["boots"] == 2  # type: ignore[index, call-overload]
    assert found["band"]["av"] == "Y" * 10 + "U" * 45 + "Y" * 5  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    ("requested_s", "took_s", "grade", "escalation"),
    [
        (120.0 - 29.9, 29.9, "best", "not_needed"),
        (90.0, 30.0, "acceptable", "missing"),
        (60.0, 60.0, "acceptable", "missing"),
        (59.0, 61.0, "late", "missing"),
        (30.0, 90.0, "late", "missing"),
        (29.0, 91.0, "at_risk", "missing"),
        (None, None, "at_risk", "missing"),
    ],
)
def test_e2_rule13_the_response_has_its_class(
    requested_s: float | None, took_s: float | None, grade: str, escalation: str
) -> None:
    found = session(requested_s=requested_s)["session"]["response"]
    assert found == {"took_s": took_s, "class": grade, "escalation": escalation}


def test_e2_an_escalation_that_was_recorded_is_there() -> None:
    found = session(said_at(121.0, "act.escalated"), requested_s=40.0)
    assert found["session"]["response"]["escalation"] == "recorded"
    assert "escalation_record" not in found["completeness"]["missing"]


def test_another_room_and_another_session_are_left_out() -> None:
    other = said_at(125.0, "act.held", session="s-9", act="held", reason="line_failed")
    elsewhere = said_at(126.0, "tier.entered", 4, session=None, room="next door", row="t4.two_minutes")
    site = said_at(127.0, "wan.failover", session=None, room=None, previous="fiber", active="cellular")
    found = session(other, elsewhere, site)
    assert found["outcomes"] == []
    assert found["tiers"] == []
    assert [each["what"] for each in found["timeline"] if each["what"].startswith("wan")] == ["wan.failover"]


def test_a_session_nobody_recorded_is_no_packet() -> None:
    with pytest.raises(EvidenceMisused):
        derived([said_at(1.0, "act.session_requested", session="s-9")], SESSION)


# ── the ten minutes ────────────────────────────────────────────────────────────────────────────────────
def test_the_three_gaps_are_told_with_all_that_belongs_to_them(packet: Packet) -> None:
    gaps = packet.derived["gaps"]
    assert [(gap["seconds"], gap["tier"], gap["cause"], gap["incident"]) for gap in gaps] == [
        (8, 2, "remote_or_application", 1),
        (21, 3, "link_down", 2),
        (3, 3, "remote_or_application", 3),
    ]
    assert [gap["streams"] for gap in gaps] == [["video_to"], list(LANES), ["audio_from"]]
    assert [gap["phase"] for gap in gaps] == ["injecting", "monitoring", "monitoring"]
    assert [[each["row"] for each in gap["demanded"]] for gap in gaps] == [
        ["t2.video"],
        ["t2.switching", "t3.av"],
        ["t3.audio"],
    ]
    assert [[(each["act"], each["role"]) for each in gap["given"]] for gap in gaps] == [
        [("continuity_confirmed", "operate")],
        [("held", "operate"), ("phone_confirmed", "operate"), ("continuity_confirmed", "operate")],
        [],
    ]


def test_a_gap_while_a_tier_still_stands_has_its_cause_and_what_it_demanded() -> None:
    """Tier 3 takes 30 s of calm to fall: the line may fail again meanwhile, and nothing is entered anew."""
    response = {"say": "Hold contrast.", "who": "technologist", "by_s": 120.0}
    about: Doc = {"row": "t3.av", "cause": "link_down", "cause_at": "fiber", "incident": 7, "response": response}
    down = said_at(123.0, "tier.entered", 3, **about)
    seconds = seconds_at(140.0, ["LLLL"] * 2 + ["DDDD"] * 5 + ["LLLL"] * 6 + ["DDDD"] * 7)
    first, second = session(down, seconds)["gaps"]
    for gap in (first, second):
        assert [gap[key] for key in ("tier", "cause", "cause_at", "incident")] == [3, "link_down", "fiber", 7]
    assert [each["after_s"] for each in second["demanded"]] == [-10.0]


def test_a_gap_with_a_cause_of_its_own_while_a_tier_still_stands_has_that_cause() -> None:
    far = said_at(121.0, "tier.entered", 3, row="t3.audio", cause="remote_or_application", cause_at=None, incident=7)
    cut: Doc = {"number": 8, "cause": "link_down", "at": "fiber", "room": None, "session": None}
    rows = (
        said_at(133.0, "incident.opened", 3, **cut),
        said_at(133.0, "containment.raised", 3, row="t3.av", row_tier=3, incident=8),
    )
    seconds = seconds_at(140.0, ["DLLL"] * 7 + ["LLLL"] * 6 + ["DDDD"] * 7)
    first, second = session(far, *rows, seconds)["gaps"]
    assert [first[key] for key in ("cause", "cause_at", "incident")] == ["remote_or_application", None, 7]
    assert [second[key] for key in ("tier", "cause", "cause_at", "incident")] == [3, "link_down", "fiber", 8]


def test_the_longest_gap_is_the_longest_of_those_that_are_listed() -> None:
    found = session(seconds_at(140.0, ["LLLL"] * 5 + ["DDDD"] * 2 + ["UUUU"] * 3 + ["DDDD"] * 2 + ["LLLL"] * 8))
    assert [gap["seconds"] for gap in found["gaps"]] == [7]
    assert found["supervision"]["longest_s"] == 7


def test_d1_rule4_a_gap_of_a_drill_is_labelled_a_drill() -> None:
    down = said_at(126.0, "tier.entered", 2, row="t2.failover", cause="failover", cause_at=None, drill=True)
    found = session(seconds_at(130.0, ["LLLL"] * 5 + ["DDDD"] * 5), down)
    assert [gap["drill"] for gap in found["gaps"]] == [True]
    assert [each["said"].get("drill") for each in found["timeline"] if each["what"] == "tier.entered"] == [True]


def test_c2_the_phone_was_used_and_why(packet: Packet) -> None:
    phone = packet.derived["phone"]
    assert phone["used"] is True
    assert [(each["what"], each["reason"]) for each in phone["calls"]] == [("act.phone_confirmed", "line_failed")]


def test_e3_what_is_missing_is_named(packet: Packet) -> None:
    assert packet.derived["completeness"] == {"asked": 12, "there": 11, "missing": ["every_second_observed"]}
    bare = session(seconds_at(130.0, ["LLLL"] * 10), requested_s=None)["completeness"]
    assert {"request_time", "response_time", "contrast_start", "every_second_observed"} <= {*bare["missing"]}


def test_e4_each_change_of_tier_has_the_figures_of_the_lines(packet: Packet) -> None:
    figures = packet.derived["network"]
    assert len(figures) == len(packet.derived["tiers"]) == 7
    assert figures[2]["links"][1] == {
        **{"link": "fiber", "verdict": "down", "cause": "loss", "rtt_ms": None, "loss_pct": 100}
    }


def test_e5_a_marker_has_the_line_around_it(packet: Packet) -> None:
    (marked,) = packet.derived["reactions"]
    assert marked["marker"] == "marker-4711"
    assert marked["before"] == {"live_s": 49, "dead_s": 11, "unobserved_s": 0}
    assert marked["after"] == {"live_s": 60, "dead_s": 0, "unobserved_s": 0}


def test_e6_what_was_held_says_whether_the_line_was_to_blame(packet: Packet) -> None:
    assert [(each["what"], each["by_connectivity"]) for each in packet.derived["outcomes"]] == [("act.held", True)]


def test_c1_rule11_the_timers_are_there(packet: Packet) -> None:
    assert [(each["what"], each["timer"]) for each in packet.derived["timers"]] == [
        ("timer.started", "phone"),
        ("timer.met", "phone"),
    ]


def test_the_software_is_named_and_the_clock_told(packet: Packet) -> None:
    assert [each["version"] for each in packet.derived["software"]] == ["0.5.0"]
    assert packet.derived["clock"]["rows"]["synced"] == len(packet.rows)
    stepped = session(said_at(125.0, "clock.stepped", session=None, room=None, by_s=-3.5, clockq="holdover"))
    assert stepped["clock"]["steps"] == [{"at_s": 25.0, "by_s": -3.5, "clockq": "holdover"}]
    assert "trusted_clock" in stepped["completeness"]["missing"]


@pytest.mark.parametrize("kind", sorted(kind for kind, message in KINDS.items() if message.told is Told.EVENT))
def test_whatever_the_contract_lets_be_said_has_its_form_here(kind: str) -> None:
    data = {**EXAMPLES[KINDS[kind].name]}
    row = {"session": SESSION if "session" in data else None, "room": "room" if data.get("room") else None}
    mine = {name: value for name, value in {**data, **row}.items() if name != "tier"}
    found = session(said_at(125.0, kind, 2, **mine), seconds_at(130.0, ["DDDD"] * 10))
    assert found["gaps"]


@pytest.mark.parametrize("at", ["upsd:[fe80::1%eth0]:3493", "link:fiber", "network", "R_LAN.1"])
def test_every_name_of_an_instrument_has_its_form_here(at: str) -> None:
    raised = said_at(125.0, "router.blind.raised", session=None, room=None, at=at, severity="alarm")
    assert any(each["said"].get("at") == at for each in session(raised)["timeline"])


def test_the_same_rows_always_say_the_same(packet: Packet) -> None:
    rows = [row.said for row in packet.rows]
    assert json.dumps(derived(rows, SESSION)) == json.dumps(derived(rows, SESSION))


@pytest.mark.parametrize("lose", [lambda said: said.kind == "tier.entered", lambda said: said.kind == "av.seconds"])
def test_what_is_not_recorded_is_missing_and_nothing_breaks(packet: Packet, lose: Callable[[Said], bool]) -> None:
    found = derived([row.said for row in packet.rows if not lose(row.said)], SESSION)
    assert found["session"]


def test_events_of_a_version_that_said_less_are_enough(packet: Packet) -> None:
    bare = [replace(row.said, data={"session": SESSION}) for row in packet.rows if row.said.kind != "ledger.checkpoint"]
    found: Doc = dict(derived(bare, SESSION))
    assert found["supervision"]["live_s"] == 0
    assert found["timeline"]
