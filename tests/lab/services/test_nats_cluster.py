"""The cluster to an MQTT client: what it does otherwise than mosquitto, and what a killed node costs."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiomqtt
import pytest
import pytest_asyncio

from lab.services.errors import PeerError
from lab.services.lifetime import Address
from lab.services.mqtt_bytes import text
from lab.services.mqtt_codec import frame
from lab.services.nats_cluster import Cluster, nats_cluster
from tests.lab.services.conftest import Stage, alive, all_gone, descendants, eventually, free_port

SITE = "edge/v1/lab/imaging-1"
V311 = aiomqtt.ProtocolVersion.V311
PATIENCE_S = 40.0

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    async with nats_cluster(tmp_path_factory.mktemp("nats")) as cluster:
        yield cluster


def client(broker: Address, name: str, **options: Any) -> aiomqtt.Client:
    return aiomqtt.Client(*broker, identifier=name, **{"protocol": V311, "timeout": PATIENCE_S} | options)


async def take(connected: aiomqtt.Client, count: int) -> list[tuple[str, bytes, bool]]:
    found: list[tuple[str, bytes, bool]] = []
    async with eventually(f"{count} messages", PATIENCE_S):
        async for message in connected.messages:
            assert isinstance(message.payload, bytes)
            found.append((message.topic.value, message.payload, message.retain))
            if len(found) == count:
                break
    return found


async def said_to(broker: Address, packet: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*broker)
    try:
        writer.write(packet)
        async with eventually("an answer"):
            return await reader.read(4)
    finally:
        writer.close()


async def test_version_5_is_refused_in_the_words_of_3_1_1(cluster: Cluster) -> None:
    hello = frame(1, 0, text("MQTT") + b"\x05\x02\0\x3c\0" + text("box"))
    assert await said_to(cluster.brokers[0], hello) == b"\x20\x02\x00\x01"


async def test_what_is_retained_at_one_node_waits_at_the_others_and_can_be_deleted(cluster: Cluster) -> None:
    first, second, third = cluster.brokers
    async with client(first, "box") as box:
        await box.publish(f"{SITE}/state", b"online", qos=1, retain=True)
        async with client(second, "noc") as noc:
            await noc.subscribe("edge/v1/+/+/state", qos=1)
            assert await take(noc, 1) == [(f"{SITE}/state", b"online", True)]
            await box.publish(f"{SITE}/state", b"", qos=1, retain=True)
            assert await take(noc, 1) == [(f"{SITE}/state", b"", False)]
    async with client(third, "later") as later, client(first, "box") as box:
        await later.subscribe(f"{SITE}/#", qos=1)
        await box.publish(f"{SITE}/evt/t2", b"only this", qos=1)
        assert await take(later, 1) == [(f"{SITE}/evt/t2", b"only this", False)]


async def test_a_will_reaches_who_listens_at_another_node(cluster: Cluster) -> None:
    async with client(cluster.brokers[1], "noc") as noc:
        await noc.subscribe("edge/v1/#", qos=1)
        _, cut = await asyncio.open_connection(*cluster.brokers[0])
        will = text(f"{SITE}/state") + text("lost")
        cut.write(frame(1, 0, text("MQTT") + b"\x04\x0e\0\x3c" + text("cut") + will))
        await cut.drain()
        await asyncio.sleep(0.3)  # an abort may throw away what was not read yet
        cut.transport.abort()
        assert await take(noc, 1) == [(f"{SITE}/state", b"lost", False)]


@pytest.mark.parametrize("name", ["tel.eu", "tel eu"])
async def test_a_dot_or_a_space_in_a_topic_ends_the_connection(cluster: Cluster, name: str) -> None:
    reader, writer = await asyncio.open_connection(*cluster.brokers[0])
    writer.write(frame(1, 0, text("MQTT") + b"\x04\x02\0\x3c" + text("box")))
    writer.write(frame(3, 2, text(f"{SITE}/{name}") + b"\0\1never"))
    async with eventually("the end"):
        assert await reader.read() == b"\x20\x02\0\0"  # welcome, and no word after that
    writer.close()


async def test_a_client_id_that_comes_again_at_another_node_takes_over(cluster: Cluster) -> None:
    first = client(cluster.brokers[0], "twice")
    await first.__aenter__()
    async with client(cluster.brokers[1], "twice"), eventually("the first is told"):
        with pytest.raises(aiomqtt.MqttError):
            await anext(aiter(first.messages))


async def test_a_session_outlives_its_node_and_the_node_comes_back(cluster: Cluster) -> None:
    first, second, third = cluster.brokers
    async with client(first, "lasting", clean_session=False) as noc:
        await noc.subscribe(f"{SITE}/#", qos=1)
    node = cluster.at(first)
    pid = node.pid
    await node.kill()
    assert node.pid is None
    assert pid is not None
    assert not alive(pid)
    await cluster.ready()
    async with client(second, "box") as box:
        for number in range(20):
            await box.publish(f"{SITE}/evt/t2", b"%d" % number, qos=1)
    async with client(third, "lasting", clean_session=False) as noc:
        assert {payload for _, payload, _ in await take(noc, 20)} == {b"%d" % number for number in range(20)}
    await node.start()
    await cluster.ready()
    assert node.pid not in (None, pid)


async def test_without_a_majority_it_is_not_ready(cluster: Cluster) -> None:
    for node in cluster.nodes[:2]:
        await node.kill()
    with pytest.raises(PeerError, match=r"leader|1 of 3 nodes|not healthy"):
        await cluster.ready(within_s=0.5)


async def test_an_address_nobody_serves_is_no_node(cluster: Cluster) -> None:
    with pytest.raises(PeerError, match="no node at"):
        cluster.at(("127.0.0.1", 1))


async def test_its_nodes_die_with_who_started_them(stage: Stage) -> None:
    doors = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    async with stage.running("nats_cluster", "--listen", *doors) as service:
        nodes = descendants(service.pid)
        assert len(nodes) == 3
        service.kill()
        await service.wait()
    await all_gone(nodes)
