"""The NOC's consumer behind the real broker and behind the double."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiomqtt
import pytest
import pytest_asyncio

from tests.lab.services.conftest import Stage, eventually, free_port

SITE = "edge/v1/lab/imaging-1"


@pytest_asyncio.fixture(params=["real", "double"])
async def port(request: pytest.FixtureRequest, stage: Stage) -> AsyncIterator[int]:
    port = free_port()
    args = ["--double"] if request.param == "double" else []
    async with stage.running("broker", "--listen", f"127.0.0.1:{port}", *args):
        yield port


def event(sequence: int) -> bytes:
    return json.dumps({"stream": "s", "sequence": sequence, "data": {}}).encode()


def written(stage: Stage) -> list[int]:
    lines = (stage.directory / "noc.jsonl").read_text().splitlines()
    return [json.loads(line)["event"]["sequence"] for line in lines]


async def summary(stage: Stage, **expected: object) -> None:
    async with eventually(f"the summary says {expected}"):
        while {key: _summary(stage).get(key) for key in expected} != expected:
            await asyncio.sleep(0.05)


def _summary(stage: Stage) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((stage.directory / "noc.json").read_text())
    except FileNotFoundError:
        return {}
    return found


async def said(client: aiomqtt.Client, topic: str) -> dict[str, Any]:
    async with eventually(f"a word on {topic}"):
        async for message in client.messages:
            if message.topic.value == topic:
                assert isinstance(message.payload, bytes)
                found: dict[str, Any] = json.loads(message.payload)
                return found
    raise AssertionError


async def test_it_is_there_keeps_each_event_once_sees_gaps_and_acknowledges(port: int, stage: Stage) -> None:
    noc = "--broker", f"127.0.0.1:{port}"
    async with aiomqtt.Client("127.0.0.1", port, identifier="box", protocol=aiomqtt.ProtocolVersion.V5) as box:
        await box.subscribe(f"{SITE}/ack", qos=1)
        await box.subscribe("edge/v1/lab/noc/state", qos=1)
        async with stage.running("noc", *noc):
            assert await said(box, "edge/v1/lab/noc/state") == {"state": "online"}
            await box.publish(f"{SITE}/evt/log", event(1), qos=1)
            await box.publish(f"{SITE}/evt/t2", event(2), qos=1)
            assert await said(box, f"{SITE}/ack") == {"stream": "s", "seq": 2}
            await box.publish(f"{SITE}/evt/t2", b"\xff garbage", qos=1)
            await box.publish(f"{SITE}/evt/t3", event(5), qos=1)
            await box.publish(f"{SITE}/evt/t2", event(2), qos=1)
            assert await said(box, f"{SITE}/ack") == {"stream": "s", "seq": 2}
            await box.publish(f"{SITE}/tel/link", b"{}", qos=1)
            await summary(stage, gaps={"s": [[3, 4]]}, duplicates=1)
            assert _summary(stage)["counts"] == {"garbage": 1, "log": 1, "telemetry": 1, "tier": 4}
        assert await said(box, "edge/v1/lab/noc/state") == {"state": "offline"}

        await box.publish(f"{SITE}/evt/log", event(3), qos=1)  # kept by the broker for who is away
        async with stage.running("noc", *noc):
            await box.publish(f"{SITE}/evt/t1", event(4), qos=1)
            await box.publish(f"{SITE}/evt/t3", event(5), qos=1)
            await summary(stage, gaps={}, watermarks={"s": 5}, duplicates=1)
            backlog = {"type": "edge.tier.entered.v1", "tier": 2, "stream": "s", "sequence": 6}
            await box.publish(f"{SITE}/hist", zlib.compress(json.dumps([backlog]).encode()), qos=1)
            await summary(stage, watermarks={"s": 6})
    assert written(stage) == [1, 2, 5, 3, 4, 6]


async def test_it_outlives_its_broker(stage: Stage) -> None:
    port = free_port()
    where = f"127.0.0.1:{port}"
    async with AsyncExitStack() as first:
        broker = await first.enter_async_context(stage.running("broker", "--listen", where))
        async with stage.running("noc", "--broker", where):
            broker.kill()
            await broker.wait()
            async with (
                stage.running("broker", "--listen", where),
                aiomqtt.Client("127.0.0.1", port, identifier="box", protocol=aiomqtt.ProtocolVersion.V5) as box,
            ):
                await box.subscribe("edge/v1/lab/noc/state", qos=1)
                assert await said(box, "edge/v1/lab/noc/state") == {"state": "online"}
