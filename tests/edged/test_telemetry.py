import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from edged import telemetry
from edged.core.events import Json
from edged.telemetry import COLUMNS, EVERY_S, LONGEST_SECONDS, SecondRecords, SlowRecords, tell_figures
from probes.reading import Direction, LinkCause, LinkReading, Verdict, WayReading

CALM = LinkReading(
    link="fiber",
    at_s=0.0,
    verdict=Verdict.UP,
    since_s=0.0,
    cause=LinkCause.NONE,
    changed=False,
    rtt_s=0.02004,
    rtt_p95_s=0.0215,
    jitter_s=0.0004,
    loss_pct=0.0,
    sent=6,
    lost=0,
    targets=(),
    rtt_min_s=0.0195,
    rtt_p99_s=0.0221,
    mos=4.37,
)
WAYS = (
    WayReading(Direction.UP, 12.34, 0.0317, 0.001, lossy=True, slow=False),
    WayReading(Direction.DOWN, 0.0, None, None, lossy=False, slow=False),
)


def fed(*at_s: float, begin_s: float = 100.0) -> SecondRecords:
    """Readings whose median round trip in ms is their place."""
    records = SecondRecords(["fiber"], begin_s)
    for n, moment_s in enumerate(at_s, start=1):
        records.feed(replace(CALM, at_s=begin_s + moment_s, rtt_s=n / 1000))
    return records


def row(records: SecondRecords, now_s: float) -> dict[str, Any]:
    (found,) = records.batch(now_s)
    assert isinstance(found, dict)
    return dict(found)


@pytest.mark.parametrize(
    ("at_s", "ask_at_s", "rtt_ms"),
    [
        ((1, 2, 3), 3.2, [1, 2, 3]),
        ((0.1, 1.1, 2.1, 3.1), 3.5, [1, 2, 3, 4]),  # began before the first second was over
        ((0.7, 1.7, 2.7), 3.0, [1, 2, 3]),
        ((1, 2.02, 2.99, 4.01), 4.2, [1, 2, 3, 4]),  # our own process is late at times
        ((1, 2, 2.3, 3), 3.2, [1, 3, 4]),  # the verdict changed: the newest of that second
        ((1, 2, 2.6, 3), 3.2, [1, 2, 4]),
        ((1, 2, 5), 5.2, [1, 2, None, None, 3]),  # nobody looked
        ((1, 2), 5.2, [1, 2, None, None]),
        ((1, 2, 3.45, 4.45, 5.45), 5.6, [1, 2, 3, 4, 5]),  # its prober was started anew
        ((1, 2, 3.55, 4.55, 5.55), 5.6, [1, 2, None, 3, 4, 5]),
        ((), 3.2, None),
        ((3, 2, 1), 3.2, [None, None, 3]),  # a clock that runs backwards is none, but is no error either
    ],
)
def test_every_second_has_its_place(
    at_s: tuple[float, ...], ask_at_s: float, rtt_ms: list[float | None] | None
) -> None:
    assert row(fed(*at_s), 100.0 + ask_at_s)["rtt_ms"] == rtt_ms


@pytest.mark.parametrize("phase_s", [n / 10 for n in range(10)])
@pytest.mark.parametrize("late_s", [0.0, 0.02, 0.2])
def test_no_second_is_lost_or_doubled_whatever_the_rhythm(phase_s: float, late_s: float) -> None:
    records = fed(*(n + phase_s + late_s * (n % 3 == 0) for n in range(1, 61)))
    assert row(records, 160.0 + phase_s + 0.3)["rtt_ms"] == list(range(1, 61))


def test_batches_follow_each_other_without_a_gap() -> None:
    records, seen = SecondRecords(["fiber"], 0.0), []
    for n in range(1, 95):
        records.feed(replace(CALM, at_s=n + 0.25, rtt_s=n / 1000))
        if n % 10 == 3:
            seen.append(row(records, n + 0.9))
    assert [each["seconds"] for each in seen] == [3, *9 * [10]]
    assert [ms for each in seen for ms in each["rtt_ms"]] == list(range(1, 94))


def test_the_age_is_that_of_the_first_second() -> None:
    found = row(fed(*range(1, 11)), 110.7)
    assert (found["seconds"], found["age_s"], found["every_s"]) == (10, 9.7, 1)
    found = row(fed(*range(1, 8)), 110.7)  # three seconds of silence
    assert (found["seconds"], found["age_s"]) == (10, 9.7)
    assert found["verdict"] == [*7 * ["up"], None, None, None]


def test_a_link_that_never_spoke_is_null_and_not_good() -> None:
    found = row(SecondRecords(["fiber"], 0.0), 10.6)
    assert found["seconds"] == 10
    assert {found[name] for name in COLUMNS} == {None}


def test_a_reading_of_an_unknown_link_is_nobodys() -> None:
    records = SecondRecords(["cellular"], 0.0)
    records.feed(replace(CALM, at_s=1.0))
    assert row(records, 1.6)["verdict"] is None


def test_after_a_suspended_night_there_is_a_minute_of_nothing() -> None:
    records = fed(1, 2)
    assert row(records, 100.0 + 8 * 3600)["seconds"] == LONGEST_SECONDS
    records.feed(replace(CALM, at_s=100.0 + 8 * 3600 + 1))
    assert row(records, 100.0 + 8 * 3600 + 1.1)["verdict"] == [None, "up"]


def test_the_figures_are_rounded_and_equal_ones_told_once() -> None:
    records = SecondRecords(["fiber"], 0.0)
    for n in (1.0, 2.0):
        records.feed(replace(CALM, at_s=n, loss_pct=100 / 3 * (n - 1), ways=WAYS))
    found = row(records, 2.1)
    assert found == {
        "link": "fiber",
        "age_s": 1.1,
        "every_s": 1,
        "seconds": 2,
        "verdict": "up",
        "cause": "none",
        "pace": "calm",
        "sent": 6,
        "rtt_min_ms": 19.5,
        "rtt_ms": 20.0,
        "rtt_p95_ms": 21.5,
        "rtt_p99_ms": 22.1,
        "jitter_ms": 0.4,
        "loss_pct": [0.0, 33.3],
        "burst_longest": 0,
        "mos": 4.4,
        "up_loss_pct": 12.3,
        "down_loss_pct": 0.0,
        "up_delay_ms": 31.7,
        "down_delay_ms": None,
    }


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "EVERY_S", 0.0)


DOCUMENT: dict[str, Any] = {
    "ups": [{"ups": "network", "power": "mains", "charge_pct": 100.0, "flags": []}],
    "qos": [],
}


async def first_told(wanted: int, tell: Callable[..., Any]) -> dict[str, Mapping[str, Json]]:
    told: dict[str, Mapping[str, Json]] = {}
    enough = asyncio.Event()

    def take(kind: str, figures: Mapping[str, Json]) -> None:
        told.setdefault(kind, figures)
        if len(told) == wanted:
            enough.set()

    telling = asyncio.create_task(tell(take))
    await enough.wait()
    telling.cancel()
    return told


@pytest.mark.usefixtures("at_once")
async def test_each_kind_there_is_something_of_is_told() -> None:
    told = await first_told(2, lambda take: tell_figures(take, lambda: DOCUMENT, fed(1, 2), monotonic=lambda: 102.1))
    assert told.keys() == {"links", "ups"}
    assert told["ups"] == {
        "rows": [{"ups": "network", "power": "mains", "charge_pct": 100.0, "runtime_s": None, "load_pct": None}]
    }
    rows: Any = told["links"]["rows"]
    assert [each["rtt_ms"] for each in rows] == [[1.0, 2.0]]


ON_MAINS = {"ups": "network", "power": "mains", "contact": "ok", "charge_pct": 100.0}
SHAPED = {"interface": "wan", "rate_bps": 9_500_000, "state": "applied", "classes": []}


def slowly(*documents: tuple[float, list[dict[str, Any]], list[dict[str, Any]]]) -> list[tuple[float, str]]:
    """(when, which kind) was told of documents that looked so at those times."""
    slow = SlowRecords()
    return [
        (at_s, kind) for at_s, ups, qos in documents for kind, rows in slow.due({"ups": ups, "qos": qos}, at_s) if rows
    ]


def test_a_ups_and_a_shaper_that_stay_as_they_are_are_told_once_a_minute() -> None:
    found = slowly(*((n * (EVERY_S + 0.01), [ON_MAINS], [SHAPED]) for n in range(19)))
    assert [round(at_s) for at_s, kind in found if kind == "ups"] == [0, 60, 120, 180]
    assert [round(at_s) for at_s, kind in found if kind == "qos"] == [0, 60, 120, 180]


@pytest.mark.parametrize(
    ("ups", "qos", "told"),
    [
        ([ON_MAINS | {"power": "battery"}], [SHAPED], ["ups"]),
        ([ON_MAINS | {"contact": "lost"}], [SHAPED], ["ups"]),
        ([ON_MAINS, ON_MAINS | {"ups": "room"}], [SHAPED], ["ups"]),
        ([ON_MAINS], [SHAPED | {"rate_bps": 5_000_000}], ["qos"]),
        ([ON_MAINS], [SHAPED, SHAPED | {"interface": "lan"}], ["qos"]),
        ([ON_MAINS | {"charge_pct": 99.0}], [SHAPED | {"classes": [{"name": "p1", "bytes": 7}]}], []),
    ],
)
def test_a_state_that_changed_is_told_at_once_and_a_figure_that_moved_is_not(
    ups: list[dict[str, Any]], qos: list[dict[str, Any]], told: list[str]
) -> None:
    found = slowly((0, [ON_MAINS], [SHAPED]), (10, ups, qos), (20, ups, qos), (60, ups, qos), (70, ups, qos))
    assert [kind for at_s, kind in found if at_s == 10] == told
    assert [kind for at_s, kind in found if at_s == 20] == []
    assert sorted(kind for at_s, kind in found if at_s in (60, 70)) == ["qos", "ups"], "a minute after it was last told"


def test_what_there_is_none_of_is_not_told() -> None:
    assert slowly((0, [], []), (60, [], [])) == []
