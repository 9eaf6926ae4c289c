"""mosquitto.conf and acl.conf as they are shipped, on a real mosquitto: only paths and the port are put in."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from edged.clock import SystemClock
from edged.record.backlog import Backlog, BacklogSettings
from edged.report.reading import BrokerCause, Noc
from tests.edged.record.scene import ORIGIN, log_event, open_store, tier_event
from tests.edged.report.broker import Mosquitto, free_port
from tests.edged.report.conftest import Running
from tests.noc.conftest import KIT
from tests.noc.consumers import Consuming
from tests.noc.papers import Authority
from tests.noc.sites import site_on

V5 = aiomqtt.ProtocolVersion.V5
ROOM = "edge/v1/clinic/room-1"
OTHER = "edge/v1/clinic/room-2"


class Guarded(Mosquitto):
    """The shipped configuration."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        self.port, self._process = free_port(), None
        self.authority = authority
        authority.issue("127.0.0.1", "broker")
        text = (KIT / "mosquitto.conf").read_text()
        text = text.replace("/etc/mosquitto/edged/acl.conf", str(KIT / "acl.conf"))
        text = text.replace("/etc/mosquitto/edged/", f"{directory}/").replace("/var/lib/mosquitto/", f"{directory}/")
        text = re.sub(r"^listener 8883$", f"listener {self.port} 127.0.0.1", text, flags=re.MULTILINE)
        self._config = directory / "mosquitto.conf"
        self._config.write_text(f"user root\n{text}")


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    broker = Guarded(tmp_path, Authority(tmp_path))
    broker.start()
    yield broker
    broker.kill()


class Peer:
    """A client, and everything that was delivered to it."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: list[str] = []

    async def listen(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            self.heard.append(f"{message.topic.value} {message.payload.decode()}")

    async def say(self, topic: str, what: str) -> None:
        await self.client.publish(topic, what, qos=1)

    async def until(self, heard: str) -> None:
        async with asyncio.timeout(10):
            while heard not in self.heard:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def peer(broker: Guarded, common_name: str, *filters: str, client_id: str = "any") -> AsyncIterator[Peer]:
    context = broker.authority.context(common_name, common_name.replace("/", "_"))
    client = aiomqtt.Client("127.0.0.1", broker.port, identifier=client_id, protocol=V5, tls_context=context)
    async with client:
        found = Peer(client)
        listening = asyncio.create_task(found.listen())
        for each in filters:
            await client.subscribe(each, qos=1)
        yield found
        listening.cancel()


SAID = ("state", "evt/t4", "evt/log", "tel/links", "snap/tier", "hist", "cmd/res")


async def test_a_site_speaks_under_its_own_name_only(guarded: Guarded) -> None:
    async with (
        peer(
            guarded,
            "noc",
            *(f"edge/v1/+/+/{below}" for below in ("state", "evt/+", "tel/+", "snap/+", "hist", "cmd/res")),
        ) as noc,
        peer(guarded, "clinic/room-1") as room,
    ):
        for below in SAID:
            await room.say(f"{OTHER}/{below}", "stolen")
            await room.say(f"edge/v1/clinic/{below}", "stolen")
        for below in SAID:
            await room.say(f"{ROOM}/{below}", "mine")
        await noc.until(f"{ROOM}/cmd/res mine")
    assert noc.heard == [f"{ROOM}/{below} mine" for below in SAID]


async def test_a_site_hears_its_own_acknowledgements_and_questions_only(guarded: Guarded) -> None:
    async with (
        peer(guarded, "noc") as noc,
        peer(guarded, "clinic/room-1", "edge/v1/#", f"{OTHER}/ack", f"{OTHER}/cmd/req") as room,
        peer(guarded, "clinic/room-2") as neighbour,
    ):
        await neighbour.say(f"{OTHER}/evt/t4", "secret")
        for below in ("ack", "cmd/req"):
            await noc.say(f"{OTHER}/{below}", "theirs")
            await noc.say(f"{ROOM}/{below}", "mine")
        await noc.say("edge/v1/clinic/noc/state", "online")
        await room.until("edge/v1/clinic/noc/state online")
    assert room.heard == [f"{ROOM}/ack mine", f"{ROOM}/cmd/req mine", "edge/v1/clinic/noc/state online"]


async def test_a_site_can_neither_acknowledge_nor_command_nor_play_the_noc(guarded: Guarded) -> None:
    async with (
        peer(guarded, "clinic/room-1") as room,
        peer(guarded, "clinic/room-2", f"{OTHER}/ack", f"{OTHER}/cmd/req", "edge/v1/clinic/noc/state") as victim,
        peer(guarded, "noc") as noc,
    ):
        for topic in (f"{OTHER}/ack", f"{OTHER}/cmd/req", "edge/v1/clinic/noc/state", f"{ROOM}/ack"):
            await room.say(topic, "forged")
        await victim.say(f"{OTHER}/ack", "forged")
        await noc.say(f"{OTHER}/ack", "true")
        await victim.until(f"{OTHER}/ack true")
    assert victim.heard == [f"{OTHER}/ack true"]


async def test_who_sends_commands_can_do_that_and_nothing_else(guarded: Guarded) -> None:
    async with (
        peer(guarded, "noc-command", "edge/v1/#") as sender,
        peer(guarded, "clinic/room-1", f"{ROOM}/ack", f"{ROOM}/cmd/req") as room,
    ):
        await sender.say(f"{ROOM}/ack", "forged")
        await sender.say(f"{ROOM}/cmd/req", "please")
        await room.until(f"{ROOM}/cmd/req please")
        await room.say(f"{ROOM}/evt/t4", "secret")
        await room.say(f"{ROOM}/cmd/res", "done")
        await sender.until(f"{ROOM}/cmd/res done")
    assert room.heard == [f"{ROOM}/cmd/req please"]
    assert sender.heard == [f"{ROOM}/cmd/res done"]


async def test_nobody_is_thrown_off_by_one_who_takes_his_client_id(guarded: Guarded) -> None:
    async with (
        peer(guarded, "clinic/room-1", f"{ROOM}/ack", client_id="edged-clinic-room-1") as room,
        peer(guarded, "clinic/room-2", client_id="edged-clinic-room-1"),
        peer(guarded, "noc") as noc,
    ):
        await noc.say(f"{ROOM}/ack", "still here")
        await room.until(f"{ROOM}/ack still here")


CONNECT = bytes.fromhex("101000044d5154540402003c0004726f6f6d")  # MQTT 3.1.1, clean session, client id "room"


def answered(port: int, context: ssl.SSLContext) -> bytes:
    """What the broker says to CONNECT. Raises OSError (ssl.SSLError) where it does not let us in."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as bare,
        context.wrap_socket(bare, server_hostname="127.0.0.1") as door,
    ):
        door.sendall(CONNECT)
        said = door.recv(4)
        if not said:
            raise ConnectionError("hung up")
        return said


def test_with_a_certificate_of_ours_the_door_opens(guarded: Guarded) -> None:
    assert answered(guarded.port, guarded.authority.context("clinic/room-1", "room")) == b"\x20\x02\x00\x00"


def test_without_a_certificate_there_is_no_connection(guarded: Guarded) -> None:
    with pytest.raises(OSError):  # the reason, or only the end: whichever comes first
        answered(guarded.port, guarded.authority.context(None, "none"))


def test_a_certificate_of_a_stranger_opens_nothing(guarded: Guarded, tmp_path: Path) -> None:
    context = guarded.authority.context(None, "none")
    context.load_cert_chain(*Authority(tmp_path, "stranger").issue("clinic/room-1", "forged"))
    with pytest.raises(OSError):
        answered(guarded.port, context)


async def test_the_consumer_and_a_site_work_through_the_guarded_door(guarded: Guarded, tmp_path: Path) -> None:
    cert, key = guarded.authority.issue("noc", "consumer")
    consuming = Consuming(tmp_path / "noc.db", guarded.port)
    await consuming.start("--ca", str(guarded.authority.file), "--cert", str(cert), "--key", str(key))
    context = guarded.authority.context("clinic/room-1", "room")
    async with site_on(guarded.port, tls_context=context) as site:
        await site.online()
        site.record(3)
        await site.send([1, 3])
        await site.until_acknowledged(3)
    assert await consuming.stop() == 0
    assert (await consuming.report())["sites"]["clinic/room-1"]["streams"][site.stream]["held"] == 3


async def test_the_real_reporter_is_at_home_behind_the_guarded_door(guarded: Guarded, tmp_path: Path) -> None:
    """Everything edged says is allowed to it, and everything it has to hear comes."""
    cert, key = guarded.authority.issue("noc", "consumer")
    consuming = Consuming(tmp_path / "noc.db", guarded.port)
    await consuming.start("--ca", str(guarded.authority.file), "--cert", str(cert), "--key", str(key))
    store = await open_store(tmp_path / "state")
    backlog = await Backlog.open(tmp_path / "state", origin=ORIGIN, clock=SystemClock(), settings=BacklogSettings())
    own, own_key = guarded.authority.issue("clinic/room-1", "room")
    tls = {"ca_file": guarded.authority.file, "cert_file": own, "key_file": own_key}
    await store.append([log_event(), tier_event()])
    running = Running(store).start(guarded.port, backlog=backlog, tls=tls)
    await running.until(lambda r: r.connected and r.noc is Noc.ONLINE)
    backlog.put("links", {"rows": []})
    await store.append([tier_event(), log_event()])
    reading = await running.until(lambda r: r.pending_tier == r.pending_log == r.waiting == 0)
    assert (reading.cause, reading.refused_input) == (BrokerCause.NONE, 0)
    await running.stop()
    streams = (await consuming.report())["sites"]["clinic/room-1"]["streams"]
    assert sorted((each["kind"], each["held"], each["gaps"]) for each in streams.values()) == [
        ("event", 4, []),
        ("telemetry", 1, []),
    ]
    await backlog.close()
    await store.close()
    assert await consuming.stop() == 0


async def test_a_consumer_under_a_wrong_name_says_that_it_is_deaf(guarded: Guarded, tmp_path: Path) -> None:
    cert, key = guarded.authority.issue("clinic/room-9", "consumer")
    consuming = Consuming(tmp_path / "noc.db", guarded.port)
    await consuming.start("--ca", str(guarded.authority.file), "--cert", str(cert), "--key", str(key))
    try:
        async with asyncio.timeout(15):
            while not any("neither speak nor hear" in line for line in consuming.log):
                await asyncio.sleep(0.05)
    finally:
        await consuming.kill()
