"""The daemon itself on a broker with mutual TLS: its certificates are watched, and exchanged while it runs."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from shutil import copy
from typing import Any

from edged.cli.client import NotRunning, ask
from tests.edged.report.broker import Mosquitto
from tests.edged.report.papers import write_dated, write_papers

Doc = dict[str, Any]

CONFIG = """
[site]
tenant = "clinic"
name = "room-1"
state_dir = "{0}/state"
[control]
socket = "{0}/control.sock"
[links.only]
source = "127.0.0.1"
targets = [{{ kind = "icmp", address = "127.0.0.1" }}]
[broker]
host = "127.0.0.1"
port = {1}
[broker.tls]
ca_file = "{0}/ca.pem"
cert_file = "{0}/edge.pem"
key_file = "{0}/edge.key"
"""


async def until(socket: Path, met: Callable[[Doc], bool]) -> Doc:
    """The first status like that; what it was last, if none comes."""
    doc: Doc = {}
    try:
        async with asyncio.timeout(40):
            while not (doc and met(doc)):
                with suppress(NotRunning):
                    doc = await asyncio.to_thread(ask, socket, "status")
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"never so; {doc.get('broker')} {standing(doc)}") from None
    return doc


def standing(doc: Doc) -> set[tuple[str, str]]:
    return {(each["name"], each["at"]) for each in doc.get("conditions", ()) if each["name"].startswith("certificate.")}


def connected(doc: Doc) -> bool:
    """Not while nothing is known of the line yet."""
    return doc["broker"] is not None and doc["broker"]["connected"] is True


async def test_a_certificate_that_ends_soon_is_told_and_its_successor_is_taken_into_use(tmp_path: Path) -> None:
    write_papers(tmp_path)  # they end tomorrow
    files = [f"cafile {tmp_path}/ca.pem", f"certfile {tmp_path}/broker.pem", f"keyfile {tmp_path}/broker.key"]
    broker = Mosquitto(tmp_path, "allow_anonymous true", "require_certificate true", *files).start()
    config, socket = tmp_path / "edged.toml", tmp_path / "control.sock"
    config.write_text(CONFIG.format(tmp_path, broker.port))
    program = [str(Path(sys.executable).with_name("edged")), "run", "--config", str(config)]
    daemon = subprocess.Popen(program, stderr=subprocess.DEVNULL)
    try:
        ending = {("certificate.expires_7d", which) for which in ("own", "ca", "broker")}
        before = await until(socket, lambda doc: connected(doc) and ending <= standing(doc))
        write_dated(tmp_path, "next", begins=timedelta(hours=-1), ends=timedelta(days=90))
        copy(tmp_path / "next.pem", tmp_path / "edge.pem")
        copy(tmp_path / "next.key", tmp_path / "edge.key")
        after = await until(
            socket, lambda doc: connected(doc) and ("certificate.expires_7d", "own") not in standing(doc)
        )
        assert ("certificate.expires_30d", "own") not in standing(after)
        assert ("certificate.expires_7d", "broker") in standing(after), "the broker's own still ends"
        assert after["daemon"]["pid"] == before["daemon"]["pid"]
        told = [row["event"]["type"] for row in await asyncio.to_thread(ask, socket, "events", {"limit": 100})]
        assert "edge.certificate.expires_7d.cleared.v1" in told
    finally:
        daemon.terminate()
        daemon.wait(10)
        broker.kill()
