"""The connection to the broker, and the one order that matters: take in, write to the disk, then acknowledge.

paho answers a QoS 1 message (PUBACK) when it hands it to us, before it is on our disk, and aiomqtt offers no other
way. A consumer killed in between has lost what its broker believes delivered. That is why tier events need our `ack`,
why everything has a number, and why each site that was online before we were is asked for its state (`rebirth`): its
heads name what we miss, and `resend` brings it.
"""

import asyncio
import itertools
import json
import logging
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_noc.asking import Question
from edge_noc.disk import Disk
from edge_noc.figures import Health
from edge_noc.intake import Arrived, Due, Intake, Key

log = logging.getLogger("edge_noc")

BATCH = 200
"""Messages in one transaction at most."""
LINGER_S = 0.05
"""A busy consumer waits so long for more to write at once; one with little to do writes at once."""
BUSY = 8
"""Messages in the latest batch that make it busy."""
AGAIN_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Between attempts to connect; the last one for ever."""
KEEPALIVE_S = 15
SESSION_S = 7 * 86_400
"""For so long the broker keeps what comes while we are away."""
TIMEOUT_S = 10.0
TICK_S = 0.5
ECHO_S = 3.0
"""So long our own word may take to come back to us."""
AT_ONCE = 64
"""Publications awaiting their PUBACK."""
BIRTHS_PER_TICK = 20
PRUNE_EVERY_S = 60.0
BELOW_SITE = ("state", "evt/+", "tel/+", "snap/+", "hist", "cmd/res")

Broker = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Wishes:
    brokers: Sequence[Broker]
    tenant: str | None
    """None: all of them; then we cannot say that we are there, since a Will has one topic."""
    client_id: str
    tls: ssl.SSLContext | None
    mqtt5: bool
    username: str | None = None
    password: str | None = None
    keep_telemetry_s: float | None = None

    @property
    def presence(self) -> str | None:
        return f"edge/v1/{self.tenant}/noc/state" if self.tenant else None


class Consumer:
    def __init__(self, wishes: Wishes, intake: Intake, disk: Disk, health: Health) -> None:
        self._wishes, self._intake, self._disk, self._health = wishes, intake, disk, health
        self._arrived: asyncio.Queue[Arrived] = asyncio.Queue()
        self._acks: dict[tuple[Key, str], int] = {}
        self._births: dict[Key, None] = {}
        self._news = asyncio.Event()
        self._echo = asyncio.Event()
        self._stopping = False
        """Said beside the cancellation: before Python 3.12 `asyncio.wait_for`, under every aiomqtt call, may swallow
        it, and a task stays marked as cancelled after a TaskGroup of it failed, so that its mark tells nothing.
        """
        self._thread = ThreadPoolExecutor(1, "disk")

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop. Raises DiskRefused (in a group): then nothing more may be taken in."""
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(self._write())
                connecting = tasks.create_task(self._connections())
                pruning = tasks.create_task(self._prune())
                await stop.wait()
                self._stopping = True
                connecting.cancel()
                await asyncio.wait([connecting])
                await self._arrived.join()
                writing.cancel()
                pruning.cancel()
        finally:
            self._thread.shutdown()

    # ── to the disk ────────────────────────────────────────────────────────────────────────────────────
    async def _write(self) -> None:
        busy = False
        while True:
            batch = [await self._arrived.get()]
            if busy and self._arrived.qsize() < BATCH - 1:
                await asyncio.sleep(LINGER_S)
            while len(batch) < BATCH and not self._arrived.empty():
                batch.append(self._arrived.get_nowait())
            busy = len(batch) > BUSY
            due = self._intake.take(batch, time.monotonic())
            if due.streams or due.presences:
                began_s = time.monotonic()
                await self._on_thread(partial(self._disk.write, self._intake, due))
                self._health.commit_s = time.monotonic() - began_s
            self._say(due)
            for _ in batch:
                self._arrived.task_done()
            self._health.queued = self._arrived.qsize()

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY_S)
            if self._wishes.keep_telemetry_s is not None:
                before_s = time.time() - self._wishes.keep_telemetry_s
                await self._on_thread(partial(self._disk.prune, before_s))

    async def _on_thread(self, work: Callable[[], None]) -> None:
        """One thread for the disk: one thing after the other."""
        await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _say(self, due: Due) -> None:
        self._acks |= due.acks
        self._births |= dict.fromkeys(due.births)
        if due.acks or due.births:
            self._news.set()

    # ── to the broker ──────────────────────────────────────────────────────────────────────────────────
    async def _connections(self) -> None:
        """One after the other, each with the next broker of the list."""
        failed = 0
        for broker in itertools.cycle(self._wishes.brokers):
            try:
                async with self._client(broker) as client:
                    await self._open(client, broker)
                    if self._stopping:
                        return
                    failed = 0
                    await self._talk(client)
            except* (aiomqtt.MqttError, OSError) as group:
                log.info("no broker at %s:%d: %s", *broker, "; ".join(str(error) for error in group.exceptions))
            self._health.connected = False
            if self._stopping:
                return
            await asyncio.sleep(AGAIN_S[failed])
            failed = min(failed + 1, len(AGAIN_S) - 1)

    async def _open(self, client: aiomqtt.Client, broker: Broker) -> None:
        client.pending_calls_threshold = 2 * AT_ONCE  # else aiomqtt warns of what is meant to be
        for below in BELOW_SITE:
            granted = await client.subscribe(f"edge/v1/{self._wishes.tenant or '+'}/+/{below}", qos=1)
            if any((code if isinstance(code, int) else code.value) >= 0x80 for code in granted):
                raise aiomqtt.MqttError(f"may not subscribe to {below}")
        self._echo.clear()
        if self._wishes.presence:
            await client.publish(self._wishes.presence, _presence("online"), qos=1, retain=True)
        self._intake.connected()
        self._health.connected = True
        log.info("listening at %s:%d", *broker)

    async def _talk(self, client: aiomqtt.Client) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(client))
                tasks.create_task(self._hear_ourselves())
                tasks.create_task(self._acknowledge(client))
                tasks.create_task(self._ask(client))
        finally:
            if self._wishes.presence:
                with suppress(aiomqtt.MqttError):
                    await client.publish(self._wishes.presence, _presence("offline"), qos=1, retain=True, timeout=1.0)

    async def _receive(self, client: aiomqtt.Client) -> None:
        """The queue has no bound: aiomqtt throws away what does not fit into a bounded one, PUBACKed as it is."""
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            if message.topic.value == self._wishes.presence:
                self._echo.set()
            self._arrived.put_nowait(Arrived(message.topic.value, payload, message.retain, time.time()))
            self._health.queued = self._arrived.qsize()

    async def _hear_ourselves(self) -> None:
        """What we say on `noc/state` matches our own subscription. mosquitto grants a forbidden one all the same, and
        takes what we may not say: then nothing comes back, and nothing else will.
        """
        if self._wishes.presence:
            try:
                await asyncio.wait_for(self._echo.wait(), ECHO_S)
            except TimeoutError:
                log.warning("the broker lets us neither speak nor hear: is our name the one in its access list?")

    async def _acknowledge(self, client: aiomqtt.Client) -> None:
        """The newest watermark of each stream; one that may not have arrived is said again on the next connection."""
        while True:
            while self._acks:
                some = dict(itertools.islice(self._acks.items(), AT_ONCE))
                for each in some:
                    del self._acks[each]
                try:
                    async with asyncio.TaskGroup() as tasks:
                        for ((tenant, site), stream), seq in some.items():
                            what = {"stream": stream, "seq": seq}
                            tasks.create_task(_publish(client, f"edge/v1/{tenant}/{site}/ack", what))
                    some.clear()
                finally:
                    self._acks = some | self._acks
                _end_if_told()
            self._news.clear()
            await self._news.wait()

    async def _ask(self, client: aiomqtt.Client) -> None:
        while True:
            for (tenant, site), question in self._due_questions():
                what = {
                    **{"command": "resend", "id": question.id, "stream": question.stream},
                    **{"from": question.first, "to": question.last},
                }
                log.info("missing of %s/%s: %s %d-%d", tenant, site, question.stream, question.first, question.last)
                await _publish(client, f"edge/v1/{tenant}/{site}/cmd/req", what)
            for tenant, site in list(itertools.islice(self._births, BIRTHS_PER_TICK)):
                del self._births[tenant, site]
                what = {"command": "rebirth", "id": self._intake.new_id()}
                await _publish(client, f"edge/v1/{tenant}/{site}/cmd/req", what)
            _end_if_told()
            await asyncio.sleep(TICK_S)

    def _due_questions(self) -> list[tuple[Key, Question]]:
        """None while much of what came is not in the books yet: the answer may be in it."""
        return [] if self._arrived.qsize() > BATCH else self._intake.ask(time.monotonic())

    def _client(self, broker: Broker) -> aiomqtt.Client:
        wishes = self._wishes
        lasting = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        lasting.SessionExpiryInterval = SESSION_S
        session: dict[str, Any] = (
            {"protocol": aiomqtt.ProtocolVersion.V5, "clean_start": False, "properties": lasting}
            if wishes.mqtt5
            else {"protocol": aiomqtt.ProtocolVersion.V311, "clean_session": False}
        )
        presence = wishes.presence
        return aiomqtt.Client(
            *broker,
            identifier=wishes.client_id,
            username=wishes.username,
            password=wishes.password,
            tls_context=wishes.tls,
            keepalive=KEEPALIVE_S,
            timeout=TIMEOUT_S,
            max_inflight_messages=AT_ONCE,
            will=aiomqtt.Will(presence, _presence("offline"), qos=1, retain=True) if presence else None,
            **session,
        )


def _presence(state: str) -> bytes:
    return json.dumps({"state": state}).encode()


async def _publish(client: aiomqtt.Client, topic: str, what: Mapping[str, object]) -> None:
    await client.publish(topic, json.dumps(what), qos=1)


def _end_if_told() -> None:
    """Before Python 3.12 `asyncio.wait_for`, which is under every aiomqtt call, swallows a cancellation that comes
    together with its result. It stays counted, so it is found here.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
