"""One connection to the broker: what aiomqtt leaves out, and nothing of what it is used for.

aiomqtt 2.5.1 drops the reason codes of PUBACK, does not notice a broker that hangs up before CONNACK, and says
DISCONNECT into a dead path. Here every answer reaches the caller, and `drop` ends a connection at once. A new object
for every connection.
"""

import asyncio
import logging
import math
import socket
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiomqtt
from aiomqtt import ProtocolVersion
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edged.report.commands import MAX_BYTES
from edged.report.dial import Way, dial, password, tls_context
from edged.report.endings import ending, failure, rejection
from edged.report.errors import LineDown
from edged.report.names import Names
from edged.report.outgoing import Publication
from edged.report.papers import Papers
from edged.report.reading import BrokerCause
from edged.report.settings import BrokerSettings
from edged.report.tcp_cost import cost_bytes

MAX_HEARD = 256
"""Messages waiting to be looked at; a flood beyond them is dropped, the NOC repeats what matters."""
MAX_PACKET = 64 << 10
"""What a broker may send us at once (MQTT 5)."""

HEADER_BYTES = 96
"""What a PUBLISH has around its topic and payload, with our properties: 5 + 2 + 2 + 1 + 75 + 5, and some."""
OUTLIVES_S = 30
"""So much longer than the Will's delay the broker keeps our session (MQTT 5): a session that ends speaks the Will."""

_quiet = logging.getLogger("edged.report.paho")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


@dataclass(frozen=True, slots=True)
class Heard:
    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Door:
    """Where and how one connection is made."""

    server: tuple[str, int]
    way: Way
    protocol: ProtocolVersion


@dataclass(frozen=True, slots=True)
class Will:
    topic: str
    payload: bytes


class Connection(aiomqtt.Client):
    """Use `connect`. `wake` is called whenever there is something new in `answers`, `heard`, `subscribed` or `down`."""

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        door: Door,
        client_id: str,
        will: Will,
        connected: socket.socket,
        secret: str | None,
        context: ssl.SSLContext | None,
        wake: Callable[[], None],
    ) -> None:
        lasting = door.protocol is ProtocolVersion.V5
        super().__init__(
            *door.server,
            username=settings.username,
            password=secret,
            logger=_quiet,
            identifier=client_id,
            protocol=door.protocol,
            will=_will(will, settings.will_delay_s if lasting else None),
            timeout=settings.connect_timeout_s,
            keepalive=settings.keepalive_s,
            max_queued_incoming_messages=1,
            tls_context=context,
            properties=_connect_properties(settings.will_delay_s + OUTLIVES_S) if lasting else None,
            clean_session=None if lasting else True,
            # A connection that takes over a session silences the Will of the one before it (MQTT 5, 3.1.3.2.2).
            clean_start=False if lasting else paho.MQTT_CLEAN_START_FIRST_ONLY,
        )
        self.door, self.protocol = door, door.protocol
        self.answers: deque[tuple[int, int]] = deque()
        """(message number, reason code) of each PUBACK."""
        self.heard: deque[Heard] = deque(maxlen=MAX_HEARD)
        self.subscribed: list[int] | None = None
        """Reason codes of SUBACK."""
        self.receive_maximum = 65535
        self._maximum_packet = math.inf
        self._wake = wake
        self._end: LineDown | None = None
        self._client.max_inflight_messages_set(0)  # the window is ours: `edged.report.outgoing`
        self._client.connect_timeout = settings.connect_timeout_s
        # outlives the TLS layer's taking over of the socket, so that `drop` works at any moment
        self._line = connected.dup()
        self._client._create_socket_connection = lambda: connected  # type: ignore[method-assign]

    # ── the way out ────────────────────────────────────────────────────────────────────────────────────
    def send(self, publication: Publication) -> int:
        """The number its PUBACK will carry. Raises LineDown."""
        info = self._client.publish(
            publication.topic,
            publication.payload,
            qos=1,
            retain=publication.retain,
            properties=self._properties_of(publication),
        )
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise self.down or LineDown(BrokerCause.LOST, paho.error_string(info.rc))
        return info.mid

    def can_carry(self, publication: Publication) -> bool:
        """Whether it is within the size the broker said it takes (MQTT 5, 3.2.2.3.6)."""
        return len(publication.payload) + len(publication.topic.encode()) + HEADER_BYTES <= self._maximum_packet

    def ask_for(self, topics: list[str]) -> None:
        """Subscribes; the answer comes in `subscribed`. Raises LineDown.

        With 3.1.1 the session is as short as the connection, and QoS 1 would keep nothing that TCP does not. It would
        cost much: in a NATS cluster that has just lost a node each such subscription wants an election, and all that
        we send waits behind it (17 s instead of 7 until events were taken again).
        """
        qos = 1 if self.protocol is ProtocolVersion.V5 else 0
        result, _ = self._client.subscribe([(topic, qos) for topic in topics])
        if result != paho.MQTT_ERR_SUCCESS:
            raise self.down or LineDown(BrokerCause.LOST, paho.error_string(result))

    def _properties_of(self, publication: Publication) -> Properties | None:
        if self.protocol is not ProtocolVersion.V5:
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = publication.content_type
        if publication.expiry_s is not None:
            properties.MessageExpiryInterval = publication.expiry_s
        return properties

    # ── the end ────────────────────────────────────────────────────────────────────────────────────────
    @property
    def down(self) -> LineDown | None:
        """Why the connection is over; None while it is not."""
        if self._end is None and self._disconnected.done():
            error = self._disconnected.exception()  # raised while reading, and caught by aiomqtt
            self._end = LineDown(BrokerCause.MALFORMED, f"{type(error).__name__}: {error}")
        return self._end

    async def hang_up(self, timeout_s: float) -> None:
        """Says DISCONNECT, so that the broker forgets our Will, and waits for it to go out."""
        self._client.disconnect()
        await asyncio.wait([self._disconnected], timeout=timeout_s)
        self.drop()

    def cost_bytes(self) -> int:
        """What it has cost on the wire so far, both ways."""
        return cost_bytes(self._line)

    def broker_certificate(self) -> bytes | None:
        """What the broker showed us, DER; None without TLS."""
        sock = self._client.socket()
        return sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None

    def drop(self) -> None:
        """At once and without a word: a dead path would not carry one. The event loop meets the end and lets go of the
        socket.
        """
        with suppress(OSError):  # it may be over already
            self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()
        for future in (self._connected, self._disconnected):
            if future.done() and not future.cancelled():
                future.exception()  # asyncio complains of exceptions nobody looked at
        self._connected.cancel()  # nobody waits for it any more, and paho may still meet the end

    # ── what paho calls ────────────────────────────────────────────────────────────────────────────────
    def _on_connect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.receive_maximum = getattr(properties, "ReceiveMaximum", 65535)
        self._maximum_packet = getattr(properties, "MaximumPacketSize", math.inf)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self._end = self._end or ending(flags.is_disconnect_packet_from_server, reason_code)
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("the broker hung up"))
        elif not self._disconnected.done():
            self._disconnected.set_result(None)
        self._wake()

    def _on_socket_register_write(self, client: paho.Client, userdata: Any, sock: Any) -> None:
        self._loop.call_soon_threadsafe(self._write_to, sock)

    def _write_to(self, sock: Any) -> None:
        """aiomqtt would watch the socket's number, which may be another socket's by now, and spin on it."""
        ours = self._client.socket()
        if ours is not None and ours is sock:
            self._loop.add_writer(ours.fileno(), self._write)

    def _write(self) -> None:
        try:
            self._client.loop_write()
        except OSError as error:
            if not self._disconnected.done():
                self._disconnected.set_exception(error)
            self._wake()

    def _on_subscribe(
        self,
        client: paho.Client,
        userdata: Any,
        mid: int,
        reason_codes: list[ReasonCode],
        properties: Properties | None = None,
    ) -> None:
        self.subscribed = [code.value for code in reason_codes]
        self._wake()

    def _on_publish(
        self, client: paho.Client, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        self.answers.append((mid, reason_code.value))
        self._wake()

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        payload = bytes(message.payload[: MAX_BYTES + 1])  # enough to see that it is too long
        self.heard.append(Heard(message.topic, payload, message.retain))
        self._wake()


async def connect(
    settings: BrokerSettings,
    door: Door,
    names: Names,
    papers: Papers | None = None,
    *,
    client_id: str,
    will: Will,
    wake: Callable[[], None],
) -> Connection:
    """A connection the broker accepted. Raises LineDown, at the latest after the connect timeout."""
    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            secret = await asyncio.to_thread(password, settings.password_file) if settings.password_file else None
            context = papers.context if papers else None
            if settings.tls and not context:
                context = await asyncio.to_thread(tls_context, settings.tls)
            # What the kernel cannot deliver for this long ends it, also when only a ping is under way.
            dead_after_s = 2 * settings.puback_timeout_s
            connection = Connection(
                settings,
                door=door,
                client_id=client_id,
                will=will,
                connected=await dial(door.server, door.way, names, dead_after_s=dead_after_s),
                secret=secret,
                context=context,
                wake=wake,
            )
            return await _accepted(connection, papers)
    except TimeoutError as error:
        raise LineDown(BrokerCause.TIMEOUT, f"no connection within {settings.connect_timeout_s:g} s") from error


async def _accepted(connection: Connection, papers: Papers | None) -> Connection:
    try:
        return await connection.__aenter__()
    except MqttConnectError as error:
        connection.drop()
        raise rejection(error) from error
    except aiomqtt.MqttError as error:
        connection.drop()
        blames_clock = papers.blames_clock if papers else None
        raise failure(error, connection.down, connection.protocol, blames_clock) from error
    except BaseException:  # cancelled, or out of time: nothing of ours may go on connecting
        connection.drop()
        raise


def _will(will: Will, delay_s: int | None) -> aiomqtt.Will:
    properties = None
    if delay_s is not None:
        properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
        properties.WillDelayInterval = delay_s
    return aiomqtt.Will(will.topic, will.payload, qos=1, retain=True, properties=properties)


def _connect_properties(session_s: int) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = MAX_PACKET
    properties.ReceiveMaximum = 16
    properties.SessionExpiryInterval = session_s
    return properties
