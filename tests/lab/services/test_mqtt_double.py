"""The broker that can be broken on purpose, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from lab.services.mqtt_bytes import text
from lab.services.mqtt_codec import frame, take_frame
from lab.services.mqtt_double import BrokerDouble
from lab.services.mqtt_packets import Frame, Packet

V5 = aiomqtt.ProtocolVersion.V5
CONNECT = frame(1, 0, text("MQTT") + b"\x05\x02\0\x3c\0" + text("raw"))
CONNECT_V311 = frame(1, 0, text("MQTT") + b"\x04\x02\0\x3c" + text("raw"))
WITH_WILL = frame(1, 0, text("MQTT") + b"\x05\x06\0\1\0" + text("raw") + b"\0" + text("state") + text("lost"))
WITH_LATE_WILL = frame(
    1, 0,
    text("MQTT") + b"\x05\x06\0\x3c\x05\x11\0\0\0\x3c" + text("raw")
    + b"\x05\x18\0\0\0\1" + text("state") + text("lost"),
)  # fmt: skip
PUBLISH_QOS_1 = frame(3, 2, text("a") + b"\0\7\0x")


class Raw:
    """A client that says just what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._buffer = bytearray()

    def say(self, *packets: bytes) -> None:
        self._writer.writelines(packets)

    async def hear(self) -> Frame | None:
        """The next packet; None where the broker hung up."""
        async with asyncio.timeout(5):
            while (found := take_frame(self._buffer)) is None:
                if not (piece := await self._reader.read(4096)):
                    return None
                self._buffer += piece
        return found

    async def kinds(self) -> list[int]:
        """What comes until the broker hangs up."""
        found = []
        while (packet := await self.hear()) is not None:
            found.append(packet.kind)
        return found

    def cut(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def raw_client(port: int) -> AsyncIterator[Raw]:
    client = Raw(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield client
    finally:
        client.cut()


@asynccontextmanager
async def connected(broker: BrokerDouble, hello: bytes = CONNECT) -> AsyncIterator[Raw]:
    async with broker.serving("127.0.0.1") as port, raw_client(port) as client:
        client.say(hello)
        answer = await client.hear()
        assert answer is not None
        assert answer.kind == Packet.CONNACK
        yield client


async def heard(client: Raw) -> tuple[int, bytes]:
    packet = await client.hear()
    assert packet is not None
    return packet.kind, packet.body


async def test_a_publish_nobody_listens_to_says_so() -> None:
    async with connected(BrokerDouble()) as client:
        client.say(PUBLISH_QOS_1)
        assert await heard(client) == (Packet.PUBACK, b"\0\7\x10\0")


@pytest.mark.parametrize("reason", [0x87, 0x97])
async def test_a_publish_can_be_refused_with_a_reason(reason: int) -> None:
    broker = BrokerDouble()
    async with connected(broker) as client:
        broker.faults.refuse_publish = reason
        client.say(PUBLISH_QOS_1)
        assert await heard(client) == (Packet.PUBACK, bytes([0, 7, reason, 0]))
    assert broker.published == []


async def test_the_library_edged_uses_does_not_raise_for_a_refused_publish() -> None:
    """Why the reporter must look at reason codes itself (FACTS, MQTT)."""
    broker = BrokerDouble()
    broker.faults.refuse_publish = 0x87
    async with broker.serving("127.0.0.1") as port, aiomqtt.Client("127.0.0.1", port, protocol=V5) as client:
        await client.publish("a", b"x", qos=1)
    assert broker.published == []


async def test_a_publish_can_be_delivered_and_never_acknowledged() -> None:
    broker = BrokerDouble()
    broker.faults.never_puback = True
    async with connected(broker) as client:
        client.say(PUBLISH_QOS_1, frame(12, 0, b""))
        assert await heard(client) == (Packet.PINGRESP, b"")
    assert [message.payload for message in broker.published] == [b"x"]


async def test_a_connection_can_be_refused() -> None:
    broker = BrokerDouble()
    broker.faults.refuse_connect = 0x87
    async with broker.serving("127.0.0.1") as port:
        with pytest.raises(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", port, protocol=V5):
                pass


async def test_it_can_fall_silent_without_hanging_up() -> None:
    broker = BrokerDouble()
    async with connected(broker) as client:
        broker.faults.silent = True
        client.say(PUBLISH_QOS_1, frame(12, 0, b""))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.hear(), 0.1)
    assert broker.published == []


async def test_a_silent_broker_does_not_even_greet() -> None:
    broker = BrokerDouble()
    broker.faults.silent = True
    async with broker.serving("127.0.0.1") as port, raw_client(port) as client:
        client.say(CONNECT)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.hear(), 0.1)


@pytest.mark.parametrize(
    ("packets", "answers"),
    [
        ((PUBLISH_QOS_1,), []),  # before CONNECT: what version it would be told in is not known
        ((b"\xf0\0",), []),
        ((frame(1, 0, text("MQTT") + b"\x03\x02\0\0"),), [Packet.CONNACK]),  # a version that is none
        ((CONNECT, CONNECT), [Packet.CONNACK, Packet.DISCONNECT]),
        ((CONNECT, frame(3, 6, text("a"))), [Packet.CONNACK, Packet.DISCONNECT]),
        ((CONNECT, frame(3, 4, text("a") + b"\0\1\0x")), [Packet.CONNACK, Packet.DISCONNECT]),  # QoS 2
        ((CONNECT, frame(3, 0, text("a/#") + b"\0x")), [Packet.CONNACK, Packet.DISCONNECT]),
        ((CONNECT, b"\x30\xff\xff\xff\x7f"), [Packet.CONNACK, Packet.DISCONNECT]),
        ((CONNECT_V311, CONNECT_V311), [Packet.CONNACK]),
    ],
)
async def test_who_breaks_the_protocol_is_told_and_dropped(packets: tuple[bytes, ...], answers: list[int]) -> None:
    async with BrokerDouble().serving("127.0.0.1") as port, raw_client(port) as client:
        client.say(*packets)
        assert [
            kind for kind in await client.kinds() if kind != Packet.DISCONNECT or Packet.DISCONNECT in answers
        ] == answers


async def _published(broker: BrokerDouble) -> bytes:
    async with asyncio.timeout(5):
        while not broker.published:
            await asyncio.sleep(0.01)
    return broker.published[0].payload


async def test_silence_beyond_keep_alive_is_a_loss() -> None:
    broker = BrokerDouble()
    async with connected(broker, WITH_WILL) as client:
        assert await client.hear() is None
        assert await _published(broker) == b"lost"


async def test_a_late_will_is_not_sent_for_who_comes_back_in_time() -> None:
    broker = BrokerDouble()
    async with broker.serving("127.0.0.1") as port:
        for _ in range(2):
            async with raw_client(port) as client:
                client.say(WITH_LATE_WILL)
                assert (await heard(client))[0] == Packet.CONNACK
        assert broker.published == []
        assert await _published(broker) == b"lost"  # a second after the last one went


async def test_everybody_can_be_cut_off_at_once() -> None:
    broker = BrokerDouble()
    async with connected(broker, WITH_WILL) as client:
        broker.hang_up()
        with pytest.raises((ConnectionError, AssertionError)):
            assert await client.hear() is not None
        assert await _published(broker) == b"lost"
