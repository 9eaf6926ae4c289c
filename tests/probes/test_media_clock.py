from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.media_clock import ClockEstimate, Guess, step_of
from probes.reading import Medium

Point = tuple[float, int, int]


def points(ticks: int, every_s: float, seconds: float, *, origin: int = 0, jitter_s: float = 0.0) -> list[Point]:
    """(when, timestamp, sequence) of a steady source, each up to `jitter_s` late."""
    dice = Random(11)
    return [
        (n * every_s + dice.random() * jitter_s, (origin + n * ticks) % 2**32, (65_530 + n) % 65_536)
        for n in range(int(seconds / every_s))
    ]


def told(given_points: list[Point], *, repeats: bool = False) -> tuple[float | None, Guess | None]:
    """(when the medium was first told, what was told last)."""
    (t_s, timestamp, sequence), *rest = sorted(given_points)
    clock, first_s, guess = ClockEstimate(t_s, timestamp, sequence), None, None
    for t_s, timestamp, sequence in rest:
        clock.feed(t_s, timestamp, sequence)
        if repeats:
            clock.repeat()
        guess = clock.guess()
        first_s = t_s if guess and first_s is None else first_s
    return first_s, guess


@pytest.mark.parametrize("jitter_s", [0.0, 0.03, 0.1])
@pytest.mark.parametrize("origin", [0, 2**32 - 10_000])
@pytest.mark.parametrize(
    ("ticks", "every_s", "repeats", "medium", "clock_hz", "within_s"),
    [
        pytest.param(960, 0.02, False, Medium.AUDIO, 48_000, 0.7, id="Opus"),
        pytest.param(480, 0.01, False, Medium.AUDIO, 48_000, 0.7, id="Opus, 10 ms"),
        pytest.param(5760, 0.12, False, Medium.AUDIO, 48_000, 1.0, id="Opus, 120 ms"),
        pytest.param(19_200, 0.4, False, Medium.AUDIO, 48_000, 1.7, id="Opus in DTX from its beginning"),
        pytest.param(120, 0.0025, False, Medium.AUDIO, 48_000, 3.3, id="Opus, 2.5 ms"),
        pytest.param(160, 0.02, False, Medium.AUDIO, 8_000, 0.7, id="G.711"),
        pytest.param(320, 0.02, False, Medium.AUDIO, 16_000, 0.7, id="wideband telephony"),
        pytest.param(3000, 1 / 30, True, Medium.VIDEO, 90_000, 0.8, id="30 frames a second"),
        pytest.param(3000, 1 / 30, False, Medium.VIDEO, 90_000, 0.8, id="30 frames a second, one packet each"),
        pytest.param(3600, 1 / 25, False, Medium.VIDEO, 90_000, 0.8, id="25 frames a second, one packet each"),
        pytest.param(1500, 1 / 60, True, Medium.VIDEO, 90_000, 0.8, id="60 frames a second"),
        pytest.param(18_000, 0.2, True, Medium.VIDEO, 90_000, 1.4, id="5 frames a second"),
        pytest.param(45_000, 0.5, True, Medium.VIDEO, 90_000, 2.1, id="2 frames a second"),
        pytest.param(2880, 0.032, False, Medium.VIDEO, 90_000, 3.4, id="31.25 frames a second step like Opus"),
    ],
)
def test_the_slope_tells_the_medium_within_a_second_or_two(
    ticks: int,
    every_s: float,
    repeats: bool,
    medium: Medium,
    clock_hz: int,
    within_s: float,
    origin: int,
    jitter_s: float,
) -> None:
    first_s, guess = told(points(ticks, every_s, 3.5, origin=origin, jitter_s=jitter_s), repeats=repeats)
    assert guess is not None
    assert (guess.medium, guess.clock_hz) == (medium, clock_hz)
    assert 0.9 <= guess.confidence < 1.0
    assert first_s is not None
    assert first_s <= within_s


def test_silence_suppression_in_the_midst_of_speech_is_no_other_clock() -> None:
    """400 ms between packets, one second of each in turn; timestamps go on."""
    speech = points(960, 0.02, 4.0)
    mixed = [point for n, point in enumerate(speech) if n // 50 % 2 == 0 or n % 20 == 0]
    first_s, guess = told(mixed)
    assert guess is not None
    assert guess.medium is Medium.AUDIO
    assert first_s is not None
    assert first_s < 1.0


@pytest.mark.parametrize("queued_s", [0.1, 0.2, 0.3, 0.4, 0.5, 1.0, 2.0, 3.0, 5.0])
def test_a_queue_that_empties_when_a_stream_begins_makes_no_video_of_audio(queued_s: float) -> None:
    """Packets of `queued_s` come at once: the slope begins far too steep, at video's place even."""
    late = [(max(t_s, queued_s) + t_s / 1000, timestamp, n) for t_s, timestamp, n in points(960, 0.02, 12.0)]
    (t_s, timestamp, sequence), *rest = late
    clock = ClockEstimate(t_s, timestamp, sequence)
    media = set()
    for t_s, timestamp, sequence in rest:
        clock.feed(t_s, timestamp, sequence)
        if guess := clock.guess():
            media.add(guess.medium)
    assert media == {Medium.AUDIO}


@pytest.mark.parametrize(
    ("ticks", "every_s"),
    [
        pytest.param(0, 0.02, id="a clock that stands"),
        pytest.param(1, 0.02, id="a packet counter"),
        pytest.param(20, 0.02, id="milliseconds"),
        pytest.param(20_000, 0.02, id="microseconds"),
        pytest.param(500, 0.02, id="25 kHz"),
        pytest.param(-960, 0.02, id="backwards"),
        pytest.param(1_000_003, 0.02, id="jumps"),
    ],
)
def test_what_runs_at_no_media_clock_is_no_medium(ticks: int, every_s: float) -> None:
    assert told(points(ticks, every_s, 6.0)) == (None, None)


def test_noise_is_no_medium() -> None:
    dice = Random(2)
    for _ in range(50):
        assert told([(n * 0.02, dice.getrandbits(32), dice.getrandbits(16)) for n in range(200)]) == (None, None)


def test_a_source_that_begins_anew_is_measured_anew() -> None:
    first, then = points(960, 0.02, 1.0), points(960, 0.02, 2.0, origin=3_000_000_000)
    _, guess = told(first + [(t_s + 1.0, timestamp, n) for t_s, timestamp, n in then])
    assert guess is not None
    assert guess.medium is Medium.AUDIO


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
def test_a_step_is_right_across_any_wrap(start: int, step: int) -> None:
    assert step_of((start + step) % 2**32, start) == step


@settings(max_examples=40, deadline=None)
@given(
    origin=st.integers(0, 2**32 - 1),
    seed=st.integers(0, 2**32),
    kind=st.sampled_from([(960, 0.02, Medium.AUDIO), (160, 0.02, Medium.AUDIO), (3000, 1 / 30, Medium.VIDEO)]),
)
def test_wherever_it_begins_and_whatever_is_lost_late_or_reordered_the_medium_is_the_same(
    origin: int, seed: int, kind: tuple[int, float, Medium]
) -> None:
    ticks, every_s, medium = kind
    dice = Random(seed)
    kept = [
        (t_s + dice.random() * 0.08, timestamp, n)
        for t_s, timestamp, n in points(ticks, every_s, 3.5, origin=origin)
        if dice.random() > 0.2
    ]
    _, guess = told(kept)
    assert guess is not None
    assert guess.medium is medium
