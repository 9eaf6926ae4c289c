"""Two procedure rooms behind one box, told apart on the wire: each has its session, seconds, tier and deadlines.

The second room's workstation is where the staff's computer stands, and its platform has an address of its own.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lab import plan
from tests.site.scene import Doc, Scene, at_once, site

pytestmark = pytest.mark.lab

WITHIN_S = 45.0
FIRST, SECOND = "ct-1", "mr-2"
WORKSTATIONS = {FIRST: "10.77.0.20", SECOND: "10.77.0.40"}
SECOND_PLATFORM = plan.FAR_HOSTS[1]
PLATFORMS = f'platform_networks = ["{plan.PLATFORM}/32", "{SECOND_PLATFORM}/32"]'


def two_rooms(toml: str) -> str:
    toml = toml.replace('room_networks = ["10.77.0.0/24"]\n', "")
    toml = toml.replace(f'platform_networks = ["{plan.PLATFORM}/32"]', PLATFORMS)
    rooms = "".join(f'[rooms.{name}]\nnetworks = ["{host}/32"]\n' for name, host in WORKSTATIONS.items())
    return at_once(toml) + rooms


@asynccontextmanager
async def program(scene: Scene, node: str, module: str, directory: Path, *words: str) -> AsyncIterator[None]:
    """A service of the lab beside those it has; it is there once it says so."""
    argv = [sys.executable, "-m", f"lab.services.{module}", "--dir", str(directory), *words]
    process = await asyncio.create_subprocess_exec(
        *scene.lab.node_command(node, argv), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), WITHIN_S) == b"ready\n"
        yield
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def second_session(scene: Scene) -> AsyncIterator[None]:
    """Its two ends; nothing of the lab's switches is known to them, so its media always flow."""
    with TemporaryDirectory() as fresh:
        directory = Path(fresh)
        far = program(scene, "internet", "platform", directory, "--host", SECOND_PLATFORM)
        near_words = ("--host", WORKSTATIONS[SECOND], "--platform", SECOND_PLATFORM)
        async with far, program(scene, "staff", "workstation", directory, *near_words):
            yield


def room(doc: Doc, name: str) -> Doc:
    found: Doc = next(each for each in doc["rooms"] if each["room"] == name)
    return found


def tiers(doc: Doc) -> dict[str, int]:
    return {each["room"]: each["tier"]["tier"] for each in doc["rooms"]}


def compliant(doc: Doc) -> dict[str, bool | None]:
    return {each["room"]: each["tier"]["av_compliant"] for each in doc["rooms"]}


async def test_e1_t3_rule10_two_rooms_are_told_apart_on_the_wire_and_judged_each_by_itself() -> None:
    async with site(edit=two_rooms) as scene, second_session(scene):
        await open_both(scene)
        await scene.lab.do("media", "off")
        alone = {FIRST: 3, SECOND: 0}
        doc = await scene.until(lambda d: tiers(d) == alone, within_s=WITHIN_S, what=f"{alone}")
        assert compliant(doc) == {FIRST: False, SECOND: True}
        assert (doc["tier"]["tier"], doc["tier"]["room"]) == (3, FIRST), "the site's tier is the highest"
        running = {name: {timer["timer"] for timer in room(doc, name)["timers"]} for name in alone}
        assert running == {FIRST: {"phone", "mobile"}, SECOND: set()}
        entered = await scene.told("tier.entered", room=FIRST, session="s-1")
        assert entered["tier"] == 3
        assert scene.at_the_noc("tier.entered", room=SECOND) == []
        await an_act_needs_its_room(scene)

        await scene.edgectl("session", "close", "--session", "s-2")
        assert {letter for event in await seconds(scene, SECOND) for letter in event["data"]["av"]} <= {"Y", "U"}
        assert "N" in "".join(event["data"]["av"] for event in await seconds(scene, FIRST))


async def open_both(scene: Scene) -> None:
    for name, session in ((FIRST, "s-1"), (SECOND, "s-2")):
        await scene.edgectl("session", "open", session, "--room", name)
    both = {FIRST: True, SECOND: True}
    await scene.until(lambda d: compliant(d) == both, within_s=WITHIN_S, what="two live sessions")


async def an_act_needs_its_room(scene: Scene) -> None:
    assert "room" in await scene.edgectl("contrast", "start", status=1)
    await scene.told("act.refused", refused="which_room", act="contrast_started")
    await scene.edgectl("contrast", "start", "--room", SECOND)
    phases = {each["room"]: each["session"]["phase"] for each in (await scene.status())["rooms"]}
    assert phases == {FIRST: "pre", SECOND: "injecting"}
    ready: Doc = json.loads(await scene.edgectl("ready", "--room", FIRST, "--json", status=2))
    assert "av_not_live" in {reason["code"] for reason in ready["rooms"][0]["reasons"]}


async def seconds(scene: Scene, name: str) -> list[Doc]:
    """Told to the NOC of this room's session so far; at least some."""
    await scene.told("av.seconds", room=name)
    return scene.at_the_noc("av.seconds", room=name)
