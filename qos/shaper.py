"""Keeps the planned tree on each in-line interface: apply, verify, count, remove.

Whatever is found is brought to the plan by the fewest operations, so applying twice, a new rate, a repaired drift and a
tree left behind by a killed process are the same act. Refusals never raise out of here: they become the state and cause
of a reading.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from errno import ENOENT, EOPNOTSUPP

import structlog

from qos.diff import Add, Delete, describe, diff, has_place
from qos.errors import KernelRefusedError
from qos.netlink import Found, Kernel, OperationRefusedError
from qos.plan import CLASS_IDS, Abilities, is_foreign, is_ours, leaf_kind, plan, shaped_bps
from qos.rates import Rates, WantedRates
from qos.reading import ClassReading, ShaperCause, ShaperReading, ShaperState
from qos.settings import InterfaceSettings, QosSettings
from qos.tc_wire import Counters
from qos.tree import Filter, HtbClass, Tree

log = structlog.get_logger()

# Each try may teach us one ability the kernel lacks (cake, fq_codel, tbf) or lose a race with somebody else's `tc`.
_TRIES = 6

Emit = Callable[[ShaperReading], None]


@dataclass(slots=True)
class _Line:
    """One in-line interface and what we know of it."""

    interface: InterfaceSettings
    index: int = 0
    state: ShaperState = ShaperState.OFF
    cause: ShaperCause = ShaperCause.NONE
    leaf: str | None = None
    rate_bps: int | None = None
    planned: tuple[tuple[int, int, Abilities], Tree] | None = None
    """The last plan and what it was made of; one serves many verifications (making it takes 1 ms)."""
    counted_s: float | None = None
    counters: dict[str, Counters] = field(default_factory=dict)
    rates_bps: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.interface.name


class Shaper:
    """For one task; every method returns a reading of each interface and raises for no refusal of the kernel."""

    def __init__(self, settings: QosSettings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._kernel = Kernel()
        self._abilities = Abilities()
        self._rates = Rates()
        self._lines = [_Line(interface) for interface in settings.interfaces]

    async def apply(self, rates: Rates) -> tuple[ShaperReading, ...]:
        """Bring every interface to the plan for these link rates; the margin is taken off here.

        A direction without a rate is freed."""
        self._rates = rates
        for line in self._lines:
            await self._bring(line)
        return await self._readings(self._lines)

    async def set_rate(self, up_bps: int | None, down_bps: int | None) -> tuple[ShaperReading, ...]:
        """Other rates for the same tree: classes and leaves change in place and keep their packets."""
        return await self.apply(Rates(up_bps, down_bps))

    async def verify(self) -> tuple[ShaperReading, ...]:
        """Read back and compare. A tree that changed gives two readings: DRIFTED, then what came of applying it again.

        Interfaces that failed before are tried again."""
        readings: list[ShaperReading] = []
        for line in self._lines:
            if line.state is ShaperState.ACTIVE and await self._is_as_planned(line):
                continue
            if line.state is ShaperState.DRIFTED:
                readings.append(self._reading(line))
            await self._bring(line)
        return (*readings, *await self._readings(self._lines))

    async def read(self) -> tuple[ShaperReading, ...]:
        """Counters only: one class dump an interface. A tree that is gone altogether is noticed here and put back."""
        readings: list[ShaperReading] = []
        for line in self._lines:
            if line.state is ShaperState.ACTIVE and not await self._count(line):
                self._turn(line, ShaperState.DRIFTED)
                readings.append(self._reading(line))
                await self._bring(line)
                await self._count(line)
        return (*readings, *(self._reading(line) for line in self._lines))

    async def remove(self) -> tuple[ShaperReading, ...]:
        """Take off what is ours and nothing else; the kernel puts its default back."""
        self._rates = Rates()
        return await self.apply(self._rates)

    async def _readings(self, lines: Iterable[_Line]) -> tuple[ShaperReading, ...]:
        for line in lines:
            if line.state is ShaperState.ACTIVE:
                await self._count(line)
        return tuple(self._reading(line) for line in lines)

    async def _is_as_planned(self, line: _Line) -> bool:
        """Turns the line to DRIFTED if not; a refusal is left to `_bring` to name."""
        try:
            found = await self._kernel.read(line.name)
        except KernelRefusedError:
            return False
        want = self._plan(line, found)
        if want is None or not (operations := diff(want, found.tree)):
            return True
        log.info("shaping drifted", interface=line.name, operations=len(operations), first=describe(operations[0]))
        self._turn(line, ShaperState.DRIFTED)
        return False

    async def _bring(self, line: _Line) -> None:
        """To the plan, or to FAILED with nothing of ours left."""
        try:
            if self._rates.toward(line.interface.direction) is None:
                await self._free(line)
                self._turn(line, ShaperState.OFF)
            else:
                await self._settle(line)
                self._turn(line, ShaperState.ACTIVE)
        except KernelRefusedError as error:
            self._turn(line, ShaperState.FAILED, error)
            await self._free_after_failure(line)

    async def _settle(self, line: _Line) -> None:
        refusal: KernelRefusedError | None = None
        for _ in range(_TRIES):
            found = await self._kernel.read(line.name)
            if isinstance(refusal, OperationRefusedError):
                self._learn(refusal, found.tree)
            _refuse_foreign(line, found.tree)
            want = self._plan(line, found)
            if want is None or not (operations := diff(want, found.tree)):
                line.index, line.leaf = found.index, leaf_kind(found.tree)
                return
            refusal = KernelRefusedError(
                f"{line.name}: the kernel does not keep what it was told: {describe(operations[0])}",
                cause=ShaperCause.REFUSED,
            )
            try:
                await self._kernel.carry_out(line.name, found.index, operations)
            except OperationRefusedError as error:
                if error.cause is ShaperCause.NO_PERMISSION:
                    raise
                refusal = error
        assert refusal is not None
        raise refusal

    def _learn(self, refusal: OperationRefusedError, now: Tree) -> None:
        """Refused as unknown although its parent is there: the kernel lacks the kind."""
        if not isinstance(refusal.operation, Add) or refusal.errno not in (ENOENT, EOPNOTSUPP):
            return
        node = refusal.operation.node
        if isinstance(node, HtbClass) or not has_place(node, now):
            return
        kind = "u32" if isinstance(node, Filter) else node.kind
        without = self._abilities.without(kind)
        if without is None:
            message = f"the kernel has no {kind}, without which nothing can be shaped"
            raise KernelRefusedError(message, cause=ShaperCause.NO_KERNEL_SUPPORT, errno=refusal.errno) from refusal
        log.info("kernel lacks a queue", kind=kind, now=without.leaves[0], tbf=without.tbf)
        self._abilities = without

    def _plan(self, line: _Line, found: Found) -> Tree | None:
        direction = line.interface.direction
        link_bps = self._rates.toward(direction)
        if link_bps is None:
            return None
        asked = (link_bps, found.mtu_bytes, self._abilities)
        if line.planned is None or line.planned[0] != asked:
            link_bps, mtu_bytes, abilities = asked
            tree = plan(self._settings, direction, link_bps=link_bps, mtu_bytes=mtu_bytes, abilities=abilities)
            line.planned = (asked, tree)
        return line.planned[1]

    async def _free(self, line: _Line) -> None:
        found = await self._kernel.read(line.name)
        if is_ours(found.tree) and found.tree.root is not None:
            await self._kernel.carry_out(line.name, found.index, [Delete(found.tree.root)])

    async def _free_after_failure(self, line: _Line) -> None:
        """Half a tree would put everything into p4."""
        if line.cause in (ShaperCause.NO_INTERFACE, ShaperCause.NO_PERMISSION):
            return
        try:
            await self._free(line)
        except KernelRefusedError as error:
            log.debug("could not free", interface=line.name, error=str(error))

    async def _count(self, line: _Line) -> bool:
        """False if our classes are not there."""
        try:
            by_handle = await self._kernel.count(line.name, line.index)
        except KernelRefusedError:
            return False
        now_s = self._monotonic()
        if any(handle not in by_handle for handle in CLASS_IDS.values()):
            return False
        counters = {name: by_handle[handle] for name, handle in CLASS_IDS.items()}
        passed_s = now_s - line.counted_s if line.counted_s is not None else 0.0
        line.rates_bps = {
            name: (each.bytes - line.counters[name].bytes) * 8 / passed_s
            for name, each in counters.items()
            if passed_s > 0 and each.bytes >= line.counters[name].bytes
        }
        line.counters, line.counted_s = counters, now_s
        return True

    def _turn(self, line: _Line, state: ShaperState, error: KernelRefusedError | None = None) -> None:
        cause = error.cause if error is not None else ShaperCause.NONE
        shaping = state in (ShaperState.ACTIVE, ShaperState.DRIFTED)
        link_bps = self._rates.toward(line.interface.direction) if shaping else None
        rate_bps = shaped_bps(self._settings, link_bps) if link_bps is not None else None
        if (state, cause, rate_bps) != (line.state, line.cause, line.rate_bps):
            log.info(
                "shaping", interface=line.name, state=state, cause=cause, rate_bps=rate_bps, error=str(error or "")
            )
        line.state, line.cause, line.rate_bps = state, cause, rate_bps
        if not shaping:
            line.leaf, line.counted_s, line.counters, line.rates_bps = None, None, {}, {}

    def _reading(self, line: _Line) -> ShaperReading:
        classes = tuple(
            ClassReading(name, each.packets, each.bytes, each.drops, each.backlog_bytes, line.rates_bps.get(name))
            for name, each in line.counters.items()
        )
        return ShaperReading(
            interface=line.name,
            direction=line.interface.direction,
            at_s=self._monotonic(),
            state=line.state,
            cause=line.cause,
            leaf=line.leaf,
            rate_bps=line.rate_bps,
            classes=classes,
        )


async def run(
    settings: QosSettings,
    emit: Emit,
    wanted: WantedRates,
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """For ever: hold the wanted rates, emit a reading of each interface every `reading_s` and at each change.

    When cancelled everything of ours is taken off before it returns."""
    shaper = Shaper(settings, monotonic=monotonic)
    try:
        _emit_all(emit, await shaper.apply(wanted.rates))
        verified_s = monotonic()
        while True:
            if await wanted.changed(settings.reading_s):
                readings = await shaper.apply(wanted.rates)
            elif monotonic() - verified_s >= settings.verify_s:
                readings = await shaper.verify()
                verified_s = monotonic()
            else:
                readings = await shaper.read()
            _emit_all(emit, readings)
    finally:
        _emit_all(emit, await shaper.remove())


def _emit_all(emit: Emit, readings: Iterable[ShaperReading]) -> None:
    for reading in readings:
        emit(reading)


def _refuse_foreign(line: _Line, tree: Tree) -> None:
    if is_foreign(tree) and tree.root is not None:
        message = f"{line.name} carries somebody's own {tree.root.kind} {tree.root.handle >> 16:x}:, which stays"
        raise KernelRefusedError(message, cause=ShaperCause.REFUSED)
