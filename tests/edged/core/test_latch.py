import pytest

from edged.core.latch import Dwell, Latch, step

DWELL = Dwell(raise_s=3.0, clear_s=30.0)


@pytest.mark.parametrize(
    ("story", "raised"),
    [
        # (at_s, trigger, clear) … and whether it is up after the last
        ([(0, True, False), (2.9, True, False)], False),
        ([(0, True, False), (3.0, True, False)], True),
        ([(0, True, False), (2, False, True), (4, True, False), (6, True, False)], False),  # interrupted: dwell anew
        ([(0, True, False), (3, True, False), (10, False, True), (39, False, True)], True),
        ([(0, True, False), (3, True, False), (10, False, True), (40, False, True)], False),
        ([(0, True, False), (3, True, False), (10, False, True), (30, True, True), (45, False, True)], True),  # relapse
        ([(0, True, False), (3, True, False), (10, False, False), (99, False, False)], True),  # unknown never clears
        ([(0, False, False), (9, False, False)], False),  # unknown never raises
    ],
)
def test_up_after_the_raise_dwell_down_after_the_clear_dwell(
    story: list[tuple[float, bool, bool]], raised: bool
) -> None:
    latch = Latch()
    for at_s, trigger, clear in story:
        latch = step(latch, trigger=trigger, clear=clear, dwell=DWELL, now=at_s)
    assert latch.raised is raised
