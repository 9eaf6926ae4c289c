"""The real daemon on the lab's site, and what a test asks of them: wait for facts, never for time."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from edged.cli.client import NotRunning, ask
from edged.control.protocol import Refusal
from lab.client import LabClient, start_lab
from lab.daemon_config import toml_for
from lab.noc_copy import NocCopy

Doc = dict[str, Any]

QUICK_TIERS = """
[tiers]
t1 = { raise_s = 3, clear_s = 4 }
t2 = { raise_s = 1, clear_s = 60 }
t3 = { raise_s = 3, clear_s = 4 }
"""
"""Recovery sooner than in a real room, where the order of clearing is what is tested."""


class Scene:
    def __init__(self, lab: LabClient) -> None:
        self.lab = lab
        self.noc = NocCopy(lab.directory / "noc.jsonl")
        self.since = 0
        """Sequence of the last event recorded before what is tested now; `told` and `at_noc` look behind it."""

    @property
    def socket(self) -> Path:
        return self.lab.directory / "control.sock"

    async def status(self) -> Doc:
        doc: Doc = await asyncio.to_thread(ask, self.socket, "status")
        return doc

    async def until(self, wanted: Callable[[Doc], bool], *, within_s: float, what: str) -> Doc:
        """The first status document for which `wanted` holds; fails with the last one's tier and links."""
        doc: Doc = {}
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        doc = await self.status()
                        if wanted(doc):
                            return doc
                    except NotRunning:
                        pass
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"no {what} within {within_s} s: {brief(doc)}") from None

    async def tier(self, tier: int, *, within_s: float) -> Doc:
        return await self.until(lambda doc: doc["tier"]["tier"] == tier, within_s=within_s, what=f"tier {tier}")

    async def calm(self) -> Doc:
        """Everything up, media live both ways, nothing pending."""
        return await self.until(is_calm, within_s=20, what="calm")

    async def act(self, act: str, session: str | None = None) -> None:
        args = {"act": act, "reason": "drill", "session": session}
        await asyncio.to_thread(ask, self.socket, "act", args)

    async def edgectl(self, *words: str, status: int = 0) -> str:
        """What the real program prints; it must end with `status`."""
        return await run(EDGECTL, *words, status=status, EDGED_SOCKET=str(self.socket))

    async def begin(self) -> None:
        """What happened before is no business of what is tested now."""
        self.since = int((await self.recorded())[-1]["sequence"])

    def at_the_noc(self, kind: str, **data: Any) -> list[Doc]:
        """Events of a kind with these data that the NOC holds, in order. "timer." is all that begins so, "" all."""
        self.noc.read()
        found = [line["event"] for line in self.noc.events if is_told(line["event"], kind, **data)]
        return sorted((each for each in found if int(each["sequence"]) > self.since), key=lambda e: int(e["sequence"]))

    async def told(self, kind: str, *, within_s: float = 30.0, **data: Any) -> Doc:
        """The first of these events once it is at the NOC; within what a line needs that was cut."""
        new = self.since
        return await self.at_noc(
            lambda e: int(e["sequence"]) > new and is_told(e, kind, **data), within_s=within_s, what=f"{kind} {data}"
        )

    async def rest(self) -> None:
        """Heal everything, end what people began, and wait until it is calm."""
        await self.lab.do("heal", "all")
        if (await self.status())["session"]["open"]:
            await self.edgectl("session", "close")
        await self.edgectl("onsite")
        await self.until(is_at_rest, within_s=90, what="rest")

    async def recorded(self) -> list[Doc]:
        rows = await asyncio.to_thread(ask, self.socket, "events", {"limit": 1000})
        return [row["event"] for row in rows]

    async def at_noc(self, wanted: Callable[[Doc], bool], *, within_s: float, what: str) -> Doc:
        """The first event at the NOC for which `wanted` holds."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    self.noc.read()
                    for line in self.noc.events:
                        if wanted(line["event"]):
                            event: Doc = line["event"]
                            return event
                    await asyncio.sleep(0.1)
        except TimeoutError:
            types = [line["event"]["type"] for line in self.noc.events]
            raise AssertionError(f"no {what} at the NOC within {within_s} s; there are {types}") from None

    async def in_node(self, node: str, *argv: str, stdin: bytes = b"") -> str:
        process = await asyncio.create_subprocess_exec(
            *self.lab.node_command(node, argv),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(stdin)
        assert process.returncode == 0, err.decode()
        return out.decode()

    async def stands(self, name: str, at: str, *, within_s: float = 45.0) -> Doc:
        """The first status in which a condition stands."""
        return await self.until(lambda doc: (name, at) in raised(doc), within_s=within_s, what=f"{name} {at}")

    async def over(self, name: str, at: str, *, within_s: float = 45.0) -> Doc:
        return await self.until(lambda doc: (name, at) not in raised(doc), within_s=within_s, what=f"no {name} {at}")

    async def python_in(self, node: str, code: str) -> str:
        return await self.in_node(node, sys.executable, "-c", code)


def is_told(event: Doc, kind: str, **data: Any) -> bool:
    name = event["type"].removeprefix("edge.").removesuffix(".v1")
    alike = name.startswith(kind) if not kind or kind.endswith(".") else name == kind
    return alike and all(event["data"].get(key) == value for key, value in data.items())


async def run(code: str, *words: str, status: int = 0, **environment: str) -> str:
    """What this Python program prints; it must end with `status`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    out, err = await process.communicate()
    assert process.returncode == status, f"{' '.join(words)}: {process.returncode}: {out.decode()}{err.decode()}"
    return out.decode() or err.decode()


EDGECTL = "from edged.cli.edgectl import main; main()"
EDGED = "from edged.cli.daemon import main; main()"


@asynccontextmanager
async def site(*, failover_s: float = 3.0, edit: Callable[[str], str] = lambda toml: toml) -> AsyncIterator[Scene]:
    """A calm site with the daemon running on `edit`ed configuration."""
    async with start_lab(failover_s=failover_s, failback_s=2.0) as lab:
        (lab.directory / "edged.toml").write_text(edit(toml_for(lab.directory)))
        await lab.do("daemon", "start")
        scene = Scene(lab)
        await scene.calm()
        yield scene


def quick(toml: str) -> str:
    """Recovery in seconds: short dwells, and links believed again soon."""
    settled = 'role = "primary"\nrecovery_window_s = 2\nhold_down_s = 1'
    toml = toml.replace('role = "primary"', settled)
    return toml.replace('role = "backup"', settled.replace("primary", "backup")) + QUICK_TIERS


def at_once(toml: str) -> str:
    """`quick`, and every recovery within a second or two: where recovery is not what is tested."""
    return quick(toml).replace("clear_s = 60", "clear_s = 1").replace("clear_s = 4", "clear_s = 1")


def is_at_rest(doc: Doc) -> bool:
    """Calm as the site was built: over fiber, every fallback there, nobody supervised, no drill."""
    mobile = doc["mobile"] is not None and doc["mobile"]["heard"] is True
    fiber = any(link["carrying"] and link["link"] == "fiber" for link in doc["links"])
    return is_calm(doc) and mobile and fiber and doc["drill"] is None and not doc["session"]["open"]


def is_online(doc: Doc) -> bool:
    """Not while nothing is known of the line to the NOC yet."""
    return doc["broker"] is not None and doc["broker"]["connected"] is True


def is_calm(doc: Doc) -> bool:
    links = all(link["verdict"] == "up" for link in doc["links"]) and any(link["carrying"] for link in doc["links"])
    streams = (doc["media"] or {"streams": []})["streams"]
    media = len(streams) == 4 and all(stream["live"] for stream in streams)
    shaped = bool(doc["qos"]) and all(each["state"] == "active" for each in doc["qos"])
    phone = doc["phone"] is not None and doc["phone"]["reachable"] is True
    return links and media and shaped and phone and is_online(doc) and doc["tier"]["tier"] == 0


def raised(doc: Doc) -> set[tuple[str, str]]:
    """Every condition that stands, and what it is about."""
    return {(each["name"], each["at"]) for each in doc["conditions"]}


def brief(doc: Doc) -> str:
    if not doc:
        return "the daemon said nothing"
    links = {link["link"]: (link["verdict"], link["cause"], link["carrying"]) for link in doc["links"]}
    return json.dumps({"tier": doc["tier"], "links": links, "media": doc["media"], "phone": doc["phone"]}, default=str)


__all__ = ["EDGECTL", "EDGED", "Refusal", "Scene", "at_once", "brief", "is_at_rest", "quick", "raised", "run", "site"]
