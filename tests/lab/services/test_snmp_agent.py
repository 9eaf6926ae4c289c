"""The lab's router as edged's own client library sees it: real snmpd and our double must look alike."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    get_cmd,
    usmAesCfb128Protocol,
    usmHMAC192SHA256AuthProtocol,
    walk_cmd,
)

from lab.services.snmp_tree import PEPLINK, Oid
from tests.lab.services.conftest import Stage, eventually, free_port, new_stage

V2C = CommunityData("edged-lab")
V3 = UsmUserData(
    "edged", "edged-lab-auth", "edged-lab-priv",
    authProtocol=usmHMAC192SHA256AuthProtocol, privProtocol=usmAesCfb128Protocol,
)  # fmt: skip
SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
FIBER_STATE: Oid = (*PEPLINK, 2, 1, 2, 1, 3, 0)
IF_X: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)


class Asker:
    """A client of one agent."""

    def __init__(self, engine: SnmpEngine, target: UdpTransportTarget) -> None:
        self._engine, self._target = engine, target

    async def get(self, *oids: Oid, who: Any = V2C) -> list[Any] | None:
        """The values, None where nothing answered."""
        wanted = [ObjectType(ObjectIdentity(oid)) for oid in oids]
        silence, error, _, found = await get_cmd(
            self._engine, who, self._target, ContextData(), *wanted, lookupMib=False
        )
        assert not error
        return None if silence else [value for _, value in found]

    async def walk(self, root: Oid) -> dict[Oid, Any]:
        found: dict[Oid, Any] = {}
        async for silence, error, _, rows in walk_cmd(
            self._engine, V2C, self._target, ContextData(), ObjectType(ObjectIdentity(root)),
            lexicographicMode=False, lookupMib=False,
        ):  # fmt: skip
            assert not silence
            assert not error
            found |= {tuple(name): value for name, value in rows}
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["real", "double"])
async def router(request: pytest.FixtureRequest) -> AsyncIterator[tuple[int, Stage]]:
    port = free_port(socket.SOCK_DGRAM)
    args = ["--double"] if request.param == "double" else []
    with new_stage() as stage:
        async with stage.running("snmp_agent", "--listen", f"127.0.0.1:{port}", *args):
            yield port, stage


@pytest.fixture
def world(router: tuple[int, Stage]) -> Iterator[Stage]:
    """What to say to it; calm again afterwards."""
    yield router[1]
    router[1].say()


@pytest_asyncio.fixture
async def asker(router: tuple[int, Stage]) -> AsyncIterator[Asker]:
    engine = SnmpEngine()
    yield Asker(engine, await UdpTransportTarget.create(("127.0.0.1", router[0]), timeout=0.3, retries=1))
    engine.close_dispatcher()


async def test_it_answers_like_a_balance_20x_and_follows_the_world(asker: Asker, world: Stage) -> None:
    descr, state, absent = await asker.get(SYS_DESCR, FIBER_STATE, (*PEPLINK, 200, 1, 1, 1, 1, 1, 0), who=V3) or []
    assert (bytes(descr), int(state)) == (b"Peplink Balance 20X", 3)
    assert absent.__class__.__name__ in ("NoSuchObject", "NoSuchInstance")
    assert [str(value) for value in await asker.get(SYS_DESCR) or []] == ["Peplink Balance 20X"]
    assert await asker.get(SYS_DESCR, who=CommunityData("public")) is None

    branch = await asker.walk(PEPLINK)
    assert len(branch) == 31
    assert bytes(branch[(*PEPLINK, 2, 1, 2, 1, 2, 1)]) == b"Cellular"
    assert branch[(*PEPLINK, 2, 1, 3, 3, 1, 1, 0)].prettyPrint() == "100.64.1.1"

    world.say(router={"active": "1", "wans": {"0": {"name": "Fiber", "state": 6, "health": 0, "ifname": "wan0"}}})
    async with eventually("the health check fails over SNMP"):
        while [int(value) for value in await asker.get(FIBER_STATE) or []] != [6]:
            await asyncio.sleep(0.05)


async def test_it_falls_silent_and_comes_back(asker: Asker, world: Stage) -> None:
    world.say(snmp=False)
    async with eventually("silence"):
        while await asker.get(SYS_DESCR) is not None:
            await asyncio.sleep(0.05)
    assert await asker.get(SYS_DESCR, who=V3) is None
    world.say(snmp=True)
    async with eventually("an answer"):
        while await asker.get(SYS_DESCR) is None:
            pass


async def test_its_counters_are_the_kernels_and_move_within_two_seconds(asker: Asker) -> None:
    names = await asker.walk((*IF_X, 1))
    index = next(oid[-1] for oid, name in names.items() if bytes(name) == b"lo")
    counter: Oid = (*IF_X, 6, index)
    [before] = await asker.get(counter) or []
    async with eventually("the bytes of our own questions are counted", 2):
        while [int(value) for value in await asker.get(counter) or []] <= [int(before)]:
            await asyncio.sleep(0.1)
