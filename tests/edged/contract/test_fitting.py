"""What fits is said as it is; what does not is left out and named."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest

from edged.contract import UNKNOWN_KIND, fit
from edged.contract.examples import DATA
from edged.contract.kinds import KINDS
from edged.core.protocol import DEFAULT

STREAM = "f43f8e97-9d6a-46ef-92e4-8fd032032bff"
Json = Any


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_every_kind_fits_and_is_not_touched(kind: str) -> None:
    data = DATA[KINDS[kind].name]
    said, left_out = fit(kind, data)
    assert said is data
    assert left_out == []


def test_of_an_unknown_kind_nothing_is_said() -> None:
    assert fit("tier.imagined", {"note": "anything"}) == ({}, [UNKNOWN_KIND])


def changed(kind: str, **fields: Json) -> dict[str, Json]:
    return {**DATA[KINDS[kind].name], **fields}


@pytest.mark.parametrize(
    ("kind", "fields", "left_out"),
    [
        ("wan.failover", {"note": "the fiber broke"}, ["note"]),
        ("wan.failover", {"active": "The Fiber"}, ["active"]),
        ("wan.failover", {"active": 7}, ["active"]),
        ("power.off.raised", {"at": "Jane Doe, room 3"}, ["at"]),
        ("power.off.raised", {"severity": "dreadful"}, ["severity"]),
        ("power.off.cleared", {"lasted_s": float("inf")}, ["lasted_s"]),
        ("power.off.cleared", {"lasted_s": -1.0}, ["lasted_s"]),
        ("power.off.cleared", {"lasted_s": "61"}, ["lasted_s"]),
        ("power.off.cleared", {"lasted_s": True}, ["lasted_s"]),
        ("act.session_opened", {"session": "Doe, Jane"}, ["session"]),
        ("act.shelved", {"subject": "link.down fiber", "for_s": -1.0}, ["for_s"]),
        ("act.shelved", {"subject": "Jane Doe"}, ["subject"]),
        ("act.reaction_marked", {"subject": "severe reaction, Jane"}, ["subject"]),
        ("act.refused", {"refused": "nobody_likes_it"}, ["refused"]),
        ("alarm.raised", {"alarm": "the fiber broke again"}, ["alarm"]),
        ("incident.closed", {"symptoms": ["link.down fiber", "rain"]}, ["symptoms.1"]),
        ("av.seconds", {"video_to": "LLLX"}, ["video_to"]),
        ("av.seconds", {"av": "Y" * 129}, ["av"]),
        ("av.seconds", {"tier": [0, 5]}, ["tier.1"]),
        ("av.seconds", {"room": "Room 3"}, ["room"]),
        ("ledger.checkpoint", {"signature": "Jane Doe"}, ["signature"]),
        ("daemon.started", {"protocol": "the new one"}, ["protocol"]),
        ("act.session_opened", {"reason": "patient_was_restless"}, ["reason"]),
        ("source.failed", {"error": "timed out after 5 s"}, ["error"]),
        ("exit.seen", {"mapped": "router.example"}, ["mapped"]),
        ("exit.seen", {"mapped": "999.1.1.1"}, ["mapped"]),
        ("snap.router", {"model": "Linux rtr 6.1.0 #1 SMP Debian (2024) x86_64 GNU"}, ["model"]),
        ("tombstone", {"why": "bad luck"}, ["why"]),
        ("state", {"durable": "yes"}, ["durable"]),
        ("answer", {"missing": [{"first": 1, "last": 2, "why": "who knows"}]}, ["missing.0.why"]),
        ("command.refused", {"id": "two words"}, ["id"]),
    ],
)
def test_one_wrong_field_costs_that_field_alone(kind: str, fields: dict[str, Json], left_out: list[str]) -> None:
    data = changed(kind, **fields)
    said, named = fit(kind, data)
    assert named == left_out
    top = {name.partition(".")[0] for name in left_out if "." not in name}
    assert {key: value for key, value in data.items() if key not in top}.keys() == said.keys()


def test_a_required_field_that_lacks_is_named_and_the_rest_is_said() -> None:
    assert fit("wan.failover", {"active": "fiber"}) == ({"active": "fiber"}, ["previous"])


@pytest.mark.parametrize(
    "say", ["Halt now", "Call {name}.", "Hold\ncontrast.", "Hold contrast.\n", f"{'Hold ' * 24}.", "", 7]
)
def test_what_is_no_sentence_of_a_protocol_file_is_not_said(say: Json) -> None:
    response = {**DATA["tier.entered"]["response"], "say": say}
    said, named = fit("tier.entered", changed("tier.entered", response=response))
    assert named == ["response.say"]
    assert said["response"] == {"who": "technologist", "by_s": 30.0}


@pytest.mark.parametrize("kind", ["snap.tier", "tier.entered"])
def test_every_sentence_of_the_shipped_protocol_is_said(kind: str) -> None:
    rows = [*DEFAULT.responses.values(), *(step for steps in DEFAULT.script.values() for step in steps)]
    for row in (*rows, *DEFAULT.alarms.values(), DEFAULT.information):
        shown = {"say": row.say, "who": row.who, "by_s": row.by_s}
        assert fit(kind, changed(kind, **({"response": shown} if kind == "tier.entered" else shown)))[1] == []
    for say in (*DEFAULT.clearing.values(), *DEFAULT.readiness.values(), DEFAULT.phone_prompt):
        assert fit("snap.tier", changed("snap.tier", also_say=say))[1] == []


@pytest.mark.parametrize(
    ("word", "fits"),
    [
        *(("fiber", True), ("fiber\n", False), ("\nfiber", False), ("fibe\u0301r", False), ("", False)),
        *(("a" * 32, True), ("a" * 33, False), ("f\x00", False)),
    ],
)
def test_a_form_is_the_whole_string(word: str, fits: bool) -> None:
    assert (fit("wan.failover", changed("wan.failover", active=word))[1] == []) is fits


def test_a_place_in_a_column_becomes_unknown_and_its_neighbours_stay() -> None:
    row = {**DATA["tel.links"]["rows"][0], "mos": [4.4, "fine", 4.3], "pace": "hasty"}
    said, named = fit("tel.links", {"rows": [row]})
    assert sorted(named) == ["rows.0.mos.1", "rows.0.pace"]
    (told,) = rows(said)
    assert told["mos"] == [4.4, None, 4.3]
    assert "pace" not in told


def test_a_place_that_may_not_be_unknown_goes() -> None:
    said, named = fit("standby.judged", changed("standby.judged", lacks=["mtu", "luck", "dscp", "grace"]))
    assert said["lacks"] == ["mtu", "dscp"]
    assert sorted(named) == ["lacks.1", "lacks.3"]


def test_a_key_that_is_no_name_takes_its_value_with_it() -> None:
    evidence = DATA["tier.entered"]["evidence"]
    links = {**evidence["links"], "Jane Doe's line": evidence["links"]["fiber"]}
    said, named = fit("tier.entered", changed("tier.entered", evidence={**evidence, "links": links}))
    assert named == ["evidence.links.Jane Doe's line"]
    told: Any = said["evidence"]
    assert told["links"].keys() == {"fiber"}


def test_what_was_left_out_is_named_briefly() -> None:
    _, (named,) = fit("wan.failover", changed("wan.failover", **{"x" * 5000: 1}))
    assert len(named) == 80


def test_the_caller_keeps_what_he_gave() -> None:
    data = {"rows": [{**DATA["tel.links"]["rows"][0], "note": "x"}]}
    fit("tel.links", data)
    assert data["rows"][0]["note"] == "x"


@pytest.mark.parametrize("word", ["Doe", 1, None, [], {"a": {"b": ["c"]}}, "\ud800", float("nan"), 2**80])
@pytest.mark.parametrize("kind", ["tier.entered", "snap.links", "tel.qos", "path.diagnosed", "answer", "state"])
def test_nothing_anywhere_in_a_message_is_an_error(kind: str, word: Json) -> None:
    data = DATA[KINDS[kind].name]
    for key in data:
        said, named = fit(kind, {**data, key: word})
        assert said.keys() <= data.keys()
        assert all(name.partition(".")[0] == key for name in named)


def test_mappings_and_tuples_are_as_good_as_dicts_and_lists() -> None:
    assert fit("standby.judged", changed("standby.judged", lacks=("mtu", "dscp")))[1] == []
    said, named = fit("wan.failover", MappingProxyType({"previous": "fiber", "active": "cellular"}))
    assert (dict(said), named) == ({"previous": "fiber", "active": "cellular"}, [])


def test_an_answer_is_cut_as_what_it_is_most_like() -> None:
    refusal: dict[str, Json] = {"id": "two words", "status": "refused", "reason": "busy"}
    assert fit("answer", refusal) == ({"status": "refused", "reason": "busy"}, ["id"])


def rows(said: Mapping[str, Json]) -> Sequence[dict[str, Json]]:
    found: Sequence[dict[str, Json]] = said["rows"]
    return found
