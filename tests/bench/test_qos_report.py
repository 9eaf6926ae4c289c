import pytest

from bench.media_log import Added
from bench.qos_report import IDLE, Cell, Wires, figures, report

CALM = Wires(relay_pct=20.0, machine_pct=60.0, late_max_ms=1.0, overrun=0)


def cell(link: str, shaped: bool, load: str, p99_ms: float, p4_mbps: float | None, wires: Wires = CALM) -> Cell:
    """Downwards everything is half of what it is upwards."""
    ways = {"up": Added(p99_ms / 2, p99_ms), "down": Added(p99_ms / 4, p99_ms / 2)}
    p4_bps = None if p4_mbps is None else p4_mbps * 1e6
    return Cell(link, shaped, load, ways, lost_pct=0.0 if shaped else 5.0, p4_bps=p4_bps, wires=wires)


def site(link: str, off_ms: float, on_ms: float) -> list[Cell]:
    return [
        cell(link, False, IDLE, 0.5, None),
        cell(link, False, "tcp", off_ms / 2, 90.0),
        cell(link, False, "flood", off_ms, 96.0),
        cell(link, True, IDLE, 99.0, None),
        cell(link, True, "tcp", on_ms, 81.0),
        cell(link, True, "flood", on_ms / 2, 95.0),
    ]


ROUNDS = [*site("fiber", 80, 3), *site("cellular", 400, 6), *site("fiber", 81, 4), *site("cellular", 410, 7)]
ROUNDS += [*site("fiber", 70, 99), *site("cellular", 390, 5)]


def test_figures_are_medians_of_rounds_and_the_worst_of_loads() -> None:
    found = figures(ROUNDS)
    assert (found["p1_added_ms_p99_off"], found["p1_added_ms_p99_on"]) == (80.0, 4.0)
    assert (found["p1_added_ms_p99_off_cellular"], found["p1_added_ms_p99_on_cellular"]) == (400.0, 6.0)
    assert (found["p1_lost_pct_off"], found["p1_lost_pct_on"]) == (5.0, 0.0)


def test_the_ratio_is_that_of_the_load_that_lost_most() -> None:
    assert figures(ROUNDS)["p4_throughput_ratio"] == 0.9


def test_the_worse_way_decides() -> None:
    turned = [
        Cell(c.link, c.shaped, c.load, {"up": c.added["down"], "down": c.added["up"]}, c.lost_pct, c.p4_bps, c.wires)
        for c in ROUNDS
    ]
    assert figures(turned) == figures(ROUNDS)


def test_a_person_reads_every_measurement_and_the_verdict() -> None:
    text = report(ROUNDS)
    for words in (
        "cellular",
        "flood",
        "81.0 (81.0–81.0)",
        "p99 +4.0 ms, target < 10 ms: met",
        "the link's rate, not the",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("wires", "said"),
    [
        (Wires(relay_pct=85.0, machine_pct=60.0, late_max_ms=1.0, overrun=0), "the machine, not the link"),
        (Wires(relay_pct=20.0, machine_pct=60.0, late_max_ms=1.0, overrun=3), "the machine, not the link"),
        (Wires(relay_pct=20.0, machine_pct=99.0, late_max_ms=7.5, overrun=0), "the machine was full at times"),
    ],
)
def test_figures_of_a_machine_at_its_limit_say_so(wires: Wires, said: str) -> None:
    assert said in report([*ROUNDS, cell("fiber", True, "flood", 30.0, 95.0, wires)])


def test_a_target_that_is_not_met_is_called_so() -> None:
    assert "NOT MET" in report([*site("fiber", 80, 12), *site("cellular", 400, 6)])
