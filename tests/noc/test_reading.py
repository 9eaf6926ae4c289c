import json
import zlib

import pytest
from edge_noc import reading
from edge_noc.reading import Channel, Garbage, Place, Stone
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.core.events import Json
from edged.report import history
from tests.fuzzing import Codec, fuzz
from tests.noc.sites import S, T, event, measurement, moment, state, tombstone


@pytest.mark.parametrize(
    ("topic", "place"),
    [
        ("edge/v1/clinic/room-1/evt/t4", Place("clinic", "room-1", Channel.TIER, "t4")),
        ("edge/v1/clinic/room-1/evt/log", Place("clinic", "room-1", Channel.LOG, "log")),
        ("edge/v1/clinic/room-1/tel/links", Place("clinic", "room-1", Channel.TELEMETRY, "links")),
        ("edge/v1/clinic/room-1/snap/tier", Place("clinic", "room-1", Channel.SNAPSHOT, "tier")),
        ("edge/v1/clinic/room-1/hist", Place("clinic", "room-1", Channel.HISTORY, "hist")),
        ("edge/v1/clinic/room-1/state", Place("clinic", "room-1", Channel.STATE, "state")),
        ("edge/v1/clinic/room-1/cmd/res", Place("clinic", "room-1", Channel.ANSWER, "res")),
        ("edge/v1/clinic/noc/state", None),
    ],
)
def test_a_topic_says_where_a_message_belongs(topic: str, place: Place | None) -> None:
    assert reading.place(topic) == place


@pytest.mark.parametrize(
    "topic",
    [
        *("", "edge/v1", "edge/v1/clinic", "edge/v2/clinic/r/state", "edge/v1//r/state"),
        *("edge/v1/clinic/r/evt/t5", "edge/v1/c/r/evt/t1/x"),
    ],
)
def test_other_topics_are_garbage(topic: str) -> None:
    with pytest.raises(Garbage):
        reading.place(topic)


def test_members_of_a_batch_keep_the_very_bytes_the_site_spelled() -> None:
    bodies = [event(S, 1), measurement(T, 9, first=3, up_delay_ms=1.0e-7), tombstone(S, 4, None)]
    assert [body for _, body in reading.members(history.pack(bodies))] == bodies
    assert list(reading.members(history.pack([]))) == []


def test_a_bad_member_leaves_those_before_it() -> None:
    found = reading.members(zlib.compress(b'[{"a":1},7,{"b":2}]'))
    assert next(found) == ({"a": 1}, b'{"a":1}')
    with pytest.raises(Garbage, match="no_object"):
        next(found)


def test_a_batch_that_would_fill_the_memory_is_not_inflated() -> None:
    with pytest.raises(Garbage, match="no_batch"):
        list(reading.members(zlib.compress(b"[" + b" " * (reading.MAX_INFLATED + 1) + b"]")))


def test_what_is_said_of_a_stream_is_read_as_the_contract_has_it() -> None:
    found = reading.numbered(reading.envelope(measurement(T, 9, first=3)), b"")
    assert (found.stream, found.first, found.sequence, found.is_telemetry) == (T, 3, 9, True)
    assert reading.tombstone(reading.envelope(tombstone(S, 4, None, "crash"))) == Stone(S, 4, None, "crash")
    told = reading.site_state(reading.envelope(state("online", (S, 9, 4), stream=S, epoch=3)))
    assert (told.state, told.stream, told.epoch, told.heads) == ("online", S, 3, ((S, 9, 4),))
    data: dict[str, Json] = {
        **{"id": "q", "command": "resend", "status": "done", "stream": S, "sent": 0, "missing_rows": 2},
        "missing": [{"first": 1, "last": 2, "why": "evicted"}],
    }
    assert reading.answer(reading.envelope(moment("answer", data))).stones == (Stone(S, 1, 2, "evicted"),)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sequence": 0}, "sequence"),
        ({"sequence": True}, "sequence"),
        ({"sequence": "7"}, "sequence"),
        ({"sequence": 2**53}, "sequence"),
        ({"first": 8}, "first"),
        ({"stream": ""}, "stream"),
        ({"stream": "\ud800"}, "stream"),
        ({"stream": "x" * 129}, "stream"),
        ({"type": "other"}, "type"),
        ({"time": None}, "time"),
        ({"data": []}, "no_object"),
    ],
)
def test_an_event_that_is_none_is_garbage_by_name(change: dict[str, object], code: str) -> None:
    spoilt = {**json.loads(event(S, 7)), **change}
    with pytest.raises(Garbage, match=code):
        reading.numbered(reading.envelope(json.dumps(spoilt).encode()), b"")


def everything(payload: bytes) -> None:
    found = reading.envelope(payload)
    for read in (reading.site_state, reading.answer, reading.tombstone, reading.kind_of):
        try:
            read(found)
        except Garbage:
            continue
    reading.numbered(found, payload)


def test_bytes_from_outside_are_read_or_are_garbage() -> None:
    samples = (event(S, 7), measurement(T, 9, first=3), state("online", (S, 9, 4)), tombstone(S, 1, 2))
    tally = fuzz(Codec("envelope", samples, everything, Garbage), count=4000, seed=11)
    assert tally.read > 100
    batches = (history.pack(samples), history.pack(samples[:1]))
    tally = fuzz(Codec("batch", batches, lambda payload: list(reading.members(payload)), Garbage), count=4000, seed=12)
    assert tally.refused > 100


KEYS = st.sampled_from(("data", "id", "epoch", "heads", "missing", "command", "stream", "first", "last", "state"))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
ANY_JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner))


@settings(max_examples=40)
@given(ANY_JSON)
def test_any_json_without_a_type_is_garbage(value: object) -> None:
    with pytest.raises(Garbage):
        everything(json.dumps(value).encode())
