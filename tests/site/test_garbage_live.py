"""Garbage at every door of the running daemon: it says what is wrong, nothing dies, and it recovers by itself."""

import asyncio
import json
import os
import sys

import pytest

from edged.cli.client import ask
from edged.control.protocol import MAX_LINE
from lab.client import LabClient
from tests.site.scene import Doc, Scene, site

pytestmark = pytest.mark.lab

# Each runs inside a node for a bounded time and answers whatever comes with bytes that mean nothing.
TAKE_THE_DOOR = """
import os, socket, time
def take(bind):  # from the real one, as soon as it has let go
    for _ in range(50):
        try: return bind()
        except OSError: time.sleep(0.1)
    return bind()
end = time.monotonic() + {seconds}
"""
UDP_RUBBISH = (
    TAKE_THE_DOOR
    + """
door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); door.settimeout(0.2)
take(lambda: door.bind({address!r}))
while time.monotonic() < end:
    try: _, who = door.recvfrom(4096)
    except TimeoutError: continue
    for junk in (b"", b"\\x30", b"\\x30\\x82\\xff\\xff" + os.urandom(40), os.urandom(1400)): door.sendto(junk, who)
"""
)
TCP_RUBBISH = (
    TAKE_THE_DOOR
    + """
door = take(lambda: socket.create_server({address!r})); door.settimeout(0.2)
while time.monotonic() < end:
    try: caller, _ = door.accept()
    except TimeoutError: continue
    with caller: caller.sendall(os.urandom(9000) + b"\\nVAR \\xff \\"unclosed\\n")
"""
)
PUBLISH = """
import asyncio, aiomqtt, json, sys
async def main():
    async with aiomqtt.Client("198.51.100.10", identifier="rude") as client:
        for topic, payload in json.load(sys.stdin):
            await client.publish(topic, bytes.fromhex(payload), qos=1)
asyncio.run(main())
"""


async def pid_of(lab: LabClient) -> int:
    return int((await lab.daemon())["pid"])


async def rubbish_in(scene: Scene, node: str, code: str, address: tuple[str, int], seconds: float) -> None:
    await scene.python_in(node, code.format(address=address, seconds=seconds))


async def test_a_router_that_answers_rubbish_is_silent_by_name_and_believed_again_when_it_makes_sense() -> None:
    async with site() as scene:
        pid = await pid_of(scene.lab)
        config = scene.lab.directory / "edged.toml"
        good = config.read_text()
        rubbish = asyncio.create_task(rubbish_in(scene, "router", UDP_RUBBISH, ("10.77.0.1", 1161), 8.0))
        config.write_text(good.replace('profile = "peplink"', 'profile = "peplink"\nport = 1161'))
        await asyncio.to_thread(ask, scene.socket, "reload")
        doc = await scene.until(lambda d: heard(d, "malformed", "no_answer"), within_s=10, what="silent router")
        assert doc["router"]["answering"] is False
        assert doc["router"]["active"] is None
        await rubbish
        config.write_text(good)
        await asyncio.to_thread(ask, scene.socket, "reload")
        await scene.until(lambda d: heard(d, "none"), within_s=15, what="answering router")
        assert await pid_of(scene.lab) == pid


def heard(doc: Doc, *causes: str) -> bool:
    return doc["router"] is not None and doc["router"]["cause"] in causes


async def test_a_ups_server_that_talks_rubbish_is_lost_and_found_again() -> None:
    async with site() as scene:
        pid = await pid_of(scene.lab)
        await scene.lab.do("upsd", "dead")
        rubbish = asyncio.create_task(rubbish_in(scene, "power", TCP_RUBBISH, ("10.77.0.50", 3493), 6.0))
        doc = await scene.until(
            lambda d: {ups["contact"] for ups in d["ups"]} == {"server_lost"}, within_s=8, what="lost UPS server"
        )
        assert {ups["power"] for ups in doc["ups"]} == {"unknown"}
        await rubbish
        await scene.lab.do("upsd", "ok")
        await scene.until(lambda d: {u["contact"] for u in d["ups"]} == {"ok"}, within_s=30, what="UPSes")
        assert await pid_of(scene.lab) == pid


async def test_rubbish_from_the_noc_is_refused_with_a_reason_and_acknowledges_nothing() -> None:
    async with site() as scene:
        pid = await pid_of(scene.lab)
        mine = "edge/v1/lab/room-1"
        rubbish = [b"", b"{", b"\xff\xfe", b"[]", b'{"do":"open_the_door"}', os.urandom(2000), b'{"sequence":"x"}']
        rubbish += [json.dumps({"stream": "x" * 500, "sequence": 10**30}).encode()]
        sent = [(f"{mine}/{door}", junk.hex()) for junk in rubbish for door in ("cmd/req", "ack")]
        sent += [("edge/v1/lab/noc/state", junk.hex()) for junk in rubbish]
        await scene.in_node("internet", sys.executable, "-c", PUBLISH, stdin=json.dumps(sent).encode())
        await asyncio.sleep(1.0)
        doc = await scene.status()
        assert doc["broker"]["connected"]
        assert await pid_of(scene.lab) == pid


async def test_rubbish_at_the_control_socket_and_the_reflector_disturbs_nobody() -> None:
    async with site() as scene:
        pid = await pid_of(scene.lab)
        for junk in (b"\x00\xff\n", b"{}\n", b"[" * 1000 + b"\n", b'{"v":1,"do":"act","args":{"act":"dance"}}\n'):
            reader, writer = await asyncio.open_unix_connection(scene.socket)
            writer.write(junk)
            reply = json.loads(await asyncio.wait_for(reader.readline(), 5))
            assert reply["ok"] is False
            assert reply["message"]
            writer.close()
        _, writer = await asyncio.open_unix_connection(scene.socket)
        writer.write(b"x" * (2 * MAX_LINE))  # and hang up in the middle
        writer.close()
        await scene.python_in(
            "workstation",
            "import os, socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "for size in (0, 1, 43, 44, 112, 1400): s.sendto(os.urandom(size), ('198.51.100.20', 862))",
        )
        await asyncio.sleep(1.0)
        doc = await scene.calm()
        stamp = [t for link in doc["links"] for t in link["targets"] if t["target"].startswith("stamp")]
        assert {target["verdict"] for target in stamp} == {"up"}
        assert await pid_of(scene.lab) == pid
