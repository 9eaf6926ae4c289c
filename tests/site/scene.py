"""The real daemon on the lab's site, and what a test asks of them: wait for facts, never for time."""

import asyncio
import json
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

    async def python_in(self, node: str, code: str) -> str:
        return await self.in_node(node, sys.executable, "-c", code)


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


def is_calm(doc: Doc) -> bool:
    links = all(link["verdict"] == "up" for link in doc["links"]) and any(link["carrying"] for link in doc["links"])
    streams = (doc["media"] or {"streams": []})["streams"]
    media = len(streams) == 4 and all(stream["live"] for stream in streams)
    shaped = bool(doc["qos"]) and all(each["state"] == "active" for each in doc["qos"])
    phone = doc["phone"] is not None and doc["phone"]["reachable"] is True
    return links and media and shaped and phone and doc["broker"]["connected"] and doc["tier"]["tier"] == 0


def brief(doc: Doc) -> str:
    if not doc:
        return "the daemon said nothing"
    links = {link["link"]: (link["verdict"], link["cause"], link["carrying"]) for link in doc["links"]}
    return json.dumps({"tier": doc["tier"], "links": links, "media": doc["media"], "phone": doc["phone"]}, default=str)


__all__ = ["Refusal", "Scene", "brief", "quick", "site"]
