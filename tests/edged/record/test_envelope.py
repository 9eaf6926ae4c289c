import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.clock import ClockQuality
from edged.core.events import Channel, Event
from edged.record.envelope import Origin, Stamp, event_envelope, moment_envelope
from edged.record.errors import RecordMisused
from tests.edged.record.scene import ORIGIN, tier_event

NOW = Stamp(wall_s=1_767_225_600.0, monotonic_s=100.0, quality=ClockQuality.HOLDOVER, boot="b00t")
# CloudEvents 1.0, 3: attribute names are lower-case letters and digits, values are text or 32-bit integers here.
ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")


def test_an_event_is_spelled_byte_for_byte() -> None:
    envelope = event_envelope(tier_event(at="fiber", for_s=2.0), origin=ORIGIN, now=NOW, stream="s", sequence=7)
    assert envelope == (
        b'{"bootid":"b00t","clockq":"holdover","data":{"at":"fiber","for_s":2},"datacontenttype":"application/json",'
        b'"id":"s:7","monoms":"99500","sequence":7,"source":"edge/clinic/room-1","specversion":"1.0","stream":"s","tier":2,'
        b'"time":"2025-12-31T23:59:59.500Z","type":"edge.tier.entered.v1"}'
    )


def test_what_is_told_once_counts_the_connection_and_has_no_sequence() -> None:
    envelope = json.loads(moment_envelope("snap.link", {"a": 1}, origin=ORIGIN, now=NOW, identity="s/4/1", epoch=4))
    assert envelope["epoch"] == 4
    assert envelope["type"] == "edge.snap.link.v1"
    assert envelope["time"] == "2026-01-01T00:00:00.000Z"
    assert "sequence" not in envelope
    assert "stream" not in envelope


@given(
    at_s=st.floats(0, 1e9),
    wall_s=st.floats(0, 4e9),
    tier=st.integers(0, 4),
    sequence=st.integers(1, 2**31 - 1),
    text=st.text("aé😀\n"),
)
def test_every_envelope_is_a_cloud_event(at_s: float, wall_s: float, tier: int, sequence: int, text: str) -> None:
    now = Stamp(wall_s, at_s + 1.0, ClockQuality.UNSET, "b00t")
    event = Event(Channel.LOG, "link.down", tier, at_s, {"text": text})
    envelope = json.loads(event_envelope(event, origin=ORIGIN, now=now, stream="s", sequence=sequence))
    assert {"specversion", "id", "source", "type"} <= envelope.keys()
    for name, value in envelope.items():
        assert ATTRIBUTE.fullmatch(name)
        assert name == "data" or isinstance(value, str) or -(2**31) <= value < 2**31
    assert envelope["data"] == {"text": text}


@pytest.mark.parametrize(
    ("tenant", "site"), [("", "a"), ("a", ""), ("a/b", "c"), ("a", "+"), ("#", "a"), ("a" * 65, "b"), ("a", "b c")]
)
def test_a_name_that_is_no_level_of_a_topic_is_misuse(tenant: str, site: str) -> None:
    with pytest.raises(RecordMisused):
        Origin(tenant, site)


def test_what_the_contract_does_not_know_is_left_out_and_the_rest_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()  # here the words do matter
    event = Event(Channel.LOG, "clock.stepped", 0, 0.0, {"by_s": 1.5, "clockq": "synced", "note": "patient Q"})
    body = event_envelope(event, origin=ORIGIN, now=NOW, stream="s", sequence=1)
    assert json.loads(body)["data"] == {"by_s": 1.5, "clockq": "synced"}
    assert b"patient" not in body
    assert "note" in capsys.readouterr().out
    unknown = Event(Channel.LOG, "made.up", 0, 0.0, {"a": 1})
    assert json.loads(event_envelope(unknown, origin=ORIGIN, now=NOW, stream="s", sequence=2))["data"] == {}
