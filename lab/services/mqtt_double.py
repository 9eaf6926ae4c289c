"""Our stand-in for mosquitto, and the broker that can be broken on purpose: refuse to publish, never acknowledge,
refuse to connect, fall silent.

MQTT 3.1.1 and 5, QoS 0 and 1. It does without QoS 2, shared subscriptions, topic aliases and message expiry.

    double = BrokerDouble()
    async with double.serving("127.0.0.1") as port: ...
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import assert_never

import structlog

from lab.services.errors import PeerError
from lab.services.mqtt_codec import connack, decode, disconnect, pingresp, puback, suback, take_frame, unsuback
from lab.services.mqtt_hub import Hub, Session
from lab.services.mqtt_packets import (
    V5,
    V311,
    Connect,
    Disconnect,
    FromClient,
    Message,
    Ping,
    Properties,
    Property,
    Puback,
    Publish,
    Subscribe,
    Unsubscribe,
)
from lab.services.mqtt_topics import valid_topic

log = structlog.get_logger()

CONNECT_S = 10.0
NEVER_EXPIRES_S = 0xFFFFFFFF
NORMAL, WITH_WILL = 0x00, 0x04
MALFORMED, TAKEN_OVER, BAD_TOPIC, QOS_UNSUPPORTED, SHUTTING_DOWN = 0x81, 0x8E, 0x90, 0x9B, 0x8B
BAD_VERSION_V5, BAD_VERSION_V311 = 0x84, 0x01


@dataclass(slots=True)
class Faults:
    """What is wrong with the broker; changed while it runs."""

    refuse_publish: int | None = None
    """Reason code of every PUBACK (0x87 not authorised, 0x97 quota exceeded); the message goes nowhere."""
    never_puback: bool = False
    """Messages are delivered and never acknowledged."""
    refuse_connect: int | None = None
    """Reason code of every CONNACK."""
    silent: bool = False
    """Reads everything, does and says nothing."""


class BrokerDouble:
    """A broker in this event loop."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.hub = Hub()
        self.published: list[Message] = []
        """Everything published here and accepted, wills included, in order."""
        self._links: dict[str, _Link] = {}
        self._wills: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serving(self, host: str, port: int = 0) -> AsyncIterator[int]:
        """Serve for the length of the `with`; gives the port."""
        listener = await asyncio.start_server(self._serve, host, port)
        try:
            yield int(listener.sockets[0].getsockname()[1])
        finally:
            listener.close()
            for handle in self._wills.values():
                handle.cancel()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def hang_up(self) -> None:
        """Cut every connection there is."""
        for link in tuple(self._links.values()):
            link.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        link = _Link(self, reader, writer)
        try:
            await link.run()
        except PeerError as error:
            log.info("client dropped", reason=str(error))
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self._tasks.discard(task)
            self._gone(link)
            writer.close()

    def publish(self, message: Message, sender: str | None = None) -> int:
        """As if a client had; the reason code of its PUBACK."""
        self.published.append(message)
        return self.hub.publish(message, sender)

    def _arrived(self, link: "_Link", client_id: str) -> None:
        """A client id connects: whoever has it loses it, and a will that waits is not sent."""
        older = self._links.pop(client_id, None)
        if older is not None:
            older.end(TAKEN_OVER)
            self._last_words(older)
        if (will := self._wills.pop(client_id, None)) is not None:
            will.cancel()
        self._links[client_id] = link

    def _gone(self, link: "_Link") -> None:
        if link.session is None or self._links.get(link.session.client_id) is not link:
            return
        del self._links[link.session.client_id]
        self._last_words(link)
        self.hub.close(link.session)

    def _last_words(self, link: "_Link") -> None:
        """Send the will, now or after its delay, unless the client took leave."""
        said, link.said = link.said, None
        if said is None or said.will is None:
            return
        if said.will_delay_s and not (link.session and link.session.expires):
            loop = asyncio.get_running_loop()
            self._wills[said.client_id] = loop.call_later(said.will_delay_s, self.publish, said.will)
        else:
            self.publish(said.will)


class _Link:
    """One connection."""

    def __init__(self, broker: BrokerDouble, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.session: Session | None = None
        self.said: Connect | None = None
        """Its CONNECT, until it takes leave."""
        self._broker = broker
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._version = V311

    async def run(self) -> None:
        """Serve until the client leaves or breaks the protocol."""
        try:
            async with asyncio.timeout(CONNECT_S):
                first = await self._packet()
            if not isinstance(first, Connect):
                raise PeerError("the first packet is no CONNECT")
            if self._broker.faults.silent:
                await self._reader.read(-1)
            session = self._welcome(first)
            silence_s = first.keepalive_s * 1.5 or None
            while session is not None and not self._writer.is_closing():
                async with asyncio.timeout(silence_s):
                    packet = await self._packet()
                if packet is None:
                    return
                if not self._broker.faults.silent:
                    self._handle(session, packet)
                    await self._writer.drain()
        except PeerError:
            self.end(MALFORMED)
            raise

    def end(self, reason: int) -> None:
        if not self._writer.is_closing():
            self._writer.write(disconnect(self._version, reason))
            self._writer.close()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def _packet(self) -> FromClient | None:
        """The next packet, None where the client hung up."""
        while (frame := take_frame(self._buffer)) is None:
            if not (piece := await self._reader.read(65536)):
                return None
            self._buffer += piece
        return decode(frame, self._version)

    def _welcome(self, said: Connect) -> Session | None:
        faults = self._broker.faults
        if said.version not in (V311, V5):
            self._writer.write(connack(V311, BAD_VERSION_V311))
            return None
        self._version = said.version
        if faults.refuse_connect is not None:
            self._writer.write(connack(said.version, faults.refuse_connect))
            return None
        client_id = said.client_id or f"auto-{uuid.uuid4()}"
        self._broker._arrived(self, client_id)
        self.session, present = self._broker.hub.open(
            client_id,
            said.version,
            clean=said.clean,
            expires=said.session_expiry_s == 0 if said.version == V5 else said.clean,
            receive_maximum=said.receive_maximum,
        )
        self.said = said
        properties: Properties = ((Property.MAXIMUM_QOS, b"\1"), (Property.SHARED_SUBSCRIPTION, b"\0"))
        if not said.client_id:
            raw = client_id.encode()
            properties += ((Property.ASSIGNED_CLIENT_ID, len(raw).to_bytes(2, "big") + raw),)
        self._writer.write(connack(said.version, NORMAL, present=present, properties=properties))
        self.session.wake = self._flush
        self._flush()
        return self.session

    def _handle(self, session: Session, packet: FromClient) -> None:
        match packet:
            case Publish():
                self._publish(session, packet)
            case Puback():
                session.acknowledged(packet.identifier)
                self._flush()
            case Subscribe():
                codes = self._broker.hub.subscribe(session, packet.wishes)
                self._writer.write(suback(self._version, packet.identifier, codes))
                self._flush()
            case Unsubscribe():
                codes = self._broker.hub.unsubscribe(session, packet.patterns)
                self._writer.write(unsuback(self._version, packet.identifier, codes))
            case Ping():
                self._writer.write(pingresp())
            case Disconnect():
                if packet.reason != WITH_WILL:
                    self.said = None
                self._writer.close()
            case Connect():
                raise PeerError("a second CONNECT")
            case _:
                assert_never(packet)

    def _publish(self, session: Session, packet: Publish) -> None:
        message, faults = packet.message, self._broker.faults
        if message.qos > 1:
            self.end(QOS_UNSUPPORTED)
            return
        if not valid_topic(message.topic):
            self.end(BAD_TOPIC)
            return
        if faults.refuse_publish is not None:
            reason = faults.refuse_publish
        else:
            reason = self._broker.publish(message, session.client_id)
        if packet.identifier is not None and not faults.never_puback:
            self._writer.write(puback(self._version, packet.identifier, reason))

    def _flush(self) -> None:
        if self.session is not None and not self._writer.is_closing():
            for packet in self.session.to_send():
                self._writer.write(packet)
