"""One link of the site as the lab commands it: its relay process, how each direction stands, and whether its cable is
in."""

import asyncio
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import structlog

from lab import plan
from lab.cabling import set_cable
from lab.errors import LabFailure, LabMisuse
from lab.nodes import Node, outside_pid
from lab.wire import DIRECTIONS, WireSettings

log = structlog.get_logger()


class Link:
    def __init__(self, name: str, node: Node) -> None:
        self.name = name
        self.plugged = True
        self.settings = dict.fromkeys(DIRECTIONS, plan.LINKS[name])
        self._node = node
        self._relay: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._asking = asyncio.Lock()

    @property
    def relay(self) -> asyncio.subprocess.Process:
        if self._relay is None:
            raise LabFailure(f"the relay of {self.name} was not started")
        return self._relay

    @property
    def relay_pid(self) -> int | None:
        """As the world outside the lab sees it; None when it does not run."""
        if self._relay is None or self._relay.returncode is not None:
            return None
        try:
            return outside_pid(self._relay.pid)
        except ProcessLookupError:  # it ended, and asyncio has not noticed yet
            return None

    @property
    def rtt_s(self) -> float:
        """Of an empty link, without jitter."""
        return sum(settings.delay_s for settings in self.settings.values())

    async def start(self, log: Path) -> None:
        argv = self._node.command([sys.executable, "-m", "lab.relay", "room", "net"])
        pipe = asyncio.subprocess.PIPE
        with log.open("ab") as errors:
            # A session of its own: Ctrl-C is not for it, and where the kernel groups by session (autogroup) it competes
            # with other sessions as one, not with every busy process of this one.
            self._relay = await asyncio.create_subprocess_exec(
                *argv, stdin=pipe, stdout=pipe, stderr=errors, start_new_session=True
            )
        self._watch = asyncio.create_task(self._tell_end(self._relay))
        async with self._asking:
            await self._answer("start")
        await self._ask({name: asdict(settings) for name, settings in self.settings.items()})

    async def change(self, directions: tuple[str, ...] = DIRECTIONS, **fields: Any) -> None:
        """Set fields of WireSettings. Raises LabMisuse for what no wire can be, and then nothing changed."""
        try:
            changed = {name: replace(self.settings[name], **fields) for name in directions}
        except ValueError as error:
            raise LabMisuse(f"{self.name}: {error}") from error
        await self._ask({name: asdict(settings) for name, settings in changed.items()})
        self.settings |= changed

    async def lag(self, added_s: float, directions: tuple[str, ...] = DIRECTIONS) -> None:
        """Add to the round trip of the link as built: half each way, or all of it in one direction."""
        usual: WireSettings = plan.LINKS[self.name]
        await self.change(directions, delay_s=usual.delay_s + added_s / len(directions))

    async def heal(self) -> None:
        """As built: plugged, not cut, usual delay, jitter, loss, rate, queue, every size and mark of packet carried."""
        await self.change(**asdict(plan.LINKS[self.name]))
        await self.plug(plugged=True)

    async def plug(self, *, plugged: bool) -> None:
        await set_cable(plan.Port(self.name, "room"), self._node, plugged=plugged)
        self.plugged = plugged

    async def status(self) -> dict[str, Any]:
        """How it stands and, per direction, its settings and what it did with the frames so far (None: the relay is
        dead)."""
        try:
            counts = await self._ask({})
        except LabFailure:
            counts = dict.fromkeys(DIRECTIONS)
        return {
            "plugged": self.plugged,
            "cut": any(settings.cut for settings in self.settings.values()),
            "rtt_s": self.rtt_s,
            "relay": "running" if all(counts.values()) else "ended",
            "relay_pid": self.relay_pid,
            **{name: {"settings": asdict(its), "counts": counts[name]} for name, its in self.settings.items()},
        }

    async def _tell_end(self, relay: asyncio.subprocess.Process) -> None:
        """It ends with the lab; before that, the link is dead and somebody should know."""
        status = await relay.wait()
        log.error("relay ended", link=self.name, status=status)

    async def _ask(self, orders: dict[str, Any]) -> dict[str, Any]:
        relay = self.relay
        async with self._asking:
            if relay.stdin is None:
                raise LabFailure(f"the relay of {self.name} takes no orders")
            relay.stdin.write(json.dumps(orders).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await self._answer("answer"))
        return answer

    async def _answer(self, what: str) -> bytes:
        relay = self.relay
        line = await relay.stdout.readline() if relay.stdout else b""
        if not line:
            raise LabFailure(f"the relay of {self.name} did not {what}: it ended, see log/{self.name}.log")
        return line
