import contextlib
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.cloud_event import INFLATED_LIMIT, Kind, Place, Tombstone, alone, event, members, place, tombstone
from lab.services.errors import PeerError


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("edge/v1/lab/imaging-1/evt/t0", Place(Kind.TIER, "lab", "imaging-1")),
        ("edge/v1/lab/imaging-1/evt/t4", Place(Kind.TIER, "lab", "imaging-1")),
        ("edge/v1/lab/imaging-1/evt/log", Place(Kind.LOG, "lab", "imaging-1")),
        ("edge/v1/lab/imaging-1/tel/link", Place(Kind.TELEMETRY, "lab", "imaging-1")),
        ("edge/v1/lab/imaging-1/snap/tier", Place(Kind.SNAPSHOT, "lab", "imaging-1")),
        ("edge/v1/lab/imaging-1/state", Place(Kind.STATE, "lab", "imaging-1")),
        ("edge/v1/lab/imaging-1/evt/t5", Place(Kind.OTHER, "lab", "imaging-1")),
        ("edge/v1/lab/imaging-1/hist", Place(Kind.HISTORY, "lab", "imaging-1")),
        ("edge/v1/lab/imaging-1/ack", Place(Kind.OTHER, "lab", "imaging-1")),
        ("edge/v1/lab/noc/state", Place(Kind.OTHER)),
        ("edge/v2/lab/imaging-1/evt/t1", Place(Kind.OTHER)),
        ("else", Place(Kind.OTHER)),
    ],
)
def test_a_topic_says_what_is_in_it(topic: str, expected: Place) -> None:
    assert place(topic) == expected


@pytest.mark.parametrize("sequence", [7, "7", "0007"])
def test_a_sequence_may_be_a_number_or_its_digits(sequence: object) -> None:
    found = event(json.dumps({"stream": "s", "sequence": sequence, "type": "x"}).encode())
    assert (found.stream, found.sequence, found.body["type"]) == ("s", 7, "x")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"sequence": 1}',
        b'{"stream": "", "sequence": 1}',
        b'{"stream": 5, "sequence": 1}',
        b'{"stream": "s"}',
        b'{"stream": "s", "sequence": true}',
        b'{"stream": "s", "sequence": -1}',
        b'{"stream": "s", "sequence": 1.5}',
        b'{"stream": "s", "sequence": "one"}',
        b'{"stream": "s", "sequence": 9223372036854775808}',
        b'{"stream": "s", "sequence": 1}' + b" " * (1 << 20),
    ],
)
def test_garbage_is_refused(payload: bytes) -> None:
    with pytest.raises(PeerError):
        event(payload)


@given(st.binary())
def test_no_payload_raises_anything_but_the_rooms_error(payload: bytes) -> None:
    with contextlib.suppress(PeerError):
        event(payload)


@given(st.text())
def test_every_topic_has_a_place(topic: str) -> None:
    assert place(topic).kind in Kind


HIST = "edge/v1/lab/imaging-1/hist"


@pytest.mark.parametrize(
    ("member", "kind", "below"),
    [
        ({"type": "edge.tier.entered.v1", "tier": 3}, Kind.TIER, "evt/t3"),
        ({"type": "edge.link.down.raised.v1", "tier": 3}, Kind.LOG, "evt/log"),
        ({"type": "edge.tel.links.v1"}, Kind.TELEMETRY, "tel/links"),
        ({"type": "edge.tombstone.v1"}, Kind.TOMBSTONE, "hist"),
        ({"type": "edge.tier.entered.v1", "tier": 9}, Kind.OTHER, "evt/t9"),
    ],
)
def test_a_member_of_a_batch_has_the_place_it_would_have_alone(
    member: dict[str, object], kind: Kind, below: str
) -> None:
    found = alone(place(HIST), HIST, member)
    assert found == (Place(kind, "lab", "imaging-1"), f"edge/v1/lab/imaging-1/{below}")


def test_a_batch_gives_its_members() -> None:
    assert members(zlib.compress(b'[{"a": 1}, {}]')) == [{"a": 1}, {}]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        zlib.compress(b"[]")[:-1],
        zlib.compress(b"{}"),
        zlib.compress(b"[1]"),
        zlib.compress(b"[" * 100_000),
        zlib.compress(b" " * INFLATED_LIMIT + b"[]"),
    ],
)
def test_what_is_no_batch_is_refused(payload: bytes) -> None:
    with pytest.raises(PeerError):
        members(payload)


def test_a_tombstone_names_what_will_not_come() -> None:
    assert tombstone({"data": {"stream": "s", "first": 2, "last": None, "why": "torn"}}) == Tombstone("s", 2, None)


@pytest.mark.parametrize("data", [None, {}, {"stream": "s"}, {"stream": "s", "first": 1, "last": "x"}])
def test_a_tombstone_that_names_nothing_is_refused(data: object) -> None:
    with pytest.raises(PeerError):
        tombstone({"data": data})
