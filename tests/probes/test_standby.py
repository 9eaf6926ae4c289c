"""A link that carries nothing, proven over real routers to the reflector edged ships."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from probes.errors import MisuseError
from probes.fitness import Mark, PathProof
from probes.line_reading import CapacityReading, MeasureFailed, MeasureTrouble, Method, StandbyReading
from probes.packets.stamp_tlv import CosSeen
from probes.prober import Pin
from probes.reading import Direction
from probes.stamp_exchange import Crossing, Exchanged
from probes.stamp_reflector import Reflector
from probes.standby import Sample, StandbySettings, mark_of, prove_path, watch_standby
from tests.probes.routed_path import FAR, PINS, Way, routed_path

KEY = b"a key of the NOC"
both = pytest.mark.parametrize("version", [4, 6])


@pytest.fixture(scope="module")
def standing() -> Iterator[Way]:
    with routed_path() as way:
        yield way


@pytest.fixture
def way(standing: Way) -> Iterator[Way]:
    with standing.restored():
        yield standing


@contextmanager
def reflector(way: Way, version: int = 4, key: bytes | None = None) -> Iterator[Reflector]:
    with way.at(way.far):
        there = Reflector(FAR[version], 0, key=key)
    try:
        yield there
    finally:
        there.close()


def settings(there: Reflector, version: int = 4, **given: Any) -> StandbySettings:
    return StandbySettings.model_validate({"address": FAR[version], "port": there.address[1], **given})


@pytest.mark.parametrize(
    ("marked", "mark"),
    [
        (Exchanged(Crossing.BOTH_WAYS, cos=CosSeen(46, 46, 0, False), dscp_back=46), Mark.KEPT),
        (Exchanged(Crossing.BOTH_WAYS, cos=CosSeen(46, 0, 0, False), dscp_back=46), Mark.CHANGED),
        (Exchanged(Crossing.BOTH_WAYS, cos=CosSeen(46, 46, 0, False), dscp_back=0), Mark.CHANGED),
        (Exchanged(Crossing.BOTH_WAYS, cos=CosSeen(46, 46, 0, True), dscp_back=0), Mark.KEPT),
        (Exchanged(Crossing.BOTH_WAYS, cos=CosSeen(46, 46, 0, False)), Mark.KEPT),
        (Exchanged(Crossing.CUT_SHORT, cos=CosSeen(46, 46, 0, False), dscp_back=46), Mark.KEPT),
        (Exchanged(Crossing.BOTH_WAYS, dscp_back=0), Mark.UNKNOWN),
        (Exchanged(Crossing.SILENT), Mark.DROPPED),
    ],
)
def test_what_became_of_the_mark(marked: Exchanged, mark: Mark) -> None:
    assert mark_of(marked, 46) is mark


@both
async def test_a_healthy_link_is_proven_with_two_packets(way: Way, version: int) -> None:
    with reflector(way, version) as there:
        proof, spent_bytes = await prove_path(settings(there, version), PINS[version], monotonic=lambda: 7.0)
        assert there.tally.answered == 2
    assert proof == PathProof(7.0, 1500, Mark.KEPT, 46)
    assert spent_bytes == 2 * (1500 + (84 if version == 4 else 104))


async def test_the_authenticated_mode_proves_the_same(way: Way) -> None:
    with reflector(way, key=KEY) as there:
        proof, _ = await prove_path(settings(there), PINS[4], KEY, monotonic=lambda: 7.0)
    assert proof == PathProof(7.0, 1500, Mark.KEPT, 46)


@both
async def test_a_small_link_whose_router_says_so_takes_three_packets(way: Way, version: int) -> None:
    way.mtu(1400)
    with reflector(way, version) as there:
        proof, spent_bytes = await prove_path(settings(there, version), PINS[version])
    assert proof is not None
    assert proof.mtu_bytes == 1400
    assert spent_bytes == 1500 + 2 * (1400 + (84 if version == 4 else 104))


@both
async def test_a_small_way_back_is_found_to_the_byte(way: Way, version: int) -> None:
    way.narrow_back(1403)
    with reflector(way, version) as there:
        proof, _ = await prove_path(settings(there, version, timeout_s=0.1), PINS[version])
    assert proof is not None
    assert proof.mtu_bytes == 1403


async def test_a_black_hole_for_large_packets_is_found_from_what_crossed_last_time(way: Way) -> None:
    way.mtu(1400)
    way.mute(way.provider, "destination-unreachable", "packet-too-big")
    with reflector(way) as there:
        proof, spent_bytes = await prove_path(settings(there, timeout_s=0.1), PINS[4], remembered=1400)
    assert proof is not None
    assert proof.mtu_bytes == 1400
    assert spent_bytes <= 3 * 1500 + 6 * (1400 + 84)  # no search


async def test_a_black_hole_never_met_before_is_found_to_the_byte(way: Way) -> None:
    way.mtu(1357)
    way.mute(way.provider, "destination-unreachable", "packet-too-big")
    with reflector(way) as there:
        proof, _ = await prove_path(settings(there, timeout_s=0.1), PINS[4])
    assert proof is not None
    assert proof.mtu_bytes == 1357


async def test_a_mark_that_is_dropped_is_no_silence(way: Way) -> None:
    way.rules(way.provider, "chain f { type filter hook forward priority 0; ip dscp ef drop; }")
    with reflector(way) as there:
        proof, _ = await prove_path(settings(there, timeout_s=0.1), PINS[4], monotonic=lambda: 7.0)
    assert proof == PathProof(7.0, 1500, Mark.DROPPED, None)


async def test_a_link_that_dies_under_the_search_is_silent_and_not_small(way: Way) -> None:
    with reflector(way) as there:
        first = "limit rate 1/hour burst 2 packets accept; drop;"  # the smallest packet there and back
        way.rules(way.provider, f"chain f {{ type filter hook forward priority 0; {first} }}")
        proof, spent_bytes = await prove_path(settings(there, timeout_s=0.1), PINS[4])
    assert proof is None
    assert spent_bytes <= 4 * 84 + 3 * (1500 + 1200 + 84)  # nine packets in vain, and not the whole search


async def test_where_the_kernel_will_not_send_nobody_answers_and_nothing_is_spent(way: Way) -> None:
    with reflector(way) as there:
        assert await prove_path(settings(there), Pin(interface="nosuch0")) == (None, 0)
    way.lose_the_route()
    assert await prove_path(settings(there), PINS[4]) == (None, 0)


# ── the watch ──────────────────────────────────────────────────────────────────────────────────────────
class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@contextmanager
def watching(
    given: StandbySettings, pin: Pin = PINS[4], *, sample: Sample | None = None, again: asyncio.Event | None = None
) -> Iterator[tuple[asyncio.Queue[StandbyReading], Clock, list[int]]]:
    readings: asyncio.Queue[StandbyReading] = asyncio.Queue()
    clock, spent = Clock(), list[int]()
    watch = asyncio.ensure_future(
        watch_standby(
            "cellular", pin, given, readings.put_nowait, sample=sample, again=again, spent=spent.append, monotonic=clock
        )
    )
    try:
        yield readings, clock, spent
    finally:
        watch.cancel()


async def test_it_is_proven_at_the_start_and_told(way: Way) -> None:
    with reflector(way) as there, watching(settings(there)) as (readings, _, spent):
        reading = await readings.get()
    assert reading == StandbyReading("cellular", 1000.0, 1500, 46, 46, None, None, 1000.0, True, ())
    assert spent == [3168]


async def test_it_is_proven_again_when_told_and_the_change_is_logged(way: Way) -> None:
    again = asyncio.Event()
    with (
        structlog.testing.capture_logs() as logs,
        reflector(way) as there,
        watching(settings(there), again=again) as (readings, _, _),
    ):
        assert (await readings.get()).fit is True
        way.mtu(1400)
        again.set()
        reading = await readings.get()
    assert (reading.fit, reading.lacks, reading.mtu_bytes) == (False, ("mtu",), 1400)
    assert [entry["log_level"] for entry in logs if entry["event"] == "standby"] == ["info", "info"]


def capacity(direction: Direction, mbit: float) -> CapacityReading:
    return CapacityReading("cellular", 1000.0, direction, Method.TRAIN, mbit * 1e6, mbit * 9e5, mbit * 11e5, 0.9, 500)


@pytest.mark.parametrize(
    ("found", "fit", "lacks"),
    [
        ((capacity(Direction.UP, 5), capacity(Direction.DOWN, 30)), True, ()),
        ((capacity(Direction.UP, 3), capacity(Direction.DOWN, 30)), False, ("up_rate",)),
        (
            (
                capacity(Direction.UP, 5),
                MeasureFailed("cellular", 1000.0, Direction.DOWN, Method.TRAIN, MeasureTrouble.NO_ANSWER, 0),
            ),
            None,
            (),
        ),
    ],
)
async def test_a_capacity_sample_follows_where_a_rate_is_needed(
    way: Way, found: tuple[CapacityReading | MeasureFailed, ...], fit: bool | None, lacks: tuple[str, ...]
) -> None:
    async def sample() -> tuple[CapacityReading | MeasureFailed, ...]:
        return found

    with (
        reflector(way) as there,
        watching(settings(there, need_up_mbit=4, need_down_mbit=4), sample=sample) as (readings, _, _),
    ):
        assert (await readings.get()).fit is None
        reading = await readings.get()
    assert (reading.fit, reading.lacks) == (fit, lacks)


async def test_a_sample_that_was_not_begun_is_asked_for_again_within_a_minute(way: Way) -> None:
    refused = tuple(
        MeasureFailed("cellular", 1000.0, each, Method.TRAIN, MeasureTrouble.USERS_HURT, 0) for each in Direction
    )
    taken = capacity(Direction.UP, 5), capacity(Direction.DOWN, 30)
    found: list[tuple[CapacityReading | MeasureFailed, ...]] = [refused, taken]
    asked: list[float] = []

    async def sample() -> tuple[CapacityReading | MeasureFailed, ...]:
        asked.append(clock())
        return found[len(asked) - 1]

    again, needs = asyncio.Event(), {"need_up_mbit": 4, "need_down_mbit": 4}
    with (
        reflector(way) as there,
        watching(settings(there, **needs), sample=sample, again=again) as (readings, clock, _),
    ):
        assert (await readings.get()).fit is None
        clock.now_s += 61
        again.set()
        assert (await readings.get()).fit is None
        assert (await readings.get()).fit is True
    assert asked == [1000.0, 1061.0]


async def test_no_sample_is_taken_where_no_rate_is_needed_or_nobody_answers(way: Way) -> None:
    samples = 0

    async def sample() -> tuple[CapacityReading | MeasureFailed, ...]:
        nonlocal samples
        samples += 1
        return ()

    with reflector(way) as there:
        with watching(settings(there), sample=sample) as (readings, _, _):
            assert (await readings.get()).fit is True
        way.lose_the_route()
        with watching(settings(there, need_up_mbit=4), sample=sample) as (readings, _, _):
            assert (await readings.get()).lacks == ("no_answer",)
    assert samples == 0


async def test_a_proof_grows_too_old_between_two_tries_and_that_is_told(way: Way) -> None:
    again = asyncio.Event()
    with reflector(way) as there, watching(settings(there), again=again) as (readings, clock, _):
        assert (await readings.get()).fit is True
        way.lose_the_route()
        clock.now_s += 3 * 3600 - 0.05
        again.set()
        before = await readings.get()
        clock.now_s += 0.1
        after = await readings.get()
    assert (before.lacks, after.lacks) == (("no_answer",), ("no_answer", "stale"))
    assert (after.fit, after.mtu_bytes, after.proven_s) == (False, 1500, 1000.0)


async def test_cancelled_in_the_middle_of_a_question_it_leaves_no_socket_behind() -> None:
    open_files = len(os.listdir("/proc/self/fd"))
    given = StandbySettings.model_validate({"address": "127.0.0.1", "port": 9})
    watch = asyncio.ensure_future(watch_standby("cellular", Pin(), given, lambda _: None))
    while len(os.listdir("/proc/self/fd")) == open_files:
        await asyncio.sleep(0)
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    assert watch.cancelled()
    assert len(os.listdir("/proc/self/fd")) == open_files


@pytest.mark.parametrize("content", [b"", None])
async def test_a_key_that_cannot_be_read_is_said_at_once(tmp_path: Path, content: bytes | None) -> None:
    key_file = tmp_path / "stamp.key"
    key_file.write_bytes(content if content is not None else KEY)
    given = StandbySettings.model_validate({"address": FAR[4], "key_file": key_file})
    if content is None:
        key_file.unlink()
    with pytest.raises(MisuseError, match=r"stamp\.key"):
        await watch_standby("cellular", PINS[4], given, lambda _: None)
