"""The watcher against a real snmpd that plays a Balance 20X."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.wan.agent import AUTH_PASSWORD, COMMUNITY, PRIV_PASSWORD, USER, Agent
from tests.wan.garbage import garbage_server
from tests.wan.routers import BALANCE_20X, gateway_of, health_of, state_of
from wan.errors import WanMisuse
from wan.reading import ActiveWanChanged, RouterCause, RouterReading, WanState
from wan.settings import RouterSettings
from wan.snmp_port import SnmpPort
from wan.tracker import Fact
from wan.varbinds import Oid, Value
from wan.watch import RouterWatcher

pytestmark = pytest.mark.asyncio(loop_scope="module")

V2C = {"version": "2c", "community": COMMUNITY}
V3 = {"version": "3", "user": USER, "auth_password": AUTH_PASSWORD, "priv_password": PRIV_PASSWORD}
WANS = {"0": {"name": "fiber", "interface": "lo"}, "1": {"name": "cellular"}}

FAILED_OVER: dict[Oid, Value] = BALANCE_20X | {
    state_of(0): 6,
    health_of(0): 0,
    state_of(1): 3,
    gateway_of(1): "100.64.2.1",
}


class Told(list[Fact]):
    """What a watcher emitted."""

    @property
    def last(self) -> RouterReading:
        return [fact for fact in self if isinstance(fact, RouterReading)][-1]

    @property
    def moves(self) -> list[tuple[str | None, str]]:
        return [(fact.previous, fact.active) for fact in self if isinstance(fact, ActiveWanChanged)]

    async def until(self, what: Callable[[RouterReading], bool], within_s: float = 4.0) -> RouterReading:
        async with asyncio.timeout(within_s):
            while not what(self.last):
                await asyncio.sleep(0.01)
        return self.last


def settings(udp_port: int, **changes: Any) -> RouterSettings:
    fast = {"poll_s": 0.2, "timeout_s": 0.15, "retries": 0, "wans": WANS}
    return RouterSettings.model_validate({"host": "127.0.0.1", "port": udp_port} | fast | V2C | changes)


@asynccontextmanager
async def watching(
    router: RouterSettings, port: SnmpPort, monotonic: Callable[[], float] = time.monotonic
) -> AsyncIterator[Told]:
    told = Told()
    task = asyncio.create_task(RouterWatcher(router, port).run(told.append, monotonic=monotonic))
    await asyncio.sleep(0)
    try:
        yield told
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.fixture
def own_agent(tmp_path: Path) -> Any:
    agent = Agent(tmp_path)
    agent.serve(BALANCE_20X)
    agent.start()
    yield agent
    agent.kill()


@pytest.mark.parametrize("access", [V2C, V3], ids=["v2c", "v3"])
async def test_a_failover_and_a_failback_are_seen_on_a_real_agent(
    port: SnmpPort, agent: Agent, access: dict[str, str]
) -> None:
    own = access if access is V2C else access | {"community": None}
    async with watching(settings(agent.port, **own), port) as told:
        calm = await told.until(lambda reading: reading.active == "0")
        assert [(wan.wan, wan.name, wan.state, wan.signal_dbm) for wan in calm.wans] == [
            ("0", "fiber", WanState.CONNECTED, None),
            ("1", "cellular", WanState.STANDBY, -71),
        ]
        assert (calm.model, calm.answering, calm.cause) == ("Peplink Balance 20X", True, RouterCause.NONE)
        agent.serve(FAILED_OVER)
        moved = await told.until(lambda reading: reading.active == "1")
        assert moved.wans[0].state is WanState.HEALTH_CHECK_FAILED
        assert moved.since_s > calm.since_s
        agent.serve(BALANCE_20X)
        await told.until(lambda reading: reading.active == "0")
        assert told.moves == [("0", "1"), ("1", "0")]


async def test_it_starts_by_saying_so_and_reads_once_a_poll(port: SnmpPort, agent: Agent) -> None:
    async with watching(settings(agent.port), port) as told:
        assert isinstance(told[0], RouterReading)
        assert (told[0].cause, told[0].answering) == (RouterCause.STARTING, False)
        await told.until(lambda reading: reading.answering)
        before = len(told)
        await asyncio.sleep(1.0)
        assert 4 <= len(told) - before <= 6


async def test_bytes_come_from_the_interface_and_become_rates(port: SnmpPort, agent: Agent) -> None:
    """snmpd refreshes its counters every 3 s; loopback carries our own polls at least."""
    async with watching(settings(agent.port), port) as told:
        first = (await told.until(lambda reading: reading.answering)).wans[0]
        assert first.rx_bytes is not None
        assert first.rx_bps is None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.bind(("127.0.0.1", 0))
            for _ in range(100):
                sink.sendto(bytes(1000), sink.getsockname())
        later = (await told.until(lambda reading: reading.wans[0].rx_bps is not None, within_s=8)).wans[0]
        assert later.rx_bytes is not None
        assert later.rx_bytes - first.rx_bytes >= 100_000
        assert later.rx_bps is not None
        assert later.rx_bps >= 100_000 * 8 / 8


async def test_a_killed_agent_is_silence_and_its_return_is_heard(port: SnmpPort, own_agent: Agent) -> None:
    async with watching(settings(own_agent.port), port) as told:
        calm = await told.until(lambda reading: reading.active == "0")
        killed_s = time.monotonic()
        own_agent.kill()
        silent = await told.until(lambda reading: not reading.answering)
        assert (silent.cause, silent.active) == (RouterCause.NO_ANSWER, None)
        assert {wan.state for wan in silent.wans} == {WanState.UNKNOWN}
        assert killed_s - 0.2 <= silent.since_s <= time.monotonic()
        own_agent.serve(FAILED_OVER)  # the traffic moves while nobody hears
        own_agent.start()
        back = await told.until(lambda reading: reading.answering)
        assert (back.active, told.moves) == ("1", [("0", "1")])
        assert calm.since_s < silent.since_s < back.since_s


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        pytest.param({"community": "wrong"}, RouterCause.NO_ANSWER, id="wrong community"),
        pytest.param(
            V3 | {"community": None, "auth_password": "wrong-password"}, RouterCause.AUTH, id="wrong v3 password"
        ),
        pytest.param(V3 | {"community": None, "user": "stranger"}, RouterCause.AUTH, id="unknown v3 user"),
    ],
)
async def test_who_is_refused_says_why(
    port: SnmpPort, agent: Agent, changes: dict[str, Any], cause: RouterCause
) -> None:
    async with watching(settings(agent.port, **changes), port) as told:
        reading = await told.until(lambda reading: reading.cause is not RouterCause.STARTING)
        assert (reading.answering, reading.cause, reading.active, reading.wans) == (False, cause, None, ())


async def test_garbage_is_a_reading_and_the_watcher_lives_on(port: SnmpPort) -> None:
    async with (
        garbage_server(lambda question: [question[:20], b"\xff" * 40]) as server,
        watching(settings(server.port), port) as told,
    ):
        await told.until(lambda reading: reading.cause is RouterCause.MALFORMED)
        server.reply = lambda question: []
        await told.until(lambda reading: reading.cause is RouterCause.NO_ANSWER)
        assert not told.last.answering


async def test_what_appears_later_is_found_and_what_goes_away_is_gone(port: SnmpPort, agent: Agent) -> None:
    one_wan = {at: value for at, value in BALANCE_20X.items() if at[-1] == 0}
    agent.serve(one_wan)
    quick = settings(agent.port, wans={}, slow_s=5)
    async with watching(quick, port, monotonic=lambda: 20 * time.monotonic()) as told:
        await told.until(lambda reading: [wan.wan for wan in reading.wans] == ["0"])
        agent.serve({})
        gone = await told.until(lambda reading: not reading.wans)
        assert (gone.answering, gone.active) == (True, None)
        agent.serve(BALANCE_20X)
        await told.until(lambda reading: len(reading.wans) == 6, within_s=8)


async def test_a_generic_router_needs_only_if_mib(port: SnmpPort, agent: Agent) -> None:
    wans = {"fiber": {"interface": "lo"}, "cellular": {"interface": "wwan9"}}
    async with watching(settings(agent.port, profile="generic", wans=wans), port) as told:
        reading = await told.until(lambda reading: reading.answering)
        assert [(wan.wan, wan.state) for wan in reading.wans] == [
            ("fiber", WanState.CONNECTED),
            ("cellular", WanState.UNKNOWN),
        ]
        assert reading.active == "fiber"


async def test_it_opens_and_closes_an_engine_of_its_own_if_it_is_given_none(agent: Agent) -> None:
    before = asyncio.all_tasks()
    watcher, told = RouterWatcher(settings(agent.port)), Told()
    await watcher.prepare()
    task = asyncio.create_task(watcher.run(told.append))
    await asyncio.sleep(0)
    await told.until(lambda reading: reading.answering)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before == set()


async def test_a_secret_that_cannot_be_read_is_our_mistake(tmp_path: Path) -> None:
    with pytest.raises(WanMisuse, match="community_file"):
        RouterWatcher(settings(161, community=None, community_file=tmp_path / "none"))
