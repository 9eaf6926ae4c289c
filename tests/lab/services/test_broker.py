"""The NOC's broker to edged's own MQTT client: real mosquitto and our double must do the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
import pytest
import pytest_asyncio
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from lab.services.mqtt_bytes import text
from lab.services.mqtt_codec import frame
from tests.lab.services.conftest import eventually, free_port, new_stage

V5, V311 = aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["real", "double"])
async def port(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    port = free_port()
    args = ["--double"] if request.param == "double" else []
    with new_stage() as stage:
        async with stage.running("broker", "--listen", f"127.0.0.1:{port}", *args):
            yield port


@asynccontextmanager
async def client(port: int, name: str, **options: Any) -> AsyncIterator[aiomqtt.Client]:
    async with aiomqtt.Client("127.0.0.1", port, identifier=name, **{"protocol": V5} | options) as connected:
        yield connected


async def take(connected: aiomqtt.Client, count: int) -> list[tuple[str, bytes, bool]]:
    found: list[tuple[str, bytes, bool]] = []
    async with eventually(f"{count} messages"):
        async for message in connected.messages:
            assert isinstance(message.payload, bytes)
            found.append((message.topic.value, message.payload, message.retain))
            if len(found) == count:
                break
    return found


@pytest.mark.parametrize("protocol", [V5, V311])
async def test_what_is_published_arrives_and_what_is_retained_waits(port: int, protocol: Any) -> None:
    async with client(port, "box", protocol=protocol) as box:
        await box.publish("edge/v1/lab/x/state", b"online", qos=1, retain=True)
        await box.publish("edge/v1/lab/x/evt/t2", b"missed", qos=1)
        async with client(port, "noc", protocol=protocol) as noc:
            await noc.subscribe("edge/v1/+/+/state", qos=1)
            await noc.subscribe("edge/v1/lab/#", qos=0)
            await box.publish("edge/v1/lab/x/evt/t2", b"seen", qos=1)
            found = await take(noc, 3)
    assert ("edge/v1/lab/x/state", b"online", True) in found
    assert found[-1] == ("edge/v1/lab/x/evt/t2", b"seen", False)


async def test_a_will_is_published_for_who_goes_without_a_word_and_not_for_who_takes_leave(port: int) -> None:
    will = aiomqtt.Will("state", b"never said", qos=1, retain=True)
    async with client(port, "noc") as noc:
        await noc.subscribe("state", qos=1)
        async with client(port, "polite", will=will):
            pass
        _, cut = await asyncio.open_connection("127.0.0.1", port)
        cut.write(frame(1, 0, text("MQTT") + b"\x05\x26\0\x3c\0" + text("cut") + b"\0" + text("state") + text("lost")))
        await cut.drain()
        await asyncio.sleep(0.1)  # an abort may throw away what was not read yet
        cut.transport.abort()
        assert await take(noc, 1) == [("state", b"lost", False)]


async def test_a_client_id_that_comes_again_takes_over(port: int) -> None:
    async with client(port, "noc") as noc:
        await noc.subscribe("evt", qos=1)
        first = aiomqtt.Client("127.0.0.1", port, identifier="box", protocol=V5)
        await first.__aenter__()
        async with client(port, "box") as second:
            async with eventually("the first is told"):
                with pytest.raises(aiomqtt.MqttError):
                    await anext(aiter(first.messages))
            await second.publish("evt", b"by the second", qos=1)
            assert (await take(noc, 1))[0][1] == b"by the second"


async def test_a_lasting_session_is_given_what_came_while_it_was_away(port: int) -> None:
    lasting = Properties(PacketTypes.CONNECT)
    lasting.SessionExpiryInterval = 60
    options = {"clean_start": False, "properties": lasting}
    async with client(port, "lasting", **options) as noc:
        await noc.subscribe("evt", qos=1)
    async with client(port, "box") as box:
        for number in range(50):
            await box.publish("evt", b"%d" % number, qos=1)
    async with client(port, "lasting", **options) as noc:
        assert [payload for _, payload, _ in await take(noc, 50)] == [b"%d" % number for number in range(50)]


async def test_properties_of_a_message_are_handed_on(port: int) -> None:
    about: Any = Properties(PacketTypes.PUBLISH)
    about.ContentType = "application/cloudevents+json"
    about.UserProperty = [("stream", "s")]
    async with client(port, "box") as box:
        await box.subscribe("evt", qos=1)
        await box.publish("evt", b"{}", qos=1, properties=about)
        async with eventually("the message"):
            handed_on: Any = (await anext(aiter(box.messages))).properties
    assert handed_on.ContentType == "application/cloudevents+json"
    assert handed_on.UserProperty == [("stream", "s")]
