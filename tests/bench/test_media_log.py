import json

import pytest

from bench.media_log import Added, Heard, added, heard


def second(end_s: float, medium: str, *delays_us: int, lost: int = 0) -> str:
    figures = {"received": len(delays_us), "lost": lost, "octets": 0, "delays_us": list(delays_us)}
    return json.dumps({"monotonic_s": end_s, "wall_s": 0.0, "medium": medium, **figures, "sent": 0}) + "\n"


def test_only_whole_seconds_within_the_stretch_count() -> None:
    log = [second(end_s, "audio", int(1000 * end_s)) for end_s in (10.5, 11.5, 12.5, 13.5)]
    assert heard(log, 10.5, 12.5) == Heard({"audio": [11.5, 12.5]}, received=2, lost=0)


def test_a_line_that_is_still_being_written_is_left_out() -> None:
    log = [second(11.0, "audio", 10_000), second(12.0, "audio", 20_000)[:-5]]
    assert heard(log, 10.0, 13.0).delays_ms == {"audio": [10.0]}


def test_media_are_kept_apart_and_losses_added_up() -> None:
    log = [second(11.0, "audio", 10_000, lost=1), second(11.0, "video", 12_000, 13_000), second(12.0, "video", lost=6)]
    found = heard(log, 10.0, 12.0)
    assert found == Heard({"audio": [10.0], "video": [12.0, 13.0]}, received=3, lost=7)
    assert found.lost_pct == 70.0


def test_a_packet_that_overtook_the_end_of_a_second_is_no_loss() -> None:
    assert heard([second(11.0, "audio", 10_000, lost=-1)], 10.0, 12.0).lost_pct == 0.0


def test_silence_is_no_delay() -> None:
    with pytest.raises(ValueError, match="no media arrived"):
        heard([second(11.0, "audio", lost=50)], 10.0, 12.0)


def test_added_delay_is_counted_from_the_idle_median_of_its_own_medium() -> None:
    idle = Heard({"audio": [10.0, 10.0, 13.0], "video": [30.0]}, received=4, lost=0)
    loaded = Heard({"audio": [11.0], "video": [34.0]}, received=2, lost=0)
    assert added(idle, loaded) == Added(p50_ms=1.0, p99_ms=4.0)
    assert added(idle, idle) == Added(p50_ms=0.0, p99_ms=3.0)


def test_a_medium_without_an_idle_figure_has_no_added_delay() -> None:
    with pytest.raises(ValueError, match="no video"):
        added(Heard({"audio": [10.0]}, 1, 0), Heard({"video": [10.0]}, 1, 0))
