"""The standby, proven all the time: is a link that carries nothing fit to carry a session?

A large packet and one with the mark of real-time media go to a STAMP reflector and back, by the link's own pin, and now
and then a capacity sample is taken. What may be lost is asked three times before it counts as silence, and a link that
fell silent meanwhile is "no answer", never "small MTU". A reading follows every proof and every try, and the moment a
proof grows too old. What it costs stands in `standby_settings`.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import structlog

from probes import fitness, path_mtu
from probes.errors import MisuseError
from probes.fitness import Mark, PathProof, Proofs
from probes.line_reading import CapacityReading, MeasureFailed, StandbyReading
from probes.prober import Pin
from probes.stamp_exchange import Crossing, Exchanged, StampExchange
from probes.standby_settings import StandbySettings

__all__ = ["Sample", "StandbySettings", "prove_path", "watch_standby"]

Sample: TypeAlias = Callable[[], Awaitable[tuple[CapacityReading | MeasureFailed, ...]]]

_LEAST_BETWEEN_S = 1.0  # however often somebody wants to know again
_ASK_AGAIN_S = 60.0  # for a sample that was not even begun
_ANSWERED = (Crossing.BOTH_WAYS, Crossing.CUT_SHORT)

_log = structlog.get_logger()


async def watch_standby(
    link: str,
    pin: Pin,
    settings: StandbySettings,
    emit: Callable[[StandbyReading], None],
    *,
    sample: Sample | None = None,
    again: asyncio.Event | None = None,
    spent: Callable[[int], None] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Proves at the start, on schedule, and (but for the sample) at once when `again` is set, until cancelled.

    `sample` takes a small capacity sample, and is asked only where the settings need a rate; None: capacity is no part
    of fitness. `spent` is told the bytes of each proof, both ways, IP headers included; a sample tells its own in its
    readings. Raises MisuseError for a key that cannot be read.
    """
    standby = _Standby(link, pin, settings, emit, sample, spent, monotonic)
    wanted = again or asyncio.Event()
    while True:
        wanted.clear()
        await standby.prove()
        await asyncio.sleep(_LEAST_BETWEEN_S)
        while not wanted.is_set() and (now_s := monotonic()) < standby.due_s:
            standby.tell_if_stale()
            with suppress(TimeoutError):
                await asyncio.wait_for(wanted.wait(), standby.next_s(now_s) - now_s)


async def prove_path(
    settings: StandbySettings,
    pin: Pin,
    key: bytes | None = None,
    *,
    remembered: int | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> tuple[PathProof | None, int]:
    """What packets find out about MTU and mark, and the bytes that took; None where nobody answers.

    `remembered` is the MTU found last time, in bytes. Takes two round trips where all is well, 6 s where nobody
    answers, and at most a minute.
    """
    try:
        exchange = StampExchange(settings.address, settings.port, pin, key)
    except OSError:  # no route, no source, no interface
        return None, 0
    try:
        return await _prove(exchange, settings, remembered, monotonic), exchange.spent_bytes
    finally:
        exchange.close()


async def _prove(
    exchange: StampExchange, settings: StandbySettings, remembered: int | None, monotonic: Callable[[], float]
) -> PathProof | None:
    marked = await exchange.ask(exchange.least_bytes, dscp=settings.dscp, each_s=settings.timeout_s)
    plain = marked if marked.crossing in _ANSWERED else await _smallest(exchange, settings)
    if plain.crossing not in _ANSWERED:
        return None
    mtu_bytes = None
    if plain.crossing is Crossing.BOTH_WAYS:
        mtu_bytes = await _search(exchange, settings, remembered)
        if mtu_bytes is None:
            return None
    arrived = marked.cos.received_dscp if marked.cos else None
    return PathProof(monotonic(), mtu_bytes, mark_of(marked, settings.dscp), arrived)


def mark_of(marked: Exchanged, dscp: int) -> Mark:
    """What became of `dscp`, from how the packet fared that carried it, while others are answered."""
    if marked.crossing not in _ANSWERED:
        return Mark.DROPPED
    if marked.cos is None:
        return Mark.UNKNOWN
    if marked.cos.received_dscp != dscp:
        return Mark.CHANGED
    # A reflector may refuse to send with a mark; then nothing is known of the way back.
    cleared = not marked.cos.refused and marked.dscp_back not in (None, dscp)
    return Mark.CHANGED if cleared else Mark.KEPT


async def _search(exchange: StampExchange, settings: StandbySettings, remembered: int | None) -> int | None:
    """The largest IP packet that crosses; None if the link fell silent altogether."""
    search = path_mtu.begin(
        wanted=settings.mtu_bytes,
        least=exchange.least_bytes,
        version=settings.address.version,
        remembered=remembered,
    )
    silent = 0
    while (size := path_mtu.next_size(search)) is not None:
        told = await exchange.ask(size, each_s=settings.timeout_s)
        if told.crossing is Crossing.BOTH_WAYS:
            search, silent = path_mtu.crossed(search, size), 0
            continue
        search = path_mtu.failed(search, size, told.fits_bytes, told.spare_bytes)
        silent = 0 if told.crossing is Crossing.TOO_BIG else silent + 1
        # A size after which smaller ones cross is one that does not fit. Two in silence may be a link that died.
        if silent and (silent % 2 == 0 or path_mtu.next_size(search) is None):
            smallest = await _smallest(exchange, settings)
            if smallest.crossing is not Crossing.BOTH_WAYS:
                return None
    return search.fits


async def _smallest(exchange: StampExchange, settings: StandbySettings) -> Exchanged:
    return await exchange.ask(exchange.least_bytes, each_s=settings.timeout_s)


class _Standby:
    """What is held of one link between proofs. `due_s`: when to prove again."""

    def __init__(
        self,
        link: str,
        pin: Pin,
        settings: StandbySettings,
        emit: Callable[[StandbyReading], None],
        sample: Sample | None,
        spent: Callable[[int], None] | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._link, self._pin, self._settings, self._emit = link, pin, settings, emit
        self._key = _read_key(settings.key_file)
        needed = settings.need_up_mbit is not None or settings.need_down_mbit is not None
        self._sample = sample if needed else None
        self._spent, self._monotonic = spent, monotonic
        self._proofs = Proofs(began_s=monotonic())
        self._told: StandbyReading | None = None
        self.due_s = self._sample_due_s = self._proofs.began_s

    async def prove(self) -> None:
        known = self._proofs.path
        path, spent_bytes = await prove_path(
            self._settings,
            self._pin,
            self._key,
            remembered=known.mtu_bytes if known else None,
            monotonic=self._monotonic,
        )
        now_s = self._monotonic()
        if path is None:
            self._proofs = fitness.unanswered(self._proofs)
        else:
            self._proofs = fitness.proven(self._settings, self._proofs, path)
        self.due_s = fitness.path_due_s(self._settings, self._proofs, now_s, random.random())
        if self._spent is not None:
            self._spent(spent_bytes)
        self._tell(spent_bytes=spent_bytes)
        if path is not None and self._sample is not None:
            await self._take_sample(self._sample)

    def next_s(self, now_s: float) -> float:
        """When there is something to do or to say."""
        stale_s = fitness.stale_at_s(self._settings, self._proofs, sampling=self._sample is not None)
        return min(self.due_s, stale_s) if stale_s > now_s else self.due_s

    def tell_if_stale(self) -> None:
        reading = self._reading()
        if self._told is not None and reading.lacks != self._told.lacks:
            self._tell()

    async def _take_sample(self, sample: Sample) -> None:
        if self._monotonic() >= self._sample_due_s:
            found = await sample()
            spent_bytes = sum(each.spent_bytes for each in found)
            if spent_bytes == 0:  # no leave, or no server: that found out nothing and cost nothing
                self._sample_due_s = self._monotonic() + _ASK_AGAIN_S
            else:
                self._proofs = fitness.sampled(self._settings, self._proofs, found, self._monotonic())
                self._sample_due_s = fitness.sample_due_s(self._settings, self._proofs, random.random())
                self._tell(spent_bytes=spent_bytes)
        self.due_s = min(self.due_s, self._sample_due_s)

    def _tell(self, spent_bytes: int = 0) -> None:
        before, self._told = self._told, self._reading()
        same = before is not None and (before.fit, before.lacks) == (self._told.fit, self._told.lacks)
        log = _log.debug if same else _log.info
        log("standby", link=self._link, fit=self._told.fit, lacks=self._told.lacks, spent_bytes=spent_bytes)
        self._emit(self._told)

    def _reading(self) -> StandbyReading:
        sampling = self._sample is not None
        return fitness.reading_of(self._link, self._settings, self._proofs, self._monotonic(), sampling=sampling)


def _read_key(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise MisuseError(f"standby: cannot read the key in {path}: {error.strerror}") from error
    if not key:
        raise MisuseError(f"standby: the key in {path} is empty")
    return key
