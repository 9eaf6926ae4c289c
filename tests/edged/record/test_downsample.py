"""Days as minutes: what was bad stays visible, what was counted stays counted, nothing is made up."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.contract import fit
from edged.record.downsample import POLICY, STEPS_S, downsampled, spelled
from edged.record.errors import RecordBroken, RecordMisused
from edged.telemetry import COLUMNS

Figures = dict[str, Any]
START_S = 1000.0
NOTHING: Figures = dict.fromkeys(COLUMNS)
CALM: Figures = {
    **NOTHING,
    **{"verdict": "up", "cause": "none", "pace": "calm", "sent": 6, "rtt_min_ms": 19.5, "rtt_ms": 20.0},
    **{"rtt_p95_ms": 21.5, "rtt_p99_ms": 22.1, "jitter_ms": 0.4, "loss_pct": 0.0, "burst_longest": 0, "mos": 4.4},
}


def message(kind: str, sequence: int, at_s: float, rows: Sequence[Figures], stream: str = "s") -> dict[str, Any]:
    data = {"rows": list(rows)}
    envelope = {"id": f"{stream}:{sequence}", "type": f"edge.tel.{kind}.v1", "stream": stream, "sequence": sequence}
    return {**envelope, "monoms": str(round(at_s * 1000)), "data": data}


def told(seconds: Mapping[str, Sequence[Figures]], every: int = 10, lag_s: float = 0.4) -> list[dict[str, Any]]:
    """As the daemon tells them: so many seconds a message, columns folded."""
    longest = max(map(len, seconds.values()))
    messages = []
    for sequence, begin in enumerate(range(0, longest, every), start=1):
        now_s = START_S + min(begin + every, longest) + lag_s
        rows = [
            _row(link, part, now_s - START_S - begin - 1)
            for link, figures in seconds.items()
            if (part := figures[begin : begin + every])
        ]
        messages.append(message("links", sequence, now_s, rows))
    return messages


def _row(link: str, part: Sequence[Figures], age_s: float) -> Figures:
    columns = {name: _folded([figures[name] for figures in part]) for name in COLUMNS}
    return {"link": link, "age_s": round(age_s, 1), "every_s": 1, "seconds": len(part), **columns}


def _folded(values: list[Any]) -> Any:
    return values[0] if all(value == values[0] for value in values) else values


def entries(messages: Iterable[Any], link: str) -> list[Figures]:
    """Every entry of a link, read as docs/telemetry.md says."""
    found = []
    for each in messages:
        for row in each["data"]["rows"]:
            if row["link"] == link:
                count = row["seconds"] // row["every_s"]
                assert row["seconds"] == count * row["every_s"]
                lists = {name: value for name, value in row.items() if isinstance(value, list)}
                assert {len(value) for value in lists.values()} <= {count}
                found += [{**row, **{name: value[at] for name, value in lists.items()}} for at in range(count)]
    return found


def column(messages: Iterable[Any], name: str, link: str = "fiber") -> list[Any]:
    return [entry.get(name) for entry in entries(messages, link)]


# ── by example ─────────────────────────────────────────────────────────────────────────────────────────
def test_a_quiet_ten_minutes_become_ten_entries_in_one_message() -> None:
    (found,) = downsampled(told({"fiber": [CALM] * 600, "cellular": [CALM] * 600}), 60)
    assert (found["first"], found["sequence"], found["id"]) == (1, 60, "s:60")
    data: Any = found["data"]
    for row, link in zip(data["rows"], ("fiber", "cellular"), strict=True):
        assert row == {
            **CALM,
            **{"link": link, "age_s": 540.4, "every_s": 60, "seconds": 600, "sent": 360, "seen_s": 60},
        }


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("verdict", ["up", "down", "degraded"], "down"),
        ("verdict", ["up", "unknown", None], "unknown"),  # not known is not good
        ("verdict", ["unknown", "degraded", "up"], "degraded"),
        ("pace", ["calm", "alert", None], "alert"),
        ("sent", [6, None, 60], 66),
        ("rtt_min_ms", [20.0, None, 19.0], 19.0),
        ("rtt_ms", [20.0, 400.0, 21.0], 21.0),
        ("rtt_ms", [20.0, None, 400.0], 400.0),
        ("rtt_p95_ms", [20.0, 400.0, 21.0], 400.0),
        ("rtt_p99_ms", [20.0, 400.0, None], 400.0),
        ("jitter_ms", [0.1, 9.0, 0.2], 9.0),
        ("burst_longest", [0, 7, 1], 7),
        ("mos", [4.4, 1.2, None], 1.2),
        ("up_loss_pct", [0.0, 50.0, 1.0], 50.0),
        ("down_delay_ms", [None, None, None], None),
        ("a_column_of_a_later_version", ["one", "two", None], "two"),
    ],
)
def test_what_stands_for_several(name: str, values: list[Any], said: Any) -> None:
    row = {"link": "fiber", "age_s": 2.4, "every_s": 1, "seconds": 3, **CALM, name: values}
    assert column(downsampled([message("links", 1, START_S, [row])], 60), name) == [said]


def test_every_column_the_daemon_tells_has_a_policy() -> None:
    assert POLICY.keys() == COLUMNS.keys() | {"seen_s"}


def test_the_cause_is_that_of_the_worst_second() -> None:
    causes = [("up", "none"), ("degraded", "delay"), ("down", "loss"), ("down", "carrier"), ("up", "none")]
    seconds = [{**CALM, "verdict": verdict, "cause": cause} for verdict, cause in causes]
    assert column(downsampled(told({"fiber": seconds}), 60), "cause") == ["loss"]


def test_loss_is_weighed_by_the_probes_sent_and_one_lost_probe_stays_visible() -> None:
    seconds = [{**CALM, "sent": 6, "loss_pct": 0.0}] * 599 + [{**CALM, "sent": 6, "loss_pct": 16.7}]
    assert column(downsampled(told({"fiber": seconds}), 600), "loss_pct") == [0.028]
    uneven = [{**CALM, "sent": 60, "loss_pct": 10.0}, {**CALM, "sent": 20, "loss_pct": 50.0}]
    assert column(downsampled(told({"fiber": uneven}), 60), "loss_pct") == [20.0]


def test_a_minute_partly_unobserved_says_how_much_of_it_was() -> None:
    seconds = [CALM] * 60 + [NOTHING] * 60 + [NOTHING] * 45 + [CALM] * 15
    found = downsampled(told({"fiber": seconds}), 60)
    assert column(found, "seen_s") == [60, 0, 15]
    assert column(found, "verdict") == ["up", None, "up"]
    assert column(found, "sent") == [360, None, 90]


def test_steps_are_counted_back_from_the_last_second() -> None:
    (found,) = downsampled(told({"fiber": [CALM] * 70}), 60)
    assert column([found], "seen_s") == [10, 60]
    data: Any = found["data"]
    assert data["rows"][0]["age_s"] == 60.4


def test_a_message_that_was_only_late_does_not_shift_the_others() -> None:
    messages = told({"fiber": [CALM] * 120})
    for each, late_s in zip(messages, [0, 0.3, -0.2, 0, 0.4, 0, 0, -0.3, 0, 0.2, 0, 0], strict=True):
        each["monoms"] = str(int(each["monoms"]) + round(late_s * 1000))
    assert column(downsampled(messages, 60), "seen_s") == [60, 60]


def test_a_night_of_silence_makes_two_messages_and_no_row_of_nulls() -> None:
    evening, morning = told({"fiber": [CALM] * 60}), told({"fiber": [CALM] * 60})
    for sequence, each in enumerate(morning, start=7):
        each["sequence"], each["monoms"] = sequence, str(int(each["monoms"]) + 8 * 3_600_000)
    found = downsampled(evening + morning, 60)
    assert [(each["first"], each["sequence"]) for each in found] == [(1, 6), (7, 12)]
    assert column(found, "seen_s") == [60, 60]


def test_of_a_ups_the_last_row_and_the_least_it_had() -> None:
    rows = [
        {"ups": "network", "power": power, "charge_pct": charge, "runtime_s": runtime, "load_pct": 20.0}
        for power, charge, runtime in [("battery", 90.0, 900.0), ("battery", 40.0, None), ("mains", 41.0, 500.0)]
    ]
    messages = [message("ups", n, START_S + 10 * n, [row]) for n, row in enumerate(rows, start=1)]
    (found,) = downsampled(messages, 60)
    assert (found["first"], found["sequence"]) == (1, 3)
    assert found["data"] == {"rows": [{**rows[2], "charge_pct": 40.0, "runtime_s": 500.0}]}


def test_of_a_shaper_the_last_row_with_its_counters_and_of_an_unknown_kind_the_last_message() -> None:
    for kind in ("qos", "moisture"):
        messages = [message(kind, n, START_S + 60 * n, [{"interface": "wan", "bytes": n}]) for n in range(1, 21)]
        found = downsampled(messages, 600)
        assert [(each["first"], each["sequence"]) for each in found] == [(1, 10), (11, 20)]
        assert [each["data"] for each in found] == [{"rows": [{"interface": "wan", "bytes": n}]} for n in (10, 20)]


def test_a_subject_that_is_gone_keeps_its_last_row() -> None:
    both = [{"interface": "wan", "bytes": 1}, {"interface": "lan", "bytes": 2}]
    messages = [message("qos", 1, START_S, both), message("qos", 2, START_S + 10, both[:1])]
    (found,) = downsampled(messages, 60)
    assert found["data"] == {"rows": both}


def test_streams_kinds_and_gaps_are_refused() -> None:
    one, two, three = told({"fiber": [CALM] * 30})
    for wrong in ({**two, "stream": "t"}, {**two, "type": "edge.tel.ups.v1"}, three):
        with pytest.raises(RecordMisused):
            downsampled([one, wrong], 60)


def test_what_is_no_telemetry_is_refused() -> None:
    with pytest.raises(RecordBroken):
        downsampled([message("links", 1, START_S, [{"link": "fiber"}])], 60)


# ── whatever was measured ──────────────────────────────────────────────────────────────────────────────
def _maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


_tenths = st.integers(0, 5000).map(lambda n: n / 10)
SEEN = st.fixed_dictionaries(
    {
        **dict.fromkeys(COLUMNS, _maybe(_tenths)),
        "verdict": st.sampled_from(["up", "unknown", "degraded", "down"]),
        "cause": st.sampled_from(["none", "loss", "delay"]),
        "pace": st.sampled_from(["calm", "alert", "session"]),
        "sent": st.integers(0, 100),
        "loss_pct": _maybe(st.integers(0, 1000).map(lambda n: n / 10)),
    }
)
SECONDS = st.lists(st.lists(st.just(NOTHING) | SEEN, min_size=1, max_size=12), min_size=1, max_size=12).map(
    lambda parts: [figures for part in parts for figures in part * 9]
)
_SEVERITY = [None, "up", "unknown", "degraded", "down"]


def _known(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _hold_the_worst_and_the_sums(before: list[Any], after: list[Any], link: str) -> None:
    def both(name: str) -> tuple[list[Any], list[Any]]:
        return _known(column(before, name, link)), _known(column(after, name, link))

    for name in COLUMNS:
        was, became = both(name)
        assert bool(was) == bool(became), f"{name}: known stays known, unknown is not made up"
    for name in ("rtt_p95_ms", "rtt_p99_ms", "jitter_ms", "burst_longest", "up_loss_pct", "down_delay_ms"):
        assert max(both(name)[0], default=None) == max(both(name)[1], default=None)
    for name in ("mos", "rtt_min_ms"):
        assert min(both(name)[0], default=None) == min(both(name)[1], default=None)
    assert sum(both("sent")[0]) == sum(both("sent")[1])
    assert set(both("rtt_ms")[1]) <= set(both("rtt_ms")[0]), "a median that was measured"
    was, became = both("verdict")
    assert max(map(_SEVERITY.index, was), default=0) == max(map(_SEVERITY.index, became), default=0)
    judged = {(entry["verdict"], entry["cause"]) for entry in entries(before, link)}
    assert {(entry["verdict"], entry["cause"]) for entry in entries(after, link)} <= judged | {(None, None)}
    loss, mean = both("loss_pct")
    assert not mean or min(loss) - 0.001 <= min(mean) <= max(mean) <= max(loss) + 0.001


@settings(max_examples=20, deadline=None)
@given(fiber=SECONDS, cellular=SECONDS, every_s=st.sampled_from([60, 600]))
def test_the_worst_stays_the_worst_and_sums_are_kept(
    fiber: list[Figures], cellular: list[Figures], every_s: int
) -> None:
    links = {"fiber": fiber, "cellular": cellular}
    messages = told(links)
    found = downsampled(messages, every_s)
    assert [(each.get("first", each["sequence"]), each["sequence"]) for each in found] == [(1, len(messages))]
    for link, figures in links.items():
        _hold_the_worst_and_the_sums(messages, found, link)
        assert sum(column(found, "seen_s", link)) == sum(second != NOTHING for second in figures)
        assert all(entry["age_s"] >= 0 for entry in entries(found, link))


@settings(max_examples=15, deadline=None)
@given(seconds=SECONDS)
def test_told_coarser_twice_is_as_bad_and_as_much_as_told_coarser_once(seconds: list[Figures]) -> None:
    messages = told({"fiber": seconds})
    minutes = downsampled(messages, 60)
    assert downsampled(minutes, 60) == minutes
    tens = downsampled(minutes, 600)
    assert downsampled(tens, 600) == tens
    _hold_the_worst_and_the_sums(minutes, tens, "fiber")
    assert sum(column(tens, "seen_s")) == sum(second != NOTHING for second in seconds)


@pytest.mark.parametrize("every_s", STEPS_S)
def test_what_comes_out_is_what_the_contract_lets_be_said(every_s: int) -> None:
    for each in downsampled(told({"fiber": [CALM] * 90 + [NOTHING] * 90, "cellular": [NOTHING] * 200}), every_s):
        data: Any = each["data"]
        assert fit("tel.links", data)[1] == []


def test_it_shrinks_to_less_than_a_twentieth() -> None:
    seconds = [{**CALM, "rtt_ms": 20 + n % 7 / 10, "rtt_p99_ms": 22 + n % 13 / 10} for n in range(1800)]
    messages = told({"fiber": seconds})
    before, after = (sum(map(len, spelled(each))) for each in (messages, downsampled(messages, 60)))
    assert after < before / 20
