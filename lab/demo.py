"""`edged demo`: the site in a box, the real daemon on it, a story, and at the end a look into the NOC's book."""

import asyncio
import json
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from edged.control.protocol import decode_reply, encode_request
from lab import stage
from lab.client import LabClient, start_lab
from lab.errors import LabFailure
from lab.noc_copy import NocCopy, compare
from lab.place import default_directory
from lab.story import EXPECTED_TIERS, STORY, Step

FAILOVER_S, FAILBACK_S = 6.0, 5.0
"""A quick router, so that the story is told in two and a half minutes. `lab failover 10s` makes it a usual one."""
DRAW_S = 0.25
DELIVERED_WITHIN_S = 20.0


class StoryFailed(Exception):
    """What should have come of a step did not."""


@dataclass
class Scene:
    """What is going on: filled by the player and the watcher, drawn by the screen."""

    title: str = "Building the site…"
    said: list[str] = field(default_factory=list)
    doc: dict[str, Any] | None = None
    copy: NocCopy = field(default_factory=lambda: NocCopy(Path("/dev/null")))
    changed: asyncio.Event = field(default_factory=asyncio.Event)


async def demo(*, once: bool, picture: Path | None = None, directory: Path | None = None) -> int:
    """Play the story; 0 if the NOC holds exactly what it should. Without `once` the site stays until Ctrl-C."""
    console = Console()
    place = directory or default_directory()
    scene = Scene()
    try:
        async with start_lab(failover_s=FAILOVER_S, failback_s=FAILBACK_S, with_daemon=True, directory=place) as lab:
            scene.copy = NocCopy(place / "noc.jsonl")
            wrong = await _show(lab, scene, console, picture)
            _verdict(console, scene, wrong)
            if not once:
                await _hands_on(console)
    except (LabFailure, StoryFailed) as error:
        console.print(f"[bold red]the demo failed:[/] {error}", highlight=False)
        return 1
    return 1 if wrong else 0


async def _show(lab: LabClient, scene: Scene, console: Console, picture: Path | None) -> list[str]:
    async with asyncio.TaskGroup() as group:
        helpers = [group.create_task(_watch(lab, scene)), group.create_task(_draw(scene, console, picture))]
        try:
            for step in STORY:
                await _play(lab, scene, step, plain=not console.is_terminal)
            return await _check(lab, scene)
        finally:
            for task in helpers:
                task.cancel()


# ── playing ────────────────────────────────────────────────────────────────────────────────────────────
async def _play(lab: LabClient, scene: Scene, step: Step, *, plain: bool) -> None:
    scene.title = step.title
    if plain:
        print(f"── {step.title}", flush=True)
    for words in step.lab:
        await _say(scene, f"lab {words}", await lab.do(*words.split()), plain=plain)
    for words in (each.format(directory=lab.directory) for each in step.people):
        await _say(scene, f"edgectl {words}", await _edgectl(lab, words), plain=plain)
    try:
        async with asyncio.timeout(step.within_s):
            while not _came(step, scene.doc):
                scene.changed.clear()
                await scene.changed.wait()
    except TimeoutError:
        now = stage.plain(scene.doc) if scene.doc else "the daemon said nothing"
        raise StoryFailed(f"“{step.title}”: not within {step.within_s:.0f} s; {now}") from None
    if plain and scene.doc:
        print(f"   {stage.plain(scene.doc)}", flush=True)
    await asyncio.sleep(step.then_s)


async def _say(scene: Scene, command: str, answer: str, *, plain: bool) -> None:
    scene.said.append(f"{command}  → {answer}")
    if plain:
        print(f"   $ {command}\n{textwrap.indent(answer, '     ')}", flush=True)


def _came(step: Step, doc: dict[str, Any] | None) -> bool:
    """Whether what the step waits for is the case."""
    if doc is None:
        return False
    tier = step.tier is None or doc["tier"]["tier"] == step.tier
    carrier = step.carrier is None or any(link["link"] == step.carrier and link["carrying"] for link in doc["links"])
    condition = step.condition is None or any(each["name"] == step.condition for each in doc["conditions"])
    return tier and carrier and condition


async def _edgectl(lab: LabClient, words: str) -> str:
    """The real command, in a process of its own, as a person runs it."""
    edgectl = Path(sys.executable).with_name("edgectl")
    process = await asyncio.create_subprocess_exec(
        edgectl, *words.split(), f"--socket={lab.directory / 'control.sock'}",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    text = said.decode(errors="replace").strip()
    if process.returncode:
        raise StoryFailed(f"edgectl {words}: {text}")
    return text


# ── watching ───────────────────────────────────────────────────────────────────────────────────────────
async def _watch(lab: LabClient, scene: Scene) -> None:
    """Follow the daemon's status and the NOC's book; a daemon that is being restarted is waited for."""
    while True:
        with suppress(OSError, ValueError):
            async with _told(lab.directory / "control.sock") as lines:
                while line := await lines.readline():
                    scene.doc = decode_reply(line)
                    scene.copy.read()
                    scene.changed.set()
        await asyncio.sleep(DRAW_S)


@asynccontextmanager
async def _told(socket: Path) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_unix_connection(socket, limit=1 << 20)
    try:
        writer.write(encode_request("watch", {"every_s": DRAW_S}))
        yield reader
    finally:
        writer.close()


async def _draw(scene: Scene, console: Console, picture: Path | None) -> None:
    """The screen, where there is one; and a picture of its worst moment, if one was asked for."""
    if console.is_terminal:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                live.update(_frame(scene, console), refresh=True)
                _photograph(scene, picture)
                await asyncio.sleep(DRAW_S)
    while True:
        _photograph(scene, picture)
        await asyncio.sleep(DRAW_S)


def _frame(scene: Scene, console: Console) -> Any:
    room = {"height": console.height, "width": console.width}
    return stage.stage(scene.title, scene.said, scene.doc, scene.copy.tier_events(), **room)


def _photograph(scene: Scene, picture: Path | None) -> None:
    """Tier 2 over the backup line: both lines, the response and the delivery in one frame."""
    if picture is None or scene.doc is None or "fails over" not in scene.title or not scene.copy.tier_events():
        return
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=112, height=44, file=nowhere, force_terminal=True)
        console.print(_frame(scene, console))
        console.save_svg(str(picture), title="./dev demo")


# ── the end ────────────────────────────────────────────────────────────────────────────────────────────
async def _check(lab: LabClient, scene: Scene) -> list[str]:
    """Wait until the NOC has everything or time is up, then compare its copy with the daemon's record."""
    wrong = ["nothing was compared"]
    with suppress(TimeoutError):
        async with asyncio.timeout(DELIVERED_WITHIN_S):
            while wrong:
                scene.copy.read()
                recorded = json.loads(await _edgectl(lab, "events --json --last 1000"))
                wrong = compare(scene.copy, [each["event"] for each in recorded], EXPECTED_TIERS)
                kept = scene.doc["record"]["tier_pending"] if scene.doc else 0
                wrong += [f"{kept} tier events are still waiting for the NOC's word"] if kept else []
                await asyncio.sleep(0.5 if wrong else 0)
    return wrong


def _verdict(console: Console, scene: Scene, wrong: list[str]) -> None:
    if console.is_terminal:
        console.print(stage.noc(scene.copy.tier_events()))
    duplicates = max((each["duplicates"] for each in scene.copy.events), default=0)
    console.print(
        f"NOC: {len(scene.copy.tier_events())} tier events, {len(scene.copy.events)} events in all, "
        f"{duplicates} came again and were told apart.",
        highlight=False,
    )
    if wrong:
        console.print("[bold red]NOT as it should be:[/]", *(f"\n  {line}" for line in wrong), highlight=False)
    else:
        console.print("[bold green]Every expected tier event arrived, each exactly once.[/]")


async def _hands_on(console: Console) -> None:
    console.print(HANDS_ON, highlight=False)
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


HANDS_ON = """
The site stays up; Ctrl-C takes it down. In another terminal, try:

  ./dev edgectl watch                the board, live
  ./dev lab cut fiber                … and see tier 2; ./dev edgectl continuity
  ./dev edgectl session open s-0002  ./dev edgectl ready: contrast now?
  ./dev lab video freeze             … and what becomes of it:
  ./dev edgectl incidents            ./dev edgectl incident 1
  ./dev lab lag cellular 200ms       ./dev lab loss fiber 5%
  ./dev lab mains off                ./dev edgectl ups
  ./dev lab heal all                 as built;  ./dev lab --help: what there is
  ./dev lab daemon kill              kill -9;  ./dev lab daemon start goes on
  ./dev lab exec staff -- ip address any command inside a node
  ./dev edgectl events               what was recorded
  ./dev edgectl evidence s-0001      … and the proof of it
"""


def main(*, once: bool, picture: Path | None) -> int:
    try:
        return asyncio.run(demo(once=once, picture=picture))
    except KeyboardInterrupt:
        return 0
