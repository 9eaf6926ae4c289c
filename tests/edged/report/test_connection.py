"""Brokers that refuse, hang up, fall silent or speak something else, and what is told of them."""

import asyncio
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from shutil import copy
from threading import Event

import pytest
from aiomqtt import ProtocolVersion

from edged.clock import SystemClock
from edged.clock_word import Word
from edged.core.observations import CertificateReading
from edged.record.backlog import Backlog
from edged.record.store import Store
from edged.report.certificates import validity_of
from edged.report.connection import Door, Will, connect
from edged.report.dial import ANY_WAY
from edged.report.names import Names
from edged.report.outgoing import Kind, Publication
from edged.report.papers import Papers
from edged.report.reading import BrokerCause
from edged.report.settings import BrokerSettings, TlsSettings
from tests.edged.record.scene import log_event, tier_event
from tests.edged.report.broker import Mosquitto, free_port
from tests.edged.report.conftest import Running
from tests.edged.report.doubles import REFUSALS_OF_5, Relay, level_of, read_packet, serving
from tests.edged.report.noc import noc_on
from tests.edged.report.papers import write_dated, write_papers

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


# ── versions ───────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("refusal", REFUSALS_OF_5.values(), ids=REFUSALS_OF_5)
async def test_a_broker_that_refuses_mqtt_5_is_spoken_to_in_3_1_1(
    broker: Mosquitto, store: Store, running: Running, backlog: Backlog, refusal: bytes
) -> None:
    relay = Relay(broker.port, refuse_5=refusal)
    await store.append([tier_event(), log_event()])
    async with serving(relay.serve) as port, noc_on(broker.port) as noc:
        running.start(port, backlog=backlog)
        await noc.until(lambda: noc.events() == [1, 2] and noc.states() == ["online"])
        reading = await running.until(lambda r: r.connected)
        assert (reading.protocol, reading.cause) == ("3.1.1", BrokerCause.NONE)
        backlog.put("links", {"n": 1})
        await noc.until(lambda: noc.on("tel/links"))
        await noc.acknowledge(store.opening.stream, 1)
        await running.until(lambda r: r.pending_tier == 0)
        running.move()
        await noc.until(lambda: noc.states().count("online") == 2)
        assert relay.levels == [5, 4, 4], "once refused, it is not asked again"
        await running.stop()
        await noc.until(lambda: noc.states()[-1:] == ["stopped"])


async def test_a_broker_that_refuses_both_versions_is_told_and_tried_again(running: Running) -> None:
    levels: list[int] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        levels.append(level_of(await read_packet(reader)))
        writer.write(REFUSALS_OF_5["as 3.1.1 says it"])
        await writer.drain()

    async with serving(refuse) as port:
        running.start(port)
        async with asyncio.timeout(5):
            while len(levels) < 4:
                await asyncio.sleep(0.01)
    assert levels[:4] == [5, 4, 5, 4]
    assert not any(reading.connected for reading in running.readings)


# ── refusals ───────────────────────────────────────────────────────────────────────────────────────────
async def test_nobody_listening_is_told(running: Running) -> None:
    running.start(free_port())
    await running.until(lambda r: r.cause is BrokerCause.REFUSED)


async def test_wrong_credentials_are_told(tmp_path: Path, running: Running) -> None:
    passwords, secret = tmp_path / "passwords", tmp_path / "secret"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "edge", "right"], check=True)
    broker = Mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}").start()
    try:
        secret.write_text("wrong\n")
        running.start(broker.port, username="edge", password_file=secret)
        reading = await running.until(lambda r: r.cause is BrokerCause.CREDENTIALS)
        assert reading.code == 0x87
        secret.write_text("right\n")  # read anew for each connection
        await running.until(lambda r: r.connected)
    finally:
        broker.kill()


async def test_a_password_file_that_is_not_there_is_told(running: Running, tmp_path: Path) -> None:
    running.start(free_port(), username="edge", password_file=tmp_path / "none")
    await running.until(lambda r: r.cause is BrokerCause.FILES)


async def test_a_name_that_does_not_resolve_is_told(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)  # a real look-up would leave this machine
    running.start(1883, host="broker.invalid")
    await running.until(lambda r: r.cause is BrokerCause.NAME)


async def test_name_servers_that_are_dead_hold_up_neither_the_timeout_nor_the_stop(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Event()

    def hang(*_: object, **__: object) -> list[object]:
        answer.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        running.start(1883, host="broker.invalid", connect_timeout_s=0.2)
        await running.until(lambda r: r.cause is BrokerCause.TIMEOUT)
        await asyncio.wait_for(running.stop(), 0.5)
    finally:
        answer.set()


MISBEHAVIOUR = {
    "hangs up at once": (b"", False, BrokerCause.LOST),
    "says nothing": (b"", True, BrokerCause.TIMEOUT),
    "speaks something else": (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, BrokerCause.LOST),
    "is unavailable": (b"\x20\x03\x00\x88\x00", False, BrokerCause.REJECTED),
    "gives no CONNACK but a ping": (b"\xd0\x00", True, BrokerCause.TIMEOUT),
    "sends a CONNACK cut short": (b"\x20\x03\x00", False, BrokerCause.LOST),
    "sends a malformed CONNACK": (b"\x20\x01\x00", True, BrokerCause.MALFORMED),
    "ends right after the CONNACK": (b"\x20\x03\x00\x00\x00", False, BrokerCause.LOST),
    "says why it ends": (b"\x20\x03\x00\x00\x00\xe0\x02\x8b\x00", False, BrokerCause.DISCONNECTED),
    "speaks garbage after the CONNACK": (b"\x20\x03\x00\x00\x00\xff\xff\xff\xff\xff\xff", True, BrokerCause.MALFORMED),
}


@pytest.mark.parametrize(("said", "stays", "cause"), MISBEHAVIOUR.values(), ids=MISBEHAVIOUR)
async def test_whatever_a_broker_does_has_a_name_and_is_tried_again(
    running: Running, said: bytes, stays: bool, cause: BrokerCause
) -> None:
    attempts = 0

    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        await read_packet(reader)
        writer.write(said)
        await writer.drain()
        if stays:
            await reader.read()

    async with serving(misbehave) as port:
        running.start(port, connect_timeout_s=0.3)
        await running.until(lambda r: r.cause is cause and not r.connected)
        async with asyncio.timeout(5):
            while attempts < 2:
                await asyncio.sleep(0.01)
        await running.stop()


# ── subscriptions ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("answers", [True, False])
async def test_a_subscription_refused_or_ignored_is_told(running: Running, answers: bool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(b"\x20\x03\x00\x00\x00")  # CONNACK
        while packet := await read_packet(reader):
            if packet[0] == 0x82 and answers:  # SUBSCRIBE: two topics granted, one denied
                writer.write(b"\x90\x06" + packet[2:4] + b"\x00\x01\x87\x01")
            elif packet[0] & 0xF0 == 0x30:  # PUBLISH
                topic_ends = 4 + int.from_bytes(packet[packet.index(b"edge/") - 2 : packet.index(b"edge/")])
                start = packet.index(b"edge/") - 2
                writer.write(b"\x40\x02" + packet[start + topic_ends - 2 : start + topic_ends])

    async with serving(serve) as port:
        running.start(port, puback_timeout_s=0.3)
        if answers:
            reading = await running.until(lambda r: r.cause is BrokerCause.SUBSCRIBE_REFUSED)
            assert (reading.connected, reading.code) == (True, 0x87)
        else:
            await running.until(lambda r: r.cause is BrokerCause.SILENT)
        await running.stop()


async def test_a_socket_that_closes_under_a_message_leaves_no_watch_behind(caplog: pytest.LogCaptureFixture) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(b"\x20\x03\x00\x00\x00")
        await reader.read()

    async with serving(serve) as port:
        connection = await connect(
            BrokerSettings(host="127.0.0.1", port=port),
            Door(("127.0.0.1", port), ANY_WAY, ProtocolVersion.V5),
            Names(),
            client_id="edge",
            will=Will("will", b""),
            wake=lambda: None,
        )
        connection.send(Publication(Kind.STATE, "state", b""))
        connection.drop()
        connection._client.loop_read()  # the end is met before the loop comes to watch for writing
        await asyncio.sleep(0.05)
        assert connection.down
    assert [record for record in caplog.records if record.name == "asyncio"] == []


# ── dead paths ─────────────────────────────────────────────────────────────────────────────────────────
async def test_a_path_that_broke_without_a_word_is_noticed_by_the_missing_puback(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    relay = Relay(broker.port)
    async with serving(relay.serve) as port, noc_on(broker.port) as noc:
        running.start(port, puback_timeout_s=0.3)
        await noc.until(lambda: noc.on("snap"))
        relay.dead = True
        cut_s = time.monotonic()
        await store.append([tier_event()])
        reading = await running.until(lambda r: r.cause is BrokerCause.SILENT)
        assert 0.25 < time.monotonic() - cut_s < 1.0
        assert not reading.connected
        relay.dead = False
        await noc.until(lambda: noc.events() == [1])


async def test_a_dead_path_does_not_hold_up_the_stop(broker: Mosquitto, running: Running) -> None:
    relay = Relay(broker.port)
    async with serving(relay.serve) as port:
        running.start(port)
        await running.until(lambda r: r.connected)
        relay.dead = True
        await asyncio.wait_for(running.stop(), 3.0)


@pytest.fixture
async def full_backlog() -> AsyncIterator[int]:
    """A port whose SYNs are dropped: a listener that accepts nobody and has no room left."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        yield port
        for sock in waiting:
            sock.close()


async def test_moved_traffic_ends_a_connecting_that_leads_nowhere(full_backlog: int, running: Running) -> None:
    running.start(full_backlog, connect_timeout_s=20.0)
    await asyncio.sleep(0.2)
    assert {reading.cause for reading in running.readings} == {BrokerCause.STARTING}
    running.move()
    await running.until(lambda r: r.cause is BrokerCause.MOVED, timeout_s=1.0)
    await asyncio.wait_for(running.stop(), 1.0)


# ── TLS ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers")
    write_papers(folder)
    return folder


@pytest.fixture
def tls_broker(tmp_path: Path, papers: Path) -> Iterator[Mosquitto]:
    files = [f"cafile {papers}/ca.pem", f"certfile {papers}/broker.pem", f"keyfile {papers}/broker.key"]
    broker = Mosquitto(tmp_path, "allow_anonymous true", "require_certificate true", *files).start()
    yield broker
    broker.kill()


async def test_mutual_tls_carries_events(tls_broker: Mosquitto, store: Store, running: Running, papers: Path) -> None:
    await store.append([log_event() for _ in range(40)])
    tls = {"ca_file": papers / "ca.pem", "cert_file": papers / "edge.pem", "key_file": papers / "edge.key"}
    running.start(tls_broker.port, tls=tls)
    await running.until(lambda r: r.connected)
    await running.until(lambda r: r.cause is BrokerCause.UNHEARD)  # nobody subscribes: each one was answered
    await running.stop()


WRONG_PAPERS = {
    "an authority we do not trust": (
        {"ca_file": "other.pem", "cert_file": "edge.pem", "key_file": "edge.key"},
        BrokerCause.TLS,
    ),
    "a key that is not the certificate's": (
        {"ca_file": "ca.pem", "cert_file": "edge.pem", "key_file": "ca.key"},
        BrokerCause.FILES,
    ),
    "a file that is not there": ({"ca_file": "none.pem"}, BrokerCause.FILES),
}


@pytest.mark.parametrize(("names", "cause"), WRONG_PAPERS.values(), ids=WRONG_PAPERS)
async def test_wrong_papers_are_told(
    tls_broker: Mosquitto, running: Running, papers: Path, names: dict[str, str], cause: BrokerCause
) -> None:
    running.start(tls_broker.port, tls={key: papers / name for key, name in names.items()})
    await running.until(lambda r: r.cause is cause)


async def test_a_new_certificate_is_taken_into_use_without_a_restart(
    tls_broker: Mosquitto, running: Running, papers: Path, tmp_path: Path
) -> None:
    write_dated(papers, "next", begins=-HOUR, ends=90 * DAY)
    for name in ("ca.pem", "edge.pem", "edge.key"):
        copy(papers / name, tmp_path)
    tls = {"ca_file": tmp_path / "ca.pem", "cert_file": tmp_path / "edge.pem", "key_file": tmp_path / "edge.key"}
    told: list[CertificateReading] = []
    in_use = Papers(TlsSettings.model_validate(tls), told.append, SystemClock())
    await in_use.look()
    running.start(tls_broker.port, tls=tls, papers=in_use)
    in_use.watch(running.reporter.new_papers)
    await running.until(lambda r: r.connected)
    copy(papers / "next.pem", tmp_path / "edge.pem")  # half of it: the key is the old one's
    await in_use.look()
    assert [reading.error for reading in told if reading.which == "own"] == [None, "no_key"]
    running.move()  # and the line can be made anew all the same
    await running.until(lambda r: r.connected and r.epoch == 2)
    copy(papers / "next.key", tmp_path / "edge.key")
    await in_use.look()
    await running.until(lambda r: r.connected and r.epoch == 3)
    assert BrokerCause.PAPERS in {reading.cause for reading in running.readings}
    assert round(told[-1].days_left or 0) == 90
    certificate = running.reporter.broker_certificate()
    assert certificate
    assert validity_of(certificate)


async def test_a_certificate_that_is_not_valid_by_our_wrong_clock_is_no_fault_of_the_brokers(
    tmp_path: Path, papers: Path, running: Running
) -> None:
    write_dated(papers, "broker-of-tomorrow", begins=DAY, ends=90 * DAY)
    files = [f"certfile {papers}/broker-of-tomorrow.pem", f"keyfile {papers}/broker-of-tomorrow.key"]
    broker = Mosquitto(tmp_path, "allow_anonymous true", *files).start()
    unset = SystemClock(kernel=lambda: Word("kernel", False, None, None, "none"))
    tls = TlsSettings(ca_file=papers / "ca.pem")
    try:
        running.start(broker.port, tls=tls.model_dump(), papers=Papers(tls, lambda _: None, unset))
        await running.until(lambda r: r.cause is BrokerCause.CLOCK)
    finally:
        broker.kill()


async def test_no_certificate_where_one_is_asked_for_is_told(
    tls_broker: Mosquitto, running: Running, papers: Path
) -> None:
    running.start(tls_broker.port, tls={"ca_file": papers / "ca.pem"})
    await running.until(lambda r: r.cause in (BrokerCause.TLS, BrokerCause.LOST))
    assert not any(reading.connected for reading in running.readings)


async def test_a_broker_without_tls_is_told(broker: Mosquitto, running: Running, papers: Path) -> None:
    running.start(broker.port, tls={"ca_file": papers / "ca.pem"}, connect_timeout_s=1.0)
    await running.until(lambda r: r.cause in (BrokerCause.TLS, BrokerCause.LOST, BrokerCause.TIMEOUT))
