"""The running site: everything started and watched, until told to end.

The order of starting is the order of need: the wires, then the router's mind and the services (all at once), and the
daemon last, when there is something to watch. Commands are taken from the first moment.
"""

import asyncio
import signal
import sys
from collections.abc import Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from lab import plan
from lab.cabling import add_rule, remove_rule, set_cable
from lab.control import CommandSocket
from lab.daemon import Daemon
from lab.errors import LabFailure
from lab.failover import Timing
from lab.link import Link
from lab.nodes import Node
from lab.pinning import Pinning
from lab.program import Program
from lab.router import Router, initial_view
from lab.service import Media, Service
from lab.toggle import Toggle
from lab.world import Truth, World

SERVICE_READY_WITHIN_S = 20.0
SERVICE_STOP_WITHIN_S = 4.0
DAEMON_STOP_WITHIN_S = 5.0

log = structlog.get_logger()


class RunningSite:
    """What `lab.commands` acts on."""

    def __init__(
        self,
        directory: Path,
        nodes: dict[str, Node],
        timing: Timing,
        services: Sequence[Service],
        *,
        media: Media = "rtp",
    ) -> None:
        self.media = media
        self.links = {name: Link(name, nodes[name]) for name in plan.LINKS}
        self.pinnings = {wan.link: Pinning(nodes["router"], wan) for wan in plan.WANS}
        self.lan = Toggle(partial(_plug_lan, nodes["router"]))
        self.reflectors = Toggle(partial(_let_reflectors_answer, nodes["internet"]))
        self.truth = Truth(directory, World(router=initial_view()))
        self.daemon = Daemon(directory, nodes["edge"], media)
        self.router = Router(nodes["router"], self.truth, timing)
        self.ended = asyncio.Event()
        self._log_dir = directory / "log"
        self._services = [_program(service, nodes[service.node], directory) for service in services]

    @property
    def timing(self) -> Timing:
        return self.router.timing

    @timing.setter
    def timing(self, timing: Timing) -> None:
        self.router.timing = timing

    async def start(self, *, with_daemon: bool) -> None:
        """Returns when everything serves. Raises LabFailure naming what does not."""
        self.truth.change()
        for service in self._services:
            await service.start()
        await asyncio.gather(*(link.start(self._log_dir / f"{link.name}.log") for link in self.links.values()))
        await asyncio.gather(*(service.until_ready(SERVICE_READY_WITHIN_S) for service in self._services))
        if with_daemon:
            await self.daemon.start()

    def end(self) -> None:
        self.ended.set()

    async def stop(self) -> None:
        """Ask everything to end. What does not obey ends with the lab's process-id namespace."""
        await self.daemon.program.stop(DAEMON_STOP_WITHIN_S)
        await asyncio.gather(*(service.stop(SERVICE_STOP_WITHIN_S) for service in self._services))

    async def status(self) -> dict[str, Any]:
        programs = [*self._services, self.daemon.program]
        links = {name: await self._link_status(name) for name in self.links}
        dead = [program.name for program in programs if program.failed]
        dead += [f"{name} relay" for name, link in links.items() if link["relay"] != "running"]
        return {
            "ok": not dead,
            "dead": dead,
            "links": links,
            "lan": self.lan.is_on,
            "reflectors": self.reflectors.is_on,
            "media": self.media,
            "world": self.truth.as_json(),
            "failover_s": self.timing.failover_s,
            "failback_s": self.timing.failback_s,
            "services": {service.name: service.status() for service in self._services},
            "daemon": self.daemon.program.status(),
        }

    async def _link_status(self, name: str) -> dict[str, Any]:
        pinning = self.pinnings[name]
        return await self.links[name].status() | {"pinned": pinning.pinned, "detoured": pinning.detoured}


async def run(site: RunningSite, directory: Path, *, with_daemon: bool) -> int:
    """Run the site until SIGINT, SIGTERM or the command `down`; returns the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, site.end)
    async with asyncio.TaskGroup() as tasks, CommandSocket(directory / "lab.sock", site):
        thinking = tasks.create_task(site.router.run())
        try:
            if await _unless_ended(site, site.start(with_daemon=with_daemon)):
                print("ready", flush=True)
                await site.ended.wait()
            status = 0
        except LabFailure as failure:
            print(f"lab: {failure}", file=sys.stderr)
            status = 1
        finally:
            await site.stop()
            thinking.cancel()
    return status


async def _unless_ended(site: RunningSite, work: Coroutine[Any, Any, None]) -> bool:
    """Do `work`; False when the site was told to end before it was done."""
    working, ending = asyncio.create_task(work), asyncio.create_task(site.ended.wait())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        return working.done()
    finally:
        ending.cancel()
        working.cancel()


async def _plug_lan(router: Node, plugged: bool) -> None:
    await set_cable(plan.LAN_PORT, router, plugged=plugged)


async def _let_reflectors_answer(internet: Node, answer: bool) -> None:
    for rule in plan.SILENCE:
        await (remove_rule if answer else add_rule)(internet, rule)


def _program(service: Service, node: Node, directory: Path) -> Program:
    argv = [sys.executable, "-m", service.module, "--dir", str(directory), *service.args]
    return Program(service.name, node.command(argv), directory / "log" / f"{service.name}.log")
