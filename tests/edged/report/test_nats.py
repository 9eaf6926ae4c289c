"""The reporter against an existing clustered broker: three nodes of NATS, MQTT 3.1.1."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import aiomqtt
import pytest

from edged.record.store import Store
from edged.report.history import unpack
from edged.report.reading import BrokerCause
from lab.services.lifetime import Address
from lab.services.nats_cluster import Cluster, nats_cluster
from tests.edged.record.scene import log_event, tier_event
from tests.edged.report.conftest import Running
from tests.edged.report.noc import BASE, Noc

BACK_WITHIN_S = 60.0
"""A session is let in again after about 10 s; machines that run tests are slow."""


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with nats_cluster(tmp_path / "nats") as cluster:
        yield cluster


@asynccontextmanager
async def noc_at(broker: Address) -> AsyncIterator[Noc]:
    """With a lasting session: NATS keeps for it what comes while it is away."""
    version = aiomqtt.ProtocolVersion.V311
    client = aiomqtt.Client(*broker, identifier="noc", protocol=version, clean_session=False, timeout=30)
    async with client:
        await client.subscribe(f"{BASE}/#", qos=1)
        noc = Noc(client)
        listening = asyncio.create_task(noc.listen())
        try:
            yield noc
        finally:
            listening.cancel()


def held(noc: Noc) -> set[int]:
    """Sequences of events, whether they came alone or in a batch."""
    batches = [member for message in noc.on("hist") for member in unpack(message.raw)]
    return {*noc.events(), *(member["sequence"] for member in batches if "tel" not in member["type"])}


async def look_until(noc: Noc, met: Callable[[], object]) -> None:
    """Subscribes again and again: a node hears a moment later what is retained at another, and tells it only to those
    who subscribe after that.
    """
    async with asyncio.timeout(BACK_WITHIN_S):
        while not met():
            await noc.client.subscribe(f"{BASE}/#", qos=1)
            with suppress(AssertionError):
                await noc.until(met, timeout_s=1.0)


async def ask_for_what_is_missing(noc: Noc, store: Store) -> None:
    """Until nothing is, a few times at most: a gateway that lost a node may be slow to hand on what it holds."""
    everything = set(range(1, store.status().head + 1))
    for attempt in range(5):
        if missing := everything - held(noc):
            ask = {"command": "resend", "id": f"ask-{attempt}", "stream": store.opening.stream}
            await noc.say("cmd/req", ask | {"from": min(missing), "to": max(missing)})
            await noc.until(partial(_answered, noc, f"ask-{attempt}"), BACK_WITHIN_S)
    assert held(noc) == everything


def _answered(noc: Noc, ask: str) -> bool:
    return any(answer["id"] == ask for answer in noc.answers())


async def test_the_node_we_talk_to_is_killed_and_nothing_is_missing_in_the_end(
    cluster: Cluster, store: Store, running: Running
) -> None:
    doors = cluster.brokers
    also = [f"{host}:{port}" for host, port in doors[1:]]
    running.start(doors[0][1], also=also)
    connected = await running.until(lambda r: r.connected, BACK_WITHIN_S)
    host, _, port = connected.broker.partition(":")
    ours = cluster.at((host, int(port)))
    assert connected.protocol == "3.1.1"
    other = next(node for node in cluster.nodes if node is not ours)
    async with noc_at(other.place.mqtt) as noc:
        await store.append([event for _ in range(10) for event in (tier_event(), log_event())])
        await noc.until(lambda: held(noc) == set(range(1, 21)), BACK_WITHIN_S)
        await store.append([event for _ in range(50) for event in (tier_event(), log_event())])
        await ours.kill()  # in the middle of it
        await running.until(lambda r: not r.connected)
        await store.append([tier_event(), log_event()])
        # a gateway that elects refuses even subscriptions for a while, with 0x80: they are asked for again
        well = BrokerCause.NONE
        back = await running.until(lambda r: r.connected and r.pending_log == 0 and r.cause is well, BACK_WITHIN_S)
        assert (back.broker != connected.broker, back.protocol) == (True, "3.1.1")
        await noc.until(lambda: store.status().head in held(noc), BACK_WITHIN_S)
        await ask_for_what_is_missing(noc, store)
        await noc.acknowledge(store.opening.stream, store.status().head)
        await running.until(lambda r: r.pending_tier == 0, BACK_WITHIN_S)


async def test_what_was_said_last_is_known_at_every_node(cluster: Cluster, running: Running) -> None:
    first, second, third = cluster.brokers
    running.start(first[1])
    await running.until(lambda r: r.connected, BACK_WITHIN_S)
    async with noc_at(second) as noc:
        await look_until(noc, lambda: "online" in noc.states() and noc.on("snap"))
    await running.stop()
    async with noc_at(third) as noc:
        await look_until(noc, lambda: "stopped" in noc.states())
