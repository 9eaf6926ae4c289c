"""The real daemon in the lab, every message on the broker: all of it obeys the schemas that are published."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from edged.contract import KINDS, fit
from edged.record.batch import unpack
from lab.client import LabClient
from tests.edged.contract import listener
from tests.site.scene import Doc, Scene, quick, site

pytestmark = pytest.mark.lab

SCHEMAS: dict[str, Any] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (Path(__file__).parents[3] / "docs" / "schemas").glob("*.json")
}
REGISTRY: Registry[Any] = Registry().with_resources(
    (f"{name}.json", Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)
BASE = "edge/v1/lab/room-1"
BROKER = "198.51.100.10"
NOC_SAYS = {"ack": "ack", "noc/state": "noc.state"}
ASKED: list[Doc] = [
    {"command": "resend", "id": "q-1", "stream": "", "from": 1, "to": 20},
    {"command": "rebirth", "id": "q-2"},
    {"command": "rebirth", "id": "q-3", "why": "no reason"},
    {"command": "prove", "id": "q-4", "args": {"link": "fiber"}, "signature": "none"},
]


@dataclass(frozen=True)
class Said:
    topic: str
    payload: bytes

    @property
    def where(self) -> str:
        return self.topic.removeprefix("edge/v1/lab/").removeprefix("room-1/")


class Ear:
    def __init__(self, process: asyncio.subprocess.Process, file: Path) -> None:
        self._process, self._file = process, file

    def tell(self, topic: str, payload: Doc) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"topic": topic, "payload": payload}).encode() + b"\n")

    def heard(self) -> list[Said]:
        whole = self._file.read_text(encoding="ascii").rpartition("\n")[0]
        found = map(json.loads, whole.splitlines())
        return [Said(each["topic"], bytes.fromhex(each["payload"])) for each in found]


@asynccontextmanager
async def listening(lab: LabClient) -> AsyncIterator[Ear]:
    file = lab.directory / "heard.jsonl"
    program = (sys.executable, listener.__file__, BROKER, str(file))
    process = await asyncio.create_subprocess_exec(
        *lab.node_command("internet", program), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 10) == b"ready\n"
        yield Ear(process, file)
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 10)


async def story(scene: Scene, ear: Ear) -> None:
    """A session with contrast, cut, mains off, phone off, a question, and all is well again."""
    await scene.act("session_requested", "s-0815")
    await scene.act("session_joined")
    await scene.act("contrast_started")
    await scene.lab.do("cut", "fiber")
    await scene.lab.do("mains", "off")
    await scene.lab.do("phone", "off")
    await scene.tier(2, within_s=10)
    await scene.until(lambda doc: has(doc, "phone.unreachable", "power.on_battery"), within_s=30, what="all of it")
    stream = (await scene.status())["record"]["stream"]
    for asked in ASKED:
        ear.tell(f"{BASE}/cmd/req", {**asked, **({"stream": stream} if "stream" in asked else {})})
    await scene.lab.do("heal", "all")
    await scene.lab.do("mains", "on")
    await scene.lab.do("phone", "on")
    await scene.act("continuity_confirmed")
    gone = ("phone.unreachable", "power.on_battery", "link.down")
    await scene.until(lambda doc: not any(has(doc, each) for each in gone), within_s=30, what="it over")
    await scene.act("contrast_ended")
    await scene.act("session_closed")
    await scene.lab.do("daemon", "stop")


async def everything(ear: Ear, *, within_s: float) -> list[Said]:
    """What was heard, once it has all that is expected."""
    lacking = EXPECTED
    try:
        async with asyncio.timeout(within_s):
            while lacking:
                await asyncio.sleep(0.2)
                heard = ear.heard()
                lacking = EXPECTED - {kind for said in heard for kind, _ in members(said)}
            return heard
    except TimeoutError:
        raise AssertionError(f"not heard within {within_s} s: {sorted(lacking)}") from None


def has(doc: Doc, *names: str) -> bool:
    return set(names) <= {each["name"] for each in doc["conditions"]}


async def test_every_message_of_a_short_story_obeys_its_schema() -> None:
    async with site(edit=quick) as scene, listening(scene.lab) as ear:
        await story(scene, ear)
        heard = await everything(ear, within_s=15)
    wrong = [complaint for said in heard for complaint in complaints(said)]
    assert wrong == []
    assert "hist" in {said.where for said in heard}
    assert len(heard) > 50


EXPECTED = {
    *("state", "answer", "tier.entered", "containment.raised", "wan.failover", "act.session_joined"),
    *("session.answered", "av.seconds", "timer.started", "act.contrast_started", "ledger.checkpoint"),
    *("incident.opened", "alarm.raised", "daemon.started"),
    *("link.down.raised", "link.down.cleared", "power.on_battery.raised", "power.on_battery.cleared"),
    *("phone.unreachable.raised", "path.diagnosed", "exit.seen"),
    *(
        "snap.tier",
        "snap.rooms",
        "snap.incidents",
        "snap.alarms",
        "snap.links",
        "snap.router",
        "snap.ups",
        "snap.qos",
        "snap.session",
        "snap.phone",
        "snap.conditions",
    ),
    *("tel.links", "tel.ups", "tel.qos", "ack", "cmd"),
}


def members(said: Said) -> Iterator[tuple[str, Doc]]:
    """Kind and content of each message in what was said."""
    if said.where == "hist":
        yield from ((kind_of(member), member) for member in unpack(said.payload))
    elif said.where == "cmd/req":
        yield "cmd", json.loads(said.payload)
    elif said.where in NOC_SAYS:
        yield NOC_SAYS[said.where], json.loads(said.payload)
    elif said.payload:  # an empty snapshot: the thing is gone
        message = json.loads(said.payload)
        yield kind_of(message), message


def kind_of(message: Doc) -> str:
    return str(message["type"]).removeprefix("edge.").removesuffix(".v1")


def complaints(said: Said) -> list[str]:
    return [why for kind, message in members(said) if kind != "cmd" for why in complaint(said, kind, message)]


def complaint(said: Said, kind: str, message: Doc) -> list[str]:
    if kind in KINDS:
        schema, misfits = KINDS[kind].name, fit(kind, message["data"])[1]
    else:
        schema, misfits = kind, []
    errors = Draft202012Validator(SCHEMAS[schema], registry=REGISTRY).iter_errors(message)
    return [f"{said.topic} {kind}: {why}" for why in (*misfits, *(f"{e.json_path} {e.message:.200}" for e in errors))]
