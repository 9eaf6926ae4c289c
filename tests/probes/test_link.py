"""A whole link with real peers: reflectors that stop, interfaces that go, a kernel that stops answering ping."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from probes.errors import MisuseError
from probes.link import watch_link
from probes.link_settings import LinkSettings
from probes.pace import PaceControl
from probes.reading import LinkCause, LinkReading, Verdict
from probes.stamp_reflector import Reflector
from tests.probes.own_network import ip, own_network

IGNORE_PING = Path("/proc/sys/net/ipv4/icmp_echo_ignore_all")
UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN
Held = tuple[Verdict, LinkCause]


class FarSide:
    """Three reflectors on loopback that can be silenced and brought back."""

    def __init__(self, count: int = 3) -> None:
        self.reflectors = [Reflector("127.0.0.1", 0) for _ in range(count)]
        self.ports = [reflector.address[1] for reflector in self.reflectors]

    @property
    def targets(self) -> list[dict[str, object]]:
        return [{"kind": "stamp", "address": "127.0.0.1", "port": port} for port in self.ports]

    def cut(self) -> None:
        for reflector in self.reflectors:
            reflector.close()

    def heal(self) -> None:
        self.reflectors = [Reflector("127.0.0.1", port) for port in self.ports]


class Watch:
    """The readings of one watched link."""

    def __init__(self, pace: PaceControl) -> None:
        self.pace = pace
        self.readings: list[LinkReading] = []
        self._more = asyncio.Event()

    def emit(self, reading: LinkReading) -> None:
        self.readings.append(reading)
        self._more.set()

    @property
    def held(self) -> list[Held]:
        """Each verdict and cause once, in their order."""
        pairs = [(reading.verdict, reading.cause) for reading in self.readings]
        return [pair for n, pair in enumerate(pairs) if n == 0 or pairs[n - 1] != pair]

    async def until(self, wanted: Callable[[LinkReading], bool], within_s: float = 5.0) -> LinkReading:
        """The next reading like that, or the latest one if it already is."""
        async with asyncio.timeout(within_s):
            while not (self.readings and wanted(self.readings[-1])):
                self._more.clear()
                await self._more.wait()
        return self.readings[-1]


@asynccontextmanager
async def watching(
    targets: list[dict[str, object]], *, session: bool = True, **changes: object
) -> AsyncIterator[Watch]:
    table = {"name": "fiber", "interface": "lo", "targets": targets} | changes
    watch = Watch(PaceControl(session=session))
    task = asyncio.create_task(watch_link(LinkSettings.model_validate(table), watch.emit, pace=watch.pace))
    try:
        yield watch
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def verdict(wanted: Verdict) -> Callable[[LinkReading], bool]:
    return lambda reading: reading.verdict is wanted


def cause(wanted: LinkCause) -> Callable[[LinkReading], bool]:
    return lambda reading: reading.cause is wanted


async def test_it_speaks_at_once_then_at_each_change_and_once_a_second() -> None:
    far = FarSide()
    async with watching(far.targets) as watch:
        await asyncio.sleep(1.3)
    far.cut()
    assert watch.held == [(UNKNOWN, LinkCause.STARTING), (UP, LinkCause.NONE)]
    assert [reading.changed for reading in watch.readings] == [False, True, False]
    first, _, second = (reading.at_s for reading in watch.readings)
    assert second - first > 0.8
    last = watch.readings[-1]
    assert last.link == "fiber"
    assert last.rtt_s is not None
    assert last.rtt_p95_s is not None
    assert last.jitter_s is not None
    assert 0 < last.rtt_s <= last.rtt_p95_s
    assert last.jitter_s >= 0
    assert 20 <= last.sent <= 65
    assert (last.lost, last.loss_pct) == (0, 0.0)
    assert [target.target for target in last.targets] == [f"stamp 127.0.0.1 port {port}" for port in far.ports]
    assert all((target.verdict, target.misses, target.evidence_nats) == (UP, 0, 0.0) for target in last.targets)


async def test_a_cut_in_a_session_is_known_from_its_probes_and_not_from_a_window() -> None:
    far = FarSide()
    async with watching(far.targets, timeout_s=0.3) as watch:
        await watch.until(verdict(UP))
        await asyncio.sleep(0.3)
        cut_s = time.monotonic()
        far.cut()
        reading = await watch.until(verdict(DOWN))
        assert reading.at_s - cut_s < 3  # dpinger as shipped: 14 s; ours is measured by bench detect
        assert reading.changed
        assert reading.cause is LinkCause.LOSS
        assert [target.verdict for target in reading.targets] == [DOWN, DOWN, DOWN]
        assert sum(target.evidence_nats for target in reading.targets) > 20
        after = await watch.until(lambda reading: reading.lost > 0)
        assert after.loss_pct is not None
        assert after.loss_pct > 0


async def test_a_calm_link_quickens_at_the_first_miss() -> None:
    far = FarSide()
    async with watching(far.targets, session=False) as watch:
        await watch.until(verdict(UP))
        calm = await watch.until(lambda reading: 0 < reading.sent <= 8)
        cut_s = time.monotonic()
        far.cut()
        reading = await watch.until(verdict(DOWN))
        assert calm.verdict is UP
        assert reading.at_s - cut_s < 1.0  # at the calm pace alone 15 misses are 2.5 s


async def test_it_recovers_and_is_held_before_it_is_up() -> None:
    far = FarSide()
    async with watching(far.targets, recovery_window_s=1, hold_down_s=0.5) as watch:
        await watch.until(verdict(UP))
        far.cut()
        await watch.until(verdict(DOWN))
        far.heal()
        healed_s = time.monotonic()
        alive = await watch.until(verdict(DEGRADED))
        assert alive.cause is LinkCause.RECOVERING
        assert alive.at_s - healed_s < 1.0
        up = await watch.until(verdict(UP))
        assert 1.5 <= up.at_s - alive.since_s < 3.0
    far.cut()


async def test_a_session_can_begin_and_end_while_it_runs() -> None:
    far = FarSide()
    async with watching(far.targets, session=False) as watch:
        await watch.until(lambda reading: reading.verdict is UP and 0 < reading.sent <= 8)
        watch.pace.session = True
        await watch.until(lambda reading: reading.sent >= 40)
        watch.pace.session = False
        await watch.until(lambda reading: 0 < reading.sent <= 8)
    far.cut()


async def test_one_dead_target_shows_below_and_is_no_loss_of_the_link() -> None:
    far = FarSide()
    far.reflectors[0].close()
    async with watching(far.targets, timeout_s=0.2) as watch:
        last = await watch.until(lambda reading: reading.targets[0].verdict is DOWN)
    far.cut()
    assert watch.held == [(UNKNOWN, LinkCause.STARTING), (UP, LinkCause.NONE)]
    assert (last.lost, last.loss_pct) == (0, 0.0)
    assert [target.verdict for target in last.targets] == [DOWN, UP, UP]
    assert last.targets[0].loss_pct == 100


async def test_a_target_that_never_answered_makes_the_others_no_slower() -> None:
    far = FarSide()
    far.reflectors[0].close()
    async with watching(far.targets) as watch:
        await watch.until(lambda reading: reading.targets[0].verdict is DOWN)
        cut_s = time.monotonic()
        far.cut()
        assert (await watch.until(verdict(DOWN))).at_s - cut_s < 3


async def test_ipv6_is_watched_alike() -> None:
    targets: list[dict[str, object]] = [{"kind": "icmp", "address": "::1"}]
    async with watching(targets, interface=None, source="::1") as watch:
        assert (await watch.until(lambda reading: reading.rtt_s is not None)).verdict is UP


async def test_a_stall_of_our_own_is_no_outage() -> None:
    far = FarSide()
    async with watching(far.targets) as watch:
        await watch.until(verdict(UP))
        for stalled_s in (0.3, 1.1):
            time.sleep(stalled_s)  # the loop stands still, and so do the reflectors in it
            await asyncio.sleep(0.1)
        await watch.until(cause(LinkCause.NONE))
    far.cut()
    assert watch.held[1:] == [(UP, LinkCause.NONE), (UP, LinkCause.STALLED), (UP, LinkCause.NONE)]
    assert sum(reading.lost for reading in watch.readings) == 0


def fiber_commands() -> list[str]:
    return [
        "link add fiber0 type veth peer name far0",
        "address add 192.0.2.1/24 dev fiber0",
        "link set fiber0 up",
        "link set far0 up",
    ]


async def test_a_pulled_cable_is_known_at_once_and_so_is_a_vanished_interface() -> None:
    with own_network(*fiber_commands()):
        async with watching([{"kind": "icmp", "address": "192.0.2.1"}], interface="fiber0") as watch:
            await watch.until(verdict(UP))
            ip("link set far0 down")
            assert (await watch.until(verdict(DOWN))).cause is LinkCause.CARRIER
            ip("link set far0 up")
            await watch.until(verdict(DEGRADED))
            ip("link delete fiber0")
            assert (await watch.until(verdict(DOWN))).cause is LinkCause.CARRIER
            for command in fiber_commands():
                ip(command)
            await watch.until(verdict(DEGRADED))


async def test_a_link_whose_source_address_is_not_here_yet_waits_for_it() -> None:
    with own_network():
        targets: list[dict[str, object]] = [{"kind": "icmp", "address": f"127.0.0.{n}"} for n in (1, 2, 3)]
        async with watching(targets, interface=None, source="192.0.2.7", recovery_window_s=1, hold_down_s=0) as watch:
            reading = await watch.until(verdict(DOWN))
            assert reading.cause is LinkCause.NO_ROUTE
            assert (reading.sent, reading.loss_pct, reading.rtt_s) == (0, None, None)
            ip("address add 192.0.2.7/32 dev lo")
            await watch.until(verdict(UP))


async def test_without_permission_nothing_is_known_and_nothing_is_called_good() -> None:
    with own_network():
        os.seteuid(65534)
        try:
            async with watching([{"kind": "icmp", "address": "127.0.0.1"}]) as watch:
                reading = await watch.until(cause(LinkCause.BLIND))
        finally:
            os.seteuid(0)
    assert reading.verdict is UNKNOWN


async def test_ping_filtered_while_tcp_gets_through_is_half_alive() -> None:
    with own_network():
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        targets: list[dict[str, object]] = [
            {"kind": "icmp", "address": "127.0.0.1"},
            {"kind": "icmp", "address": "127.0.0.2"},
            {"kind": "tcp", "address": "127.0.0.1", "port": port},
        ]
        async with watching(targets) as watch:
            await watch.until(lambda reading: reading.verdict is UP and reading.targets[2].rtt_s is not None)
            IGNORE_PING.write_text("1")
            reading = await watch.until(verdict(DEGRADED))
            assert reading.cause is LinkCause.GRAY_LOSS
            IGNORE_PING.write_text("0")
            await watch.until(verdict(UP))
        server.close()
        assert DOWN not in [held for held, _ in watch.held]


async def test_cancelling_closes_every_socket() -> None:
    far = FarSide()
    before = len(os.listdir("/proc/self/fd"))
    targets: list[dict[str, object]] = [
        *far.targets,
        {"kind": "icmp", "address": "127.0.0.1"},
        {"kind": "tcp", "address": "127.0.0.1", "port": 9},
    ]
    async with watching(targets) as watch:
        await watch.until(verdict(UP))
        assert len(os.listdir("/proc/self/fd")) > before
    assert len(os.listdir("/proc/self/fd")) == before
    far.cut()


async def test_an_unreadable_key_is_a_mistake_of_the_settings_and_said_before_probing(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_bytes(b"")
    table = {
        "name": "fiber",
        "interface": "lo",
        "targets": [{"kind": "stamp", "address": "127.0.0.1", "key_file": key_file}],
    }
    with pytest.raises(MisuseError, match=str(key_file)):
        await watch_link(LinkSettings.model_validate(table), lambda _: None, pace=PaceControl())
