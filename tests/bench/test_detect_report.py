import json
from collections import Counter
from pathlib import Path

import pytest

from bench.detect import PARTS, chosen_by
from bench.detect_alarms import Alarms
from bench.detect_compare import Compared, Result
from bench.detect_live import Live, LiveCut, Wired, quick, wired
from bench.detect_report import (
    LIMITS,
    alarm_figures,
    alarms_text,
    compared_figures,
    faster,
    histogram,
    limits_text,
    live_figures,
    live_text,
    ordered,
    shipped_text,
    tuned_text,
)
from bench.outcomes import REGIMES, Bursts
from lab.daemon_config import toml_for
from probes.reading import Verdict

PROMISED = (
    "cuts",
    "cut_p50_ms",
    "cut_p99_ms",
    "probe_kbps",
    "gray_1_10_mean_s",
    "delay_step_s",
    "false_alarms_24h",
    "cpu_pct",
)
LIVE = Live(
    cuts=[LiveCut(0.150 + number / 1000, 0.001, 16) for number in range(60)],
    calm_cuts=[LiveCut(0.3, 0.002, 17, seen_s=0.31)],
    delay_steps_s=[0.5, 0.6],
    wire={"calm": Wired(4000, 5000, 6), "session": Wired(36_000, 38_000, 60)},
)


def result(mean_s: float, *, per_day: float = 0.001, how: str = "formula") -> Result:
    return Result("N misses", mean_s, 0.002, mean_s * 1.2, per_day, how)


def compared(rival_s: float) -> Compared:
    ours = Result("edged", 0.200, 0.002, 0.240, 0.001, "sampled", 15.0)
    rivals = [result(rival_s), result(0.3)]
    return Compared(REGIMES[1], Bursts.TIME, ours, [result(14.5)], rivals, rivals, result(0.7))


def alarms(down: int, *, alpha: float = 1e-4) -> Alarms:
    per_year = alpha * 120 * 365.25 * 86400
    return Alarms(REGIMES[2], Bursts.TIME, 2.0, per_year, alpha, Counter({Verdict.DOWN: down}), 432_000)


def test_what_is_promised_comes_first_and_is_there_also_when_not_measured() -> None:
    figures = ordered(live_figures(LIVE))
    assert tuple(figures)[: len(PROMISED)] == PROMISED
    assert figures["cuts"] == 60
    assert (figures["cut_p50_ms"], figures["cut_p99_ms"]) == (179.0, 209.0)
    assert figures["probe_kbps"] == 38.0
    assert figures["delay_step_s"] == 0.6
    assert figures["false_alarms_24h"] is None
    json.dumps(figures)


def test_a_limit_not_kept_is_said_and_one_not_measured_is_not() -> None:
    said = limits_text({"cut_p50_ms": 201.0, "cpu_pct": 2.9, "cut_p99_ms": None}).splitlines()
    assert said == ["cut_p50_ms 201, limit 200: NOT KEPT", "cpu_pct 2.9, limit 3: kept"]
    assert set(PROMISED[1:]) <= set(LIMITS)


def test_a_histogram_has_a_sign_for_every_20_ms() -> None:
    assert histogram([0.15, 0.15, 0.155, 0.19]) == "140 ms █ ▃ 200 ms"


@pytest.mark.parametrize(("rival_s", "expected"), [(0.150, True), (0.199, False), (0.250, False)])
def test_a_rival_is_faster_only_by_more_than_chance(rival_s: float, expected: bool) -> None:
    its = compared(rival_s)
    assert faster(its.at_ours[0], its.ours) is expected
    assert compared_figures([its])["faster_rivals"] == expected
    assert ("by 50 ms" in tuned_text([its])) is expected


def test_false_alarms_are_held_against_what_is_declared() -> None:
    expected = alarms(0).expected
    assert expected == pytest.approx(1e-4 * 120 * 7200)
    assert "yes" in alarms_text([alarms(80)], [])
    assert "NO" in alarms_text([alarms(160)], [])
    found = alarm_figures([alarms(80), alarms(160)], [alarms(0), alarms(2)])
    assert found == {"false_alarms_24h": 2, "simulated_hours": 2.0, "declared_rate_broken": 1}


def test_every_text_names_what_it_is_about() -> None:
    assert "at most 1.0" in live_text(LIVE)
    assert "N misses" in shipped_text([compared(0.25)])
    assert live_text(Live()) == ""


# ── live ───────────────────────────────────────────────────────────────────────────────────────────────
def test_the_sites_links_are_trusted_again_at_once() -> None:
    toml = quick(toml_for(Path("/run/lab")))
    assert toml.count("hold_down_s = 0") == toml.count("recovery_window_s = 1") == 2


def test_bytes_on_the_wire_are_bits_per_second_and_the_worse_way_counts() -> None:
    counted = {"seconds": 2.0, "bytes": {"up": 1000, "down": 1500}, "packets": {"up": 20, "down": 20}}
    assert wired(counted) == Wired(up_bps=4000, down_bps=6000, packets_per_s=10)
    assert wired(counted).worse_kbps == 6.0


# ── options ────────────────────────────────────────────────────────────────────────────────────────────
def test_all_parts_are_run_where_none_is_chosen_and_independent_loss_once() -> None:
    chosen = chosen_by([])
    assert chosen.parts == PARTS
    assert chosen.live.cuts >= 50
    assert len(chosen.lines) == 2 * len(REGIMES) - 1
    assert len(chosen_by(["--bursts", "time"]).lines) == len(REGIMES)


@pytest.mark.parametrize("wrong", [["--parts", "lvie"], ["--cuts", "0"], ["--hours", "-1"], ["--bursts", "x"]])
def test_a_wrong_option_ends_with_what_is_wrong(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        chosen_by(wrong)
    assert wrong[0] in capsys.readouterr().err
