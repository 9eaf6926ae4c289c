"""A small site of our own: spells as edged does, keeps its events, answers `resend`, and is as odd as tests want it."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import NAMESPACE_OID, uuid4, uuid5

import aiomqtt

from edged.clock import ClockQuality
from edged.contract.examples import DATA
from edged.core.events import Channel, Event, Json
from edged.record.envelope import Origin, Stamp, event_envelope, measurement_envelope, moment_envelope
from edged.report import history

ORIGIN = Origin("clinic", "room-1")
NOW = Stamp(1_767_225_600.0, 100.0, ClockQuality.SYNCED, "3624b021-98e6-46f4-aafc-8b5470085929")
BASE = "edge/v1/clinic/room-1"


S, T, OLD, NEW = (str(uuid5(NAMESPACE_OID, name)) for name in ("s", "t", "old", "new"))
"""Streams."""


def event(stream: str, sequence: int, *, tier: int = 2, channel: Channel = Channel.TIER) -> bytes:
    data: Mapping[str, Json] = DATA["tier.entered"] if channel is Channel.TIER else {"events": sequence}
    name = "tier.entered" if channel is Channel.TIER else "record.coalesced"
    happened = Event(channel, name, tier, 99.5, data)
    return event_envelope(happened, origin=ORIGIN, now=NOW, stream=stream, sequence=sequence)


def measurement(stream: str, sequence: int, first: int | None = None, **figures: Json) -> bytes:
    row = {**DATA["tel.links"]["rows"][0], "rtt_ms": [25.0, 20.0, None], **figures}
    return measurement_envelope(
        "links", {"rows": [row]}, origin=ORIGIN, now=NOW, stream=stream, sequence=sequence, first=first or sequence
    )


def moment(kind: str, data: dict[str, Json], *, epoch: int = 1, identity: str = "s/1/1") -> bytes:
    return moment_envelope(kind, data, origin=ORIGIN, now=NOW, identity=identity, epoch=epoch)


def state(word: str, *heads: tuple[str, int, int], stream: str = S, epoch: int = 1) -> bytes:
    told: list[Json] = [{"stream": name, "last": last, "acknowledged": seq} for name, last, seq in heads]
    data: dict[str, Json] = {"state": word, "version": "0.1.0", "config_hash": "c0ffee5eed5eed00"}
    if word != "lost":
        data |= {"durable": True, "heads": told}
    return moment("state", data, epoch=epoch, identity=f"{stream}/{epoch}/1")


def tombstone(stream: str, first: int, last: int | None, why: str = "evicted") -> bytes:
    return moment("tombstone", {"stream": stream, "first": first, "last": last, "why": why})


@dataclass
class Site:
    client: aiomqtt.Client
    stream: str = field(default_factory=lambda: str(uuid4()))
    kept: dict[int, bytes] = field(default_factory=dict)
    gone: dict[int, str] = field(default_factory=dict)
    acknowledged: int = 0
    asked: list[tuple[int, int]] = field(default_factory=list)
    noc: list[str] = field(default_factory=list)
    reborn: int = 0
    knows_stream: bool = True
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def head(self) -> int:
        return max([0, *self.kept, *self.gone])

    def record(self, count: int, channel: Channel = Channel.TIER) -> list[int]:
        """Their numbers."""
        numbers = list(range(self.head + 1, self.head + 1 + count))
        self.kept |= {number: event(self.stream, number, channel=channel) for number in numbers}
        return numbers

    async def online(self, epoch: int = 1) -> None:
        told = state("online", (self.stream, self.head, self.acknowledged), stream=self.stream, epoch=epoch)
        await self.client.publish(f"{BASE}/state", told, qos=1, retain=True)

    async def send(self, numbers: Iterable[int], topic: str = "evt/t2") -> None:
        for number in numbers:
            await self.client.publish(f"{BASE}/{topic}", self.kept[number], qos=1)

    async def send_history(self, *members: bytes) -> None:
        await self.client.publish(f"{BASE}/hist", history.pack(members), qos=1)

    async def listen(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            said = json.loads(message.payload)
            match message.topic.value.split("/")[4:]:
                case ["ack"]:
                    self.acknowledged = max(self.acknowledged, said["seq"])
                case ["cmd", "req"] if said["command"] == "resend":
                    await self._resend(said)
                case ["cmd", "req"]:
                    self.reborn += 1
                    await self.online()
                case ["state"]:
                    self.noc.append(said["state"])
            self.news.set()

    async def _resend(self, said: dict[str, Json]) -> None:
        first, last = said["from"], said["to"]
        assert isinstance(first, int)
        assert isinstance(last, int)
        self.asked.append((first, last))
        asked: dict[str, Json] = {"id": said["id"]}
        if not self.knows_stream:
            return await self._answer(asked | {"status": "refused", "reason": "unknown_stream"})
        rows = [self.kept[number] for number in range(first, last + 1) if number in self.kept]
        while rows:
            count = history.portions(rows)
            await self.send_history(*rows[:count])
            rows = rows[count:]
        missing = [n for n in range(first, last + 1) if n not in self.kept]
        stones: list[Json] = [{"first": n, "last": n, "why": self.gone.get(n, "never")} for n in missing[:32]]
        told: dict[str, Json] = {"stream": self.stream, "sent": 0, "missing": stones, "missing_rows": len(missing)}
        return await self._answer(asked | {"command": "resend", "status": "done"} | told)

    async def _answer(self, data: dict[str, Json]) -> None:
        await self.client.publish(f"{BASE}/cmd/res", moment("answer", data), qos=1)

    async def until_acknowledged(self, sequence: int, timeout_s: float = 20.0) -> None:
        async with asyncio.timeout(timeout_s):
            while self.acknowledged < sequence:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def site_on(
    port: int, site: Site | None = None, tls_context: ssl.SSLContext | None = None
) -> AsyncIterator[Site]:
    """`site`: what another connection of it kept."""
    will = aiomqtt.Will(f"{BASE}/state", state("lost"), qos=1, retain=True)
    async with aiomqtt.Client(
        "127.0.0.1",
        port,
        identifier="room-1",
        protocol=aiomqtt.ProtocolVersion.V5,
        will=will,
        tls_context=tls_context,
    ) as client:
        for below in ("room-1/ack", "room-1/cmd/req", "noc/state"):
            await client.subscribe(f"edge/v1/clinic/{below}", qos=1)
        site = site or Site(client)
        site.client = client
        listening = asyncio.create_task(site.listen())
        try:
            yield site
        finally:
            listening.cancel()
