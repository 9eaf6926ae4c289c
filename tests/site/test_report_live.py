"""The way to the NOC on the real site: it follows the link, tells what comes late, and takes signed commands."""

import asyncio
import base64
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edged.core.events import Json
from edged.record.canonical import canonical
from tests.edged.test_chrony import IN_SYNC
from tests.site.scene import Doc, Scene, is_online, quick, site

pytestmark = pytest.mark.lab

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
COMMANDS = f"""
[commands.keys.noc-duty]
public_key = "{PUBLIC}"
role = "operate"
allow = ["session_open", "diagnose"]
"""


def signed(identity: str, command: str, **args: str) -> str:
    now_s = time.time()
    body: dict[str, Json] = {
        "command": command,
        "id": identity,
        "site": "lab/room-1",
        "key": "noc-duty",
        "not_before": datetime.fromtimestamp(now_s - 5, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "expires": datetime.fromtimestamp(now_s + 300, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "args": args,
    }
    signature = base64.b64encode(KEY.sign(b"edged-command-v1\n" + canonical(body))).decode()
    return json.dumps({**body, "signature": signature})


ASK = """
import asyncio, sys, aiomqtt
async def main():
    async with aiomqtt.Client("198.51.100.10", 1883, identifier="asker") as client:
        await client.subscribe("edge/v1/lab/room-1/cmd/res", qos=1)
        await client.publish("edge/v1/lab/room-1/cmd/req", sys.argv[1], qos=1)
        async for message in client.messages:
            print(message.payload.decode())
            return
asyncio.run(asyncio.wait_for(main(), 15))
"""


async def ask(scene: Scene, command: str) -> Doc:
    said: Doc = json.loads(await scene.in_node("internet", sys.executable, "-c", ASK, command))
    data: Doc = said["data"]
    return data


async def test_the_line_to_the_noc_follows_the_link_and_not_the_router() -> None:
    async with site(failover_s=30.0, edit=quick) as scene:
        assert (await scene.status())["broker"]["link"] == "fiber"
        await scene.lab.do("cut", "fiber")
        told = await scene.at_noc(lambda e: e["type"] == "edge.link.down.raised.v1", within_s=15, what="the verdict")
        assert told["data"]["at"] == "fiber"
        doc = await scene.status()
        assert (doc["broker"]["link"], doc["broker"]["connected"]) == ("cellular", True)
        assert next(link for link in doc["links"] if link["link"] == "fiber")["carrying"], "the router still waits"
        await scene.at_noc(lambda e: e["type"] == "edge.tier.entered.v1" and e["tier"] == 2, within_s=10, what="tier 2")
        await scene.lab.do("heal", "fiber")
        await scene.until(lambda d: d["broker"]["link"] == "fiber", within_s=30, what="the way home")
        await scene.until(lambda d: d["record"]["tier_pending"] == 0, within_s=10, what="the NOC's word")


CHRONY = """
import socket, struct, sys, time
reply = bytearray.fromhex(sys.argv[1])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
    door.bind(("127.0.0.1", 323))
    door.settimeout(120)
    while True:
        asked, peer = door.recvfrom(1024)
        reply[16:20] = asked[8:12]  # the sequence
        struct.pack_into("!III", reply, 56, 0, int(time.time()), 0)  # last updated just now
        door.sendto(reply, peer)
"""
"""What a chronyd in sync said once, said by one that is always up to date: machines of tests keep their own time."""


@asynccontextmanager
async def in_sync(scene: Scene) -> AsyncIterator[None]:
    argv = scene.lab.node_command("edge", [sys.executable, "-c", CHRONY, IN_SYNC.reply.hex()])
    chrony = await asyncio.create_subprocess_exec(*argv)
    try:
        await scene.until(lambda d: d["clock"]["source"] == "chrony", within_s=25, what="word of chrony")
        yield
    finally:
        chrony.kill()
        await chrony.wait()


async def test_h3_a_signed_command_is_carried_out_once_whatever_happens_to_the_daemon() -> None:
    async with site(edit=lambda toml: quick(toml) + COMMANDS) as scene, in_sync(scene):
        assert (await scene.status())["clock"]["quality"] == "synced"
        command = signed("c-1", "session_open", session="s-9")
        assert (await ask(scene, command))["status"] == "done"
        assert (await scene.status())["session"]["id"] == "s-9"
        assert (await ask(scene, command))["repeated"] is True
        await scene.lab.do("daemon", "kill")
        await scene.lab.do("daemon", "start")
        await scene.until(is_online, within_s=20, what="the line")
        again = await ask(scene, command)
        assert (again["status"], again["repeated"]) == ("done", True)
        acts = [event for event in await scene.recorded() if event["type"] == "edge.act.session_opened.v1"]
        assert [(event["data"]["actor"], event["data"]["session"]) for event in acts] == [("noc:noc-duty", "s-9")]
        done = await scene.at_noc(lambda e: e["type"] == "edge.command.done.v1", within_s=10, what="the audit")
        assert (done["data"]["id"], done["data"]["key"], done["clockq"]) == ("c-1", "noc-duty", "synced")


async def test_h4_h2_a_forged_command_is_refused_and_told() -> None:
    async with site(edit=lambda toml: quick(toml) + COMMANDS) as scene:
        forged = json.loads(signed("c-2", "diagnose", link="fiber"))
        answer = await ask(scene, json.dumps({**forged, "args": {"link": "cellular"}}))
        assert (answer["status"], answer["reason"]) == ("refused", "bad_signature")
        told = await scene.at_noc(
            lambda e: e["type"] == "edge.command.refused.v1" and e["data"]["refused"] == "bad_signature",
            within_s=10,
            what="the audit",
        )
        assert told["data"]["key"] is None, "nothing of it is believed"


async def test_events_and_telemetry_of_a_cut_off_hour_come_late_and_whole() -> None:
    async with site(edit=quick) as scene:
        await scene.lab.do("cut", "fiber")
        await scene.lab.do("cut", "cellular")
        await scene.until(lambda d: not is_online(d), within_s=20, what="the cut")
        for number in range(3):
            await scene.act("session_opened", f"s-{number}")
            await scene.act("session_closed", f"s-{number}")
        await scene.until(lambda d: d["broker"]["waiting"] >= 2, within_s=40, what="telemetry that waits")
        await scene.lab.do("heal", "all")
        await scene.until(
            lambda d: d["broker"]["waiting"] == 0 and d["record"]["tier_pending"] == d["record"]["log_pending"] == 0,
            within_s=60,
            what="everything told",
        )
        acts = dict.fromkeys(range(3), 0)
        async with asyncio.timeout(20):
            while set(acts.values()) != {2}:
                scene.noc.read()
                told = [line["event"] for line in scene.noc.events]
                acts = {
                    n: sum(e["data"].get("session") == f"s-{n}" and "act." in e["type"] for e in told) for n in acts
                }
                await asyncio.sleep(0.2)
