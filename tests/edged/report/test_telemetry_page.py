"""docs/telemetry.md says what the code does: its examples are made by the code, or understood by it."""

import json
import random
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edged.clock import ClockQuality
from edged.contract import KINDS, fit
from edged.contract.kinds import Told
from edged.contract.people import ACT_REFUSALS
from edged.control.command_settings import CommandSettings
from edged.core.conditions import BY_NAME
from edged.core.events import Channel, Event
from edged.core.liveness import STREAMS
from edged.record.backlog import LIVE_S
from edged.record.envelope import CONTENT_TYPE, Origin, Stamp, event_envelope, measurement_envelope
from edged.record.recorded import DiskCause, Gone, Head, Recorded, RecordStatus, Stretch, Tombstone
from edged.record.settings import RecordSettings
from edged.record.witness import DOMAIN, Statement, check, fingerprint
from edged.report import history
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
from edged.report.messages import Composer, State
from edged.report.metric_table import METRICS
from edged.report.outgoing import MAX_RESENDS
from edged.report.reading import Noc
from edged.report.resend import ResendJob
from edged.report.settings import BrokerSettings, ShareSettings
from edged.report.signed import POLICY, Command, Order, Permitted, Why, parse_order, permit, signer
from edged.report.sweep import RETRY_CAP_S, RETRY_FIRST_S
from edged.report.topics import Topics
from edged.status import RETAINED
from edged.telemetry import COLUMNS, EVERY_S, LONGEST_SECONDS, SecondRecords
from probes.reading import Direction, LinkCause, Verdict, WayReading
from tests.edged.core.room import SITE as SITE_PLAN
from tests.edged.core.room import calm_room
from tests.edged.record.scene import ORIGIN, FixedClock
from tests.edged.report.orders import NOW, SITE
from tests.edged.test_telemetry import CALM

PAGE = (Path(__file__).parents[3] / "docs" / "telemetry.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^```json example=(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
STREAM, BOOT = "f43f8e97-9d6a-46ef-92e4-8fd032032bff", "3624b021-98e6-46f4-aafc-8b5470085929"
COMPOSER = Composer(ORIGIN, FixedClock(), BOOT, STREAM, 7, {"version": "0.1.0", "config_hash": "c0ffee"})
STATUS = RecordStatus(True, DiskCause.NONE, (Head(STREAM, 42, 40),), 2, 0, 0, 42, 0, 0, 0, 0)

CHECKPOINT = "ledger.checkpoint"
TRANSPORT_BYTES = 260
"""TLS, TCP and PUBACK."""


def example(name: str) -> Any:
    return json.loads(EXAMPLES[name])


def test_no_example_goes_unchecked() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert {name for name in EXAMPLES if f'"{name}"' not in source} == set()
    assert len(EXAMPLES) == PAGE.count("```json")


def test_the_event_is_one() -> None:
    now = Stamp(FixedClock().wall(), FixedClock().monotonic(), ClockQuality.SYNCED, BOOT)
    event = Event(Channel.LOG, "clock.stepped", 0, 99.5, {"by_s": -1.002, "clockq": "synced"})
    assert example("event") == json.loads(event_envelope(event, origin=ORIGIN, now=now, stream=STREAM, sequence=42))
    assert fit("clock.stepped", event.data) == (event.data, [])


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
        rows = job.take(len(job.ready))
        job.answered(len(rows), taken=True)
    assert example("answer") == job.answer([], head=42)
    refused = COMPOSER.refusal(Refusal("q-3", Reason.NOT_ALLOWED))
    assert example("refusal") == json.loads(refused.payload)["data"]


def test_the_tombstone_is_one() -> None:
    grave = Tombstone(STREAM, 3, 120, Gone.EVICTED)
    assert example("tombstone") == json.loads(COMPOSER.tombstone(grave))["data"]


@pytest.mark.parametrize("why", Gone)
def test_every_way_to_be_gone_is_explained(why: Gone) -> None:
    assert f"| `{why}` |" in PAGE


def test_the_signed_command_is_believed() -> None:
    order = parse_order(json.dumps(example("signed")).encode())
    assert isinstance(order, Order)
    [toml] = re.findall(r"^```toml\n(\[commands.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    keys = CommandSettings.model_validate(tomllib.loads(toml)["commands"]).trusted()
    key = signer(order, keys, SITE)
    assert not isinstance(key, Why)
    assert isinstance(permit(order, key, NOW), Permitted)
    assert example("command_answer")["id"] == example("signed")["id"]


@pytest.mark.parametrize("why", Why)
def test_every_reason_of_a_signed_command_is_explained(why: Why) -> None:
    assert f"| `{why}` |" in PAGE


@pytest.mark.parametrize("command", POLICY)
def test_every_command_is_listed_with_what_it_needs(command: Command) -> None:
    rule = POLICY[command]
    names = ", ".join(f"`{name}`" for name in rule.args.model_fields)
    assert f"| `{command}` | {names} | {rule.needs.name.lower()} |" in PAGE


def test_the_seconds_are_what_we_would_tell() -> None:
    ways = tuple(WayReading(way, 0.0, None, None, lossy=False, slow=False) for way in Direction)
    calm = replace(CALM, pace="session", sent=60, ways=ways)
    worse = (replace(ways[0], loss_pct=8.33), ways[1])
    seconds = SecondRecords(["fiber"], 0.0)
    seconds.feed(replace(calm, at_s=1.0, rtt_s=0.02))
    seconds.feed(replace(calm, at_s=2.0, rtt_s=0.0201))
    gray = replace(calm, at_s=4.0, rtt_s=0.0204, loss_pct=8.33, burst_longest=2, mos=3.91, ways=worse)
    seconds.feed(replace(gray, verdict=Verdict.DEGRADED, cause=LinkCause.GRAY_LOSS))
    assert example("seconds") == {"rows": seconds.batch(4.7)}


@pytest.mark.parametrize(("noisy", "link_bytes"), [(False, 530), (True, 780)])
def test_the_seconds_cost_what_the_page_says(noisy: bool, link_bytes: int) -> None:
    one, two = (_ten_seconds_of(names, noisy=noisy) for names in (["fiber"], ["fiber", "cellular"]))
    assert two - one == pytest.approx(link_bytes, rel=0.05)
    assert f"{link_bytes} " in PAGE
    assert f"{link_bytes * 259_200 / 1e6:.0f} " in PAGE
    assert one - (two - one) == pytest.approx(355, rel=0.05)  # 615 with TLS, TCP and PUBACK


def _ten_seconds_of(names: list[str], *, noisy: bool) -> int:
    """Bytes of the message."""
    dice, seconds = random.Random(1), SecondRecords(names, 0.0)
    for n in range(1, 11):
        for name in names:
            reading = replace(
                CALM,
                link=name,
                at_s=float(n),
                rtt_min_s=0.060 + 0.001 * dice.random(),
                rtt_s=0.061 + 0.005 * dice.random(),
                rtt_p95_s=0.07 + 0.01 * dice.random(),
                rtt_p99_s=0.08 + 0.01 * dice.random(),
                jitter_s=0.001 + 0.001 * dice.random(),
                ways=_ways(dice, noisy=noisy),
            )
            if noisy:
                loss_pct, mos = dice.choice([0.0, 1.7, 3.3]), 4.1 + 0.3 * dice.random()
                reading = replace(reading, loss_pct=loss_pct, mos=mos, burst_longest=dice.choice([0, 1, 2]))
            seconds.feed(reading)
    now = Stamp(FixedClock().wall(), FixedClock().monotonic(), ClockQuality.SYNCED, BOOT)
    data = {"rows": seconds.batch(10.4)}
    return len(
        measurement_envelope("links", data, origin=ORIGIN, now=now, stream=STREAM, sequence=10_000, first=10_000)
    )


def _ways(dice: random.Random, *, noisy: bool) -> tuple[WayReading, ...]:
    if not noisy:
        return tuple(WayReading(way, 0.0, 0.001, 0.001, lossy=False, slow=False) for way in Direction)
    loss_pct, delay_s = 9.0, 0.030
    return tuple(
        WayReading(way, loss_pct * dice.random(), delay_s * dice.random(), 0.001, lossy=False, slow=False)
        for way in Direction
    )


def test_every_column_is_in_the_example() -> None:
    (row,) = example("seconds")["rows"]
    assert set(row) == {"link", "age_s", "every_s", "seconds", *COLUMNS}


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
        topics.history,
        topics.event(Channel.TIER, 3),
        topics.event(Channel.LOG, 3),
        topics.snapshot("x"),
        topics.telemetry("x"),
    ):
        assert f"| `{topic}` |" in said


def test_the_seconds_of_a_session_are_what_we_would_tell() -> None:
    room = calm_room(replace(SITE_PLAN, rooms=("room-1",)))
    room.wait(4).streams({stream: stream != STREAMS[2] for stream in STREAMS}).wait(2)
    told = room.last("av.seconds").data
    assert example("av_seconds") == told
    assert fit("av.seconds", told) == (told, [])


@pytest.mark.parametrize(
    ("name", "kind", "an_hour"), [("av_seconds", "av.seconds", 360), ("checkpoint", CHECKPOINT, 60)]
)
def test_the_proof_costs_what_the_page_says(name: str, kind: str, an_hour: int) -> None:
    now = Stamp(FixedClock().wall(), FixedClock().monotonic(), ClockQuality.SYNCED, BOOT)
    event = Event(Channel.LOG, kind, 0, 99.5, example(name))
    spelled = event_envelope(event, origin=ORIGIN, now=now, stream=STREAM, sequence=10_000)
    assert f" {(len(spelled) + TRANSPORT_BYTES) * an_hour / 1e6:.2f} MB" in PAGE


def test_the_checkpoint_is_signed() -> None:
    said = example("checkpoint")
    assert fit("ledger.checkpoint", said) == (said, [])
    assert check(said["public_key"], Statement(said["stream"], said["at"], said["row_hash"]), said["signature"])
    assert said["key"] == fingerprint(said["public_key"])
    assert f"`{DOMAIN.decode().strip()}`" in PAGE


def test_every_event_is_listed() -> None:
    named = set(re.findall(r"`([a-z_]+\.[a-z_0-9.…]+)`", PAGE))
    kinds = {kind for kind, message in KINDS.items() if message.told is Told.EVENT}
    conditions = {f"{name}.{word}" for name in BY_NAME for word in ("raised", "cleared")}
    acts = {kind for kind in kinds if kind.startswith("act.")}
    assert kinds - conditions - acts - named == set()
    assert {"act.refused", "act.repeated"} <= named


@pytest.mark.parametrize("thing", RETAINED)
def test_every_snapshot_is_listed(thing: str) -> None:
    table = PAGE[PAGE.index("## Snapshots") : PAGE.index("## Events of a room")]
    assert re.search(rf"^\|[^|]*`{thing}`[^|]*\|", table, re.MULTILINE)


@pytest.mark.parametrize("code", ACT_REFUSALS)
def test_every_refusal_of_an_act_is_explained(code: str) -> None:
    table = PAGE[PAGE.index("| an act is `refused` as |") : PAGE.index("### The proof")]
    assert f"`{code}`" in table


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
        f"expire after {LIVE_S} s",
        f"after {RETRY_FIRST_S:g} s, {2 * RETRY_FIRST_S:g} s … {RETRY_CAP_S / 60:g} min",
        f"the last {record.keep_rows:,} rows or {record.keep_mib} MiB",
        f"more than {MAX_BYTES} bytes",
        f"more than {MAX_RESEND:,} rows",
        f"{['no', 'one', 'two', 'three', 'four'][MAX_RESENDS]} resends are under way",
        f"`{CONTENT_TYPE}`",
        f"`{history.CONTENT_TYPE}`",
        f"at most {history.MAX_MESSAGES} of them",
        f"{broker.will_delay_s} s (`will_delay_s`",
        f"at {ShareSettings().replay_kbit:g} kbit/s on average",
        f"Every {EVERY_S:g} s, one message a kind",
    ):
        assert figure in PAGE, figure
    assert LONGEST_SECONDS == 60  # "the last minute is told"


def test_every_attribute_is_explained() -> None:
    event = Event(Channel.LOG, "a.b", 0, 0.0, {})
    now = Stamp(0.0, 0.0, ClockQuality.UNSET, BOOT)
    attributes = {
        *json.loads(event_envelope(event, origin=ORIGIN, now=now, stream=STREAM, sequence=1)),
        *json.loads(COMPOSER.state(State.STOPPED, STATUS).payload),
        *json.loads(measurement_envelope("links", {}, origin=ORIGIN, now=now, stream=STREAM, sequence=2, first=1)),
    }
    table = PAGE[PAGE.index("| attribute |") : PAGE.index("An event is spelled once")]
    assert {name for name in attributes if f"`{name}`" not in table} == {"specversion", "datacontenttype"}
