"""docs/telemetry.md says what the code does: its examples are made by the code, or understood by it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from edged.clock import ClockQuality
from edged.core.events import Channel, Event
from edged.record.envelope import CONTENT_TYPE, Origin, Stamp, event_envelope
from edged.record.recorded import DiskCause, Head, Recorded, RecordStatus, Stretch
from edged.record.settings import RecordSettings
from edged.report.commands import (
    MAX_BYTES,
    MAX_RESEND,
    Reason,
    Rebirth,
    Refusal,
    Resend,
    Watermark,
    parse_command,
    parse_noc,
    parse_watermark,
)
from edged.report.live import EXPIRY_S
from edged.report.messages import Composer, State
from edged.report.metric_table import METRICS
from edged.report.outgoing import MAX_RESENDS, RETRY_CAP_S, RETRY_FIRST_S
from edged.report.reading import Noc
from edged.report.resend import ResendJob
from edged.report.settings import BrokerSettings
from edged.report.topics import Topics
from tests.edged.record.scene import ORIGIN, FixedClock, tier_event

PAGE = (Path(__file__).parents[3] / "docs" / "telemetry.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^```json example=(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
STREAM, BOOT = "f43f8e97-9d6a-46ef-92e4-8fd032032bff", "3624b021-98e6-46f4-aafc-8b5470085929"
COMPOSER = Composer(ORIGIN, FixedClock(), BOOT, STREAM, 7, {"version": "0.1.0", "config_hash": "c0ffee"})
STATUS = RecordStatus(True, DiskCause.NONE, (Head(STREAM, 42, 40),), 2, 0, 0, 42, 0, 0, 0, 0)


def example(name: str) -> Any:
    return json.loads(EXAMPLES[name])


def test_no_example_goes_unchecked() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert {name for name in EXAMPLES if f'"{name}"' not in source} == set()
    assert len(EXAMPLES) == PAGE.count("```json")


def test_the_event_is_one() -> None:
    now = Stamp(FixedClock().wall(), FixedClock().monotonic(), ClockQuality.SYNCED, BOOT)
    assert example("event") == json.loads(
        event_envelope(tier_event(), origin=ORIGIN, now=now, stream=STREAM, sequence=42)
    )


def test_the_state_is_one() -> None:
    assert example("state") == json.loads(COMPOSER.state(State.ONLINE, STATUS).payload)


def test_what_the_noc_says_is_understood() -> None:
    assert parse_watermark(EXAMPLES["ack"].encode()) == Watermark(stream=STREAM, seq=42)
    assert isinstance(parse_command(EXAMPLES["resend"].encode(), retained=False), Resend)
    assert isinstance(parse_command(EXAMPLES["rebirth"].encode(), retained=False), Rebirth)
    assert parse_noc(EXAMPLES["noc"].encode()) is Noc.ONLINE


def test_the_answers_are_what_we_would_say() -> None:
    asked = parse_command(EXAMPLES["resend"].encode(), retained=False)
    assert isinstance(asked, Resend)
    job = ResendJob(asked)
    job.offer(Stretch(tuple(Recorded(n, STREAM, n, Channel.LOG, 0, b"", True) for n in range(3, 43)), None))
    while job.ready:
        job.take()
        job.answered(taken=True)
    assert example("answer") == job.answer()
    refused = COMPOSER.refusal(Refusal("q-3", Reason.NOT_ALLOWED))
    assert example("refusal") == json.loads(refused.payload)["data"]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    assert f"| `{reason}` |" in PAGE


def test_every_topic_is_listed() -> None:
    topics = Topics(Origin("T", "S"))
    said = (
        PAGE.replace("{tenant}", "T")
        .replace("{site}", "S")
        .replace("{0..4}", "3")
        .replace("{thing}", "x")
        .replace("{kind}", "x")
    )
    for topic in (
        topics.state,
        topics.acknowledgement,
        topics.request,
        topics.answer,
        topics.noc,
        topics.event(Channel.TIER, 3),
        topics.event(Channel.LOG, 3),
        topics.snapshot("x"),
        topics.telemetry("x"),
    ):
        assert f"| `{topic}` |" in said


def test_every_metric_is_listed_and_no_other() -> None:
    listed = set(re.findall(r"^\| `(edged_\w+)` \|", PAGE, re.MULTILINE))
    assert listed == {metric.name for metric in METRICS}


def test_the_figures_are_the_codes() -> None:
    broker, record = BrokerSettings(host="b"), RecordSettings()
    for figure in (
        f"At most {broker.in_flight} messages are unanswered",
        f"not answered within {broker.puback_timeout_s:g} s",
        f"{broker.reconnect_first_s:g} s to {broker.reconnect_cap_s:g} s apart",
        f"({int(1.5 * broker.keepalive_s)} s by\ndefault)",
        f"expire after {EXPIRY_S} s",
        f"after {RETRY_FIRST_S:g} s, {2 * RETRY_FIRST_S:g} s … {RETRY_CAP_S / 60:g} min",
        f"the last {record.keep_rows:,} rows or {record.keep_mib} MiB",
        f"more than {MAX_BYTES} bytes",
        f"more than {MAX_RESEND:,} rows",
        f"{['no', 'one', 'two', 'three', 'four'][MAX_RESENDS]} resends are under way",
        f"`{CONTENT_TYPE}`",
    ):
        assert figure in PAGE, figure


def test_every_attribute_is_explained() -> None:
    event = Event(Channel.LOG, "a.b", 0, 0.0, {})
    now = Stamp(0.0, 0.0, ClockQuality.UNSET, BOOT)
    attributes = {
        *json.loads(event_envelope(event, origin=ORIGIN, now=now, stream=STREAM, sequence=1)),
        *json.loads(COMPOSER.state(State.STOPPED, STATUS).payload),
    }
    table = PAGE[PAGE.index("| attribute |") : PAGE.index("An event is spelled once")]
    assert {name for name in attributes if f"`{name}`" not in table} == {"specversion", "datacontenttype"}
