"""What is measured fits, as it was told and as it is told coarser after days without a line."""

import json
from dataclasses import replace
from typing import Any

from jsonschema import Draft202012Validator

from edged.clock import ClockQuality
from edged.contract import fit
from edged.contract.examples import BOOT, STREAM
from edged.contract.schemas import schemas
from edged.core.events import Json
from edged.record.downsample import STEPS_S, downsampled
from edged.record.envelope import Stamp, measurement_envelope
from edged.telemetry import SecondRecords
from probes.reading import Direction, LinkCause, Verdict, WayReading
from tests.edged.record.scene import ORIGIN
from tests.edged.test_telemetry import CALM

SCHEMAS = schemas()
STAMP = Stamp(1_767_225_600.0, 100.0, ClockQuality.SYNCED, BOOT)
LOSSY = replace(
    CALM,
    verdict=Verdict.DEGRADED,
    cause=LinkCause.GRAY_LOSS,
    rtt_p99_s=None,
    mos=1.0,
    loss_pct=100.0,
    burst_longest=20,
    ways=tuple(WayReading(direction, None, -0.002, None, True, True) for direction in Direction),
)


def measured(seconds: int) -> list[Json]:
    records = SecondRecords([CALM.link], 0.0)
    for second in range(1, seconds + 1):
        if second % 5:
            records.feed(replace(LOSSY if second % 7 else CALM, at_s=float(second)))
    return records.batch(float(seconds))


def told(kind: str, rows: list[Json], sequence: int) -> dict[str, Any]:
    now = STAMP.at(STAMP.monotonic_s + 10.0 * sequence)
    body = measurement_envelope(
        kind, {"rows": rows}, origin=ORIGIN, now=now, stream=STREAM, sequence=sequence, first=sequence
    )
    message: dict[str, Any] = json.loads(body)
    return message


def obeys(kind: str, message: dict[str, Any]) -> bool:
    Draft202012Validator(SCHEMAS[kind]).validate(message)
    return fit(kind, message["data"])[1] == []


def test_seconds_fit() -> None:
    assert obeys("tel.links", told("links", measured(10), 1))
    assert obeys("tel.links", told("links", measured(60), 1))


def test_links_told_coarser_fit() -> None:
    messages = [told("links", measured(10), sequence) for sequence in range(1, 181)]
    minutes = downsampled(messages, STEPS_S[0])
    tens = downsampled(minutes, STEPS_S[1])
    assert [message["first"] for message in (*minutes, *tens)] == [1, 1]
    assert all(obeys("tel.links", message) for message in (*minutes, *tens))


def test_upses_and_shapers_told_coarser_fit() -> None:
    ups: list[Json] = [{"ups": "network", "power": "mains", "charge_pct": 99, "runtime_s": None, "load_pct": 120.5}]
    one_class: dict[str, Json] = {
        "name": "p1",
        "packets": 1,
        "bytes": 2,
        "drops": 0,
        "backlog_bytes": 0,
        "rate_bps": None,
    }
    qos: list[Json] = [{"interface": "wan0", "rate_bps": None, "classes": [one_class]}]
    for kind, rows in (("ups", ups), ("qos", qos)):
        messages = [told(kind, rows, sequence) for sequence in range(1, 13)]
        assert all(obeys(f"tel.{kind}", message) for message in (*messages, *downsampled(messages, STEPS_S[0])))
