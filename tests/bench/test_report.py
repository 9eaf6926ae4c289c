import pytest

from bench.bounded import BenchFailed
from bench.report import BATTLES, scaled, summed
from bench.report_costs import Carried, Line, carried, writes
from bench.report_kills import Kills, Outcome
from bench.report_link import late_s
from bench.report_oracle import Told, Verdict
from bench.report_wire import most_bps


@pytest.mark.parametrize(
    ("part", "site", "kills"),
    [
        ("kills", 200, Kills(200, 50, 20)),
        ("kills", 20, Kills(20, 5, 2)),
        ("torn", 100, Kills(15, 4, 2)),
        ("disk", 4, Kills(1, 1, 1)),
    ],
)
def test_all_are_killed_in_proportion_and_at_least_once(part: str, site: int, kills: Kills) -> None:
    assert scaled(BATTLES[part], site) == kills


def test_the_last_line_sums_all_battles() -> None:
    lost = Verdict(told=9, lost=[Told(True, ("s", 1), "m")], duplicates=2, gaps=3)
    outcomes = [Outcome(Kills(200, 50, 20), Verdict(told=1), 1, 1), Outcome(Kills(30, 8, 4), lost, 1, 1)]
    assert summed(outcomes) == {"daemon_kills": 230, "broker_kills": 58, "lost": 1, "duplicates": 2, "gaps": 3}


def test_what_a_process_wrote_is_without_what_it_took_back() -> None:
    assert writes("rchar: 1\nwrite_bytes: 8192\ncancelled_write_bytes: 4096\n") == 4096


SS = """0 0 10.77.0.21:40000 198.51.100.10:1883
\t cubic wscale:7,7 rto:224 bytes_sent:1000 bytes_acked:900 bytes_received:50 segs_out:10 segs_in:5 data_segs_out:9
"""


def test_a_connection_costs_its_payload_and_a_header_for_each_segment() -> None:
    assert carried(SS) == Carried(up_bytes=1000 + 520, down_bytes=50 + 260)


def test_no_connection_is_no_figure() -> None:
    with pytest.raises(BenchFailed):
        carried("")


def test_a_line_is_scaled_to_a_day() -> None:
    line = Line(seconds=120, up_bytes=9000, down_bytes=3000)
    assert (line.bytes_per_day, line.share_up_pct) == (12000 * 720, 75)


def test_how_late_an_event_is_counts_from_what_it_tells() -> None:
    line = {"arrived_s": 1_767_225_600.75, "event": {"time": "2026-01-01T00:00:00.500Z"}}
    assert late_s(line) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("pieces", "bps"),
    [([], 0), ([(0, 10)], 40), ([(0, 10), (1.9, 10), (2, 10), (3.8, 5)], 100), ([(0, 10), (9, 10)], 40)],
)
def test_the_most_in_any_two_seconds(pieces: list[tuple[float, int]], bps: float) -> None:
    assert most_bps(pieces, 2) == bps
