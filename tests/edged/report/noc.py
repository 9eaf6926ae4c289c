"""The other side: a NOC that listens, and remembers everything in order."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiomqtt

from edged.report.history import unpack

BASE = "edge/v1/clinic/room-1"


@dataclass(frozen=True)
class Message:
    topic: str
    retained: bool
    raw: bytes
    expiry_s: int | None
    content_type: str | None

    @property
    def envelope(self) -> dict[str, Any]:
        envelope = json.loads(self.raw)
        assert isinstance(envelope, dict)
        return envelope

    @property
    def data(self) -> dict[str, Any]:
        data = self.envelope["data"]
        assert isinstance(data, dict)
        return data


@dataclass
class Noc:
    client: aiomqtt.Client
    messages: list[Message] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            expiry = getattr(message.properties, "MessageExpiryInterval", None)
            kind = getattr(message.properties, "ContentType", None)
            self.messages.append(Message(str(message.topic), bool(message.retain), message.payload, expiry, kind))
            self._news.set()

    def on(self, *levels: str) -> list[Message]:
        """What came on the topics below `edge/v1/clinic/room-1` that start so."""
        return [m for m in self.messages if m.topic.removeprefix(f"{BASE}/").startswith(levels)]

    def states(self) -> list[str]:
        return [message.data["state"] for message in self.on("state")]

    def told(self) -> list[dict[str, Any]]:
        """Every numbered message, those of batches as if they had come alone."""
        found: list[dict[str, Any]] = []
        for message in self.on("evt", "tel", "hist"):
            found += unpack(message.raw) if message.topic.endswith("/hist") else [message.envelope]
        return found

    def events(self) -> list[int]:
        return [each["sequence"] for each in self.told() if "tier" in each]

    def tombstones(self) -> list[dict[str, Any]]:
        return [each["data"] for each in self.told() if each["type"] == "edge.tombstone.v1"]

    def answers(self) -> list[dict[str, Any]]:
        return [message.data for message in self.on("cmd/res")]

    async def until(self, met: Callable[[], object], timeout_s: float = 10.0) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while not met():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            seen = "\n".join(f"{m.topic} {m.raw[:160]!r}" for m in self.messages)
            raise AssertionError(f"did not come; came:\n{seen}") from None

    async def say(self, below: str, what: object, *, retain: bool = False) -> None:
        payload = what if isinstance(what, bytes) else json.dumps(what)
        await self.client.publish(f"{BASE}/{below}", payload, qos=1, retain=retain)

    async def present(self, state: str) -> None:
        await self.client.publish("edge/v1/clinic/noc/state", json.dumps({"state": state}), qos=1, retain=True)

    async def acknowledge(self, stream: str, sequence: int) -> None:
        await self.say("ack", {"stream": stream, "seq": sequence})


@asynccontextmanager
async def noc_on(port: int, topic: str = f"{BASE}/#", *, name: str = "noc") -> AsyncIterator[Noc]:
    async with aiomqtt.Client("127.0.0.1", port, identifier=name, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(topic, qos=1)
        noc = Noc(client)
        listening = asyncio.create_task(noc.listen())
        try:
            yield noc
        finally:
            listening.cancel()
