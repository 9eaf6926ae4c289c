import pytest

from bench.bounded import BenchFailed
from bench.media import FIGURES, LIMITS, figures, row
from bench.media_faults import FAULTS, Told, Wire, not_ready
from bench.site import Doc


def told(dead_s: float, tier_s: float) -> Told:
    return Told(dead_s, tier_s)


def test_every_figure_is_of_faults_there_are() -> None:
    assert {name for names in FIGURES.values() for name in names} <= {fault.name for fault in FAULTS}
    assert list(LIMITS) == ["video_lost_s", "audio_lost_s", "both_lost_s", "freeze_s", "cpu_pct"]


def test_a_figure_is_the_worse_median_of_its_worst_fault_beyond_the_dwells() -> None:
    found = {fault.name: [told(1.1, 1.0 + (1, 3)[fault.tier - 2] + 0.2)] * 3 for fault in FAULTS}
    assert figures(found) == {"video_lost_s": 0.2, "audio_lost_s": 0.2, "both_lost_s": 0.2, "freeze_s": 0.2}
    found["audio off"] = [told(1.5, 4.1), told(1.7, 4.1), told(9.0, 4.1)]
    assert figures(found)["audio_lost_s"] == 0.7


def test_a_row_says_its_dwell_and_when_the_session_was_back() -> None:
    failover = next(fault for fault in FAULTS if fault.fails_over)
    assert row(failover, [Told(0.8, 1.4, 13.25)])[2:] == ("-0.20", "2", "1 + 1 = 2", "-0.60", "13.2")


def test_the_loss_counts_from_the_last_new_frame_of_what_fell_silent_first() -> None:
    wire = Wire()
    for line in ("10.0 to_room video", "10.1 from_room video", "10.2 from_room video", "10.3 to_room audio"):
        wire.take(line)
    wire.take("14.0 to_room video")
    assert wire.last_s(("video",), ("to_room", "from_room"), before_s=12.0) == 10.0
    assert wire.last_s(("video",), ("from_room",), before_s=12.0) == 10.2
    with pytest.raises(BenchFailed, match="no audio from room"):
        wire.last_s(("audio",), ("from_room",), before_s=12.0)


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        ({}, ""),
        ({"tier": {"tier": 1, "av_compliant": True}}, "tier 0"),
        ({"tier": {"tier": 0, "av_compliant": None}}, "live audio and video both ways"),
        ({"links": [{"verdict": "down"}]}, "links up"),
    ],
)
def test_what_is_missing_is_named(change: Doc, lacks: str) -> None:
    doc: Doc = {"tier": {"tier": 0, "av_compliant": True}, "links": [{"verdict": "up"}]}
    assert not_ready(doc | change, "0") == lacks
    assert "router" in not_ready(doc, "1")
