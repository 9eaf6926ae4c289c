import pytest

from probes.media_frames import REMEMBERED, ShownFrames, is_padding_only
from probes.packets.rtp import RtpHeader

WRAP = 2**32


def new_frames(*timestamps: int) -> list[int]:
    shown, newest, found = ShownFrames(), None, []
    for timestamp in timestamps:
        if shown.is_new(timestamp % WRAP, newest):
            newest = timestamp % WRAP
            found.append(timestamp)
    return found


@pytest.mark.parametrize(
    ("timestamps", "frames"),
    [
        pytest.param((0, 0, 0, 3000, 3000), [0, 3000], id="several packets a frame"),
        pytest.param((0, 3000, 0, 3000, 6000), [0, 3000, 6000], id="retransmission of what was shown"),
        pytest.param((0, 6000, 3000, 9000), [0, 6000, 3000, 9000], id="a frame that overtook another"),
        pytest.param((300_000, 200_000), [300_000], id="repair of what was sent before we looked"),
        pytest.param((900_000, 5000, 8000), [900_000, 5000, 8000], id="a source that began anew, lower"),
        pytest.param((WRAP - 3000, WRAP, WRAP + 3000), [WRAP - 3000, WRAP, WRAP + 3000], id="the wrap"),
    ],
)
def test_t1_a_new_frame_is_a_timestamp_nobody_showed(timestamps: tuple[int, ...], frames: list[int]) -> None:
    assert new_frames(*timestamps) == frames


def test_what_is_remembered_is_bounded() -> None:
    shown = ShownFrames()
    for n in range(10 * REMEMBERED):
        assert shown.is_new(n * 3000, n * 3000 - 3000)
    assert not shown.is_new((10 * REMEMBERED - 100) * 3000, None)
    assert shown.is_new(3000, None)


@pytest.mark.parametrize(
    ("padding", "length", "only"),
    [(True, 236, True), (True, 267, True), (True, 1100, False), (False, 236, False)],
)
def test_padding_is_told_by_its_mark_and_is_never_long(padding: bool, length: int, only: bool) -> None:
    assert is_padding_only(RtpHeader(96, False, 1, 2, 3, padding), length) is only
