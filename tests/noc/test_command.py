"""The NOC's tool signs what a site believes, and its exit status says what came of it."""

import ast
import asyncio
import base64
import importlib.util
import json
import ssl
import stat
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import aiomqtt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edged.clock import ClockQuality, boot_id
from edged.control.command_settings import CommandSettings
from edged.control.remote import Remote
from edged.core.events import Channel, Event
from edged.core.observations import Commanded, Observation
from edged.record.canonical import canonical
from edged.record.envelope import moment_envelope, stamp
from edged.record.recorded import KeptCommand
from edged.report.commands import Signed, parse_command
from edged.report.signed import (
    DOMAIN,
    LONGEST_WINDOW_S,
    POLICY,
    Key,
    Moment,
    Order,
    Permitted,
    Why,
    parse_order,
    permit,
    signer,
)
from edged.report.topics import Topics
from tests.edged.record.scene import ORIGIN, FixedClock
from tests.edged.report.broker import Mosquitto, free_port
from tests.edged.report.orders import SITE, pen
from tests.edged.report.papers import write_papers

SCRIPT = Path(__file__).parents[2] / "config" / "noc" / "command.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("noc_command", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = _load()


@pytest.fixture
def key_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    file = tmp_path / "noc-1.pem"
    assert tool.main(["keygen", "--name", "noc-1", "--out", str(file)]) == 0
    (tmp_path / "edged.toml").write_text(capsys.readouterr().out)
    return file


def trusted(folder: Path) -> Key:
    """As the site reads it."""
    return CommandSettings.model_validate(tables(folder)["commands"]).trusted()["noc-1"]


def tables(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "edged.toml").read_text())


def sign(key_file: Path, *words: str) -> list[str]:
    return ["sign", "--key", str(key_file), "--name", "noc-1", "--site", SITE, *words]


# ── the key ────────────────────────────────────────────────────────────────────────────────────────────
def test_a_new_key_is_for_its_owner_only_and_never_written_over(
    key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    before = key_file.read_bytes()
    assert tool.main(["keygen", "--name", "noc-1", "--out", str(key_file)]) == 2
    assert "File exists" in capsys.readouterr().err
    assert key_file.read_bytes() == before


def test_a_passphrase_locks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = iter(["secret", "secret", "secret", "guess"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(said))
    file = tmp_path / "noc-1.pem"
    assert tool.main(["keygen", "--name", "noc-1", "--out", str(file), "--passphrase"]) == 0
    assert b"ENCRYPTED" in file.read_bytes()
    assert tool.main(sign(file, "session_open", "session=s-1")) == 0
    assert tool.main(sign(file, "session_open", "session=s-1")) == 2
    assert "another passphrase" in capsys.readouterr().err


# ── signing ────────────────────────────────────────────────────────────────────────────────────────────
def test_what_it_signs_is_believed_by_a_site_with_the_key_it_printed(
    key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main(sign(key_file, "session_open", "session=s-1", "--not-before", "2026-01-01T01:00:00+01:00")) == 0
    order = parse_order(capsys.readouterr().out.encode())
    assert isinstance(order, Order)
    key = trusted(tmp_path)
    assert signer(order, {"noc-1": key}, SITE) == key
    assert isinstance(permit(order, key, Moment(FixedClock().wall(), ClockQuality.SYNCED)), Permitted)
    assert (order.not_before, order.expires) == ("2026-01-01T00:00:00.000Z", "2026-01-01T00:05:00.000Z")


def test_it_knows_the_commands_there_are_and_what_they_name() -> None:
    assert {command.value: [*rule.args.model_fields] for command, rule in POLICY.items()} == {
        command: [*names] for command, names in tool.COMMANDS.items()
    }
    assert (tool.DOMAIN, tool.LONGEST_S) == (DOMAIN, LONGEST_WINDOW_S)


def test_of_several_rooms_it_can_name_one(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(sign(key_file, "contrast_start", "room=ct-1", "session=s-1")) == 0
    order = parse_order(capsys.readouterr().out.encode())
    assert isinstance(order, Order)
    assert order.args == {"session": "s-1", "room": "ct-1"}


@pytest.mark.parametrize(
    "words",
    [
        ("session_open",),
        ("session_open", "link=fiber"),
        ("session_open", "session=s-1", "link=fiber"),
        ("session_open", "session"),
        ("session_open", "session=s-1", "session=s-2"),
        ("session_open", "room=ct-1"),
        ("acknowledge", "session=s-1"),
        ("train", "link=lte", "--valid-s", "86401"),
        ("train", "link=lte", "--not-before", "2026-01-01T00:00:00"),
        ("train", "link=lte", "--site", "clinic"),
    ],
)
def test_what_no_site_would_do_is_not_signed(
    key_file: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = tool.main(sign(key_file, *words))
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert capsys.readouterr().out == ""


def test_a_file_that_is_no_key_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file := tmp_path / "key.pem").write_text("hello")
    assert tool.main(sign(file, "train", "link=lte")) == 2
    assert str(file) in capsys.readouterr().err
    assert tool.main(sign(tmp_path / "none.pem", "train", "link=lte")) == 2
    assert "none.pem: No such file" in capsys.readouterr().err


_whole = st.integers(-(2**53 - 1), 2**53 - 1)
_text = st.text(st.characters(exclude_categories=["Cs"]))
_names = st.from_regex(r"[a-z][a-z_]{0,9}", fullmatch=True)
_flat = st.dictionaries(_names, _whole | _text)


@given(st.dictionaries(_names, _whole | _text | _flat))
def test_its_spelling_is_that_of_the_site(said: dict[str, Any]) -> None:
    assert tool.canonical(said) == canonical(said)


def test_its_signature_is_that_of_the_reference() -> None:
    """The same key and words give the same signature (RFC 8032 is deterministic)."""
    order = json.loads(pen().order())
    bare = {key: value for key, value in order.items() if key != "signature"}
    assert tool.signed(bare, pen().secret) == order


def test_it_needs_nothing_the_noc_has_not(tmp_path: Path) -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    rooms = {name.partition(".")[0] for name in named}
    assert rooms - sys.stdlib_module_names == {"aiomqtt", "cryptography"}
    lonely = [sys.executable, "-I", str(SCRIPT), "keygen", "--name", "noc-1", "--out", str(tmp_path / "key.pem")]
    done = subprocess.run(lonely, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# ── sending ────────────────────────────────────────────────────────────────────────────────────────────
class Room:
    """As much of a site as answers commands."""

    def __init__(self, keys: dict[str, Key]) -> None:
        self.kept: dict[str, KeptCommand] = {}
        self.heard: list[Observation] = []
        self.remote = Remote(self, self, FixedClock(), site=SITE, keys=keys)
        self._answers = asyncio.Event()
        self.remote.watch(self._answers.set)

    def tell(self, observation: Observation) -> None:
        self.heard.append(observation)

    async def submit(self, observation: Observation) -> tuple[Event, ...]:
        self.heard.append(observation)
        return (Event(Channel.LOG, "act.session_opened", 0, 100.0, {}),)

    async def kept_command(self, identity: str) -> KeptCommand | None:
        return self.kept.get(identity)

    async def keep_command(self, command: KeptCommand) -> bool:
        self.kept[command.id] = command
        return True

    @asynccontextmanager
    async def open(self, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, tls_context=tls) as client:
            await client.subscribe(Topics(ORIGIN).request, qos=1)
            jobs = [asyncio.create_task(job) for job in (self.remote.run(), self._listen(client), self._say(client))]
            try:
                yield
            finally:
                for job in jobs:
                    job.cancel()
                    with suppress(asyncio.CancelledError):
                        await job

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            command = parse_command(message.payload, retained=bool(message.retain))
            assert isinstance(command, Signed)
            self.remote.take(command.payload)

    async def _say(self, client: aiomqtt.Client) -> None:
        clock = FixedClock()
        now = stamp(clock, boot_id())
        while True:
            self._answers.clear()
            while self.remote.answers:
                data = self.remote.answers.popleft()
                noise = moment_envelope(
                    "answer",
                    {"id": "x", "status": "refused", "reason": "malformed"},
                    origin=ORIGIN,
                    now=now,
                    identity="x",
                    epoch=1,
                )
                said = moment_envelope("answer", data, origin=ORIGIN, now=now, identity="y", epoch=1)
                for payload in (b"no JSON", noise, said):
                    await client.publish(Topics(ORIGIN).answer, payload, qos=1)
            await self._answers.wait()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path, "allow_anonymous true").start()
    yield mosquitto
    mosquitto.kill()


async def send(port: int, message: Path, *words: str) -> int:
    status = await asyncio.to_thread(tool.main, ["send", "--broker", f"127.0.0.1:{port}", *words, str(message)])
    assert isinstance(status, int)
    return status


async def test_the_exit_status_says_what_came_of_it(
    broker: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = Room({"noc-1": pen().trusted()})
    good, forged = tmp_path / "good.json", tmp_path / "forged.json"
    good.write_bytes(pen().order())
    forged.write_bytes(pen(seed=2).order(id="c-2"))
    said: list[tuple[int, dict[str, Any]]] = []
    async with room.open(broker.port):
        for message, version in ((good, "5"), (good, "3.1.1"), (forged, "5")):
            status = await send(broker.port, message, "--mqtt", version)
            said.append((status, json.loads(capsys.readouterr().out)))
    done = {"id": "c-1", "command": "session_open", "status": "done", "result": {"tier": 0}}
    assert said == [
        (0, done),
        (0, {**done, "repeated": True}),
        (1, {"id": "c-2", "status": "refused", "reason": Why.BAD_SIGNATURE.value}),
    ]
    assert [type(told) is Commanded for told in room.heard] == [False, True, True, True]


async def test_it_speaks_mutual_tls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_papers(tmp_path)
    tls = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    tls.load_cert_chain(tmp_path / "edge.pem", tmp_path / "edge.key")
    own = {"cafile": "ca.pem", "certfile": "broker.pem", "keyfile": "broker.key"}
    options = [f"{name} {tmp_path / file}" for name, file in own.items()]
    broker = Mosquitto(tmp_path, *options, "require_certificate true", "use_identity_as_username true").start()
    (message := tmp_path / "good.json").write_bytes(pen().order())
    papers = ["--cert", str(tmp_path / "edge.pem"), "--cert-key", str(tmp_path / "edge.key")]
    try:
        async with Room({"noc-1": pen().trusted()}).open(broker.port, tls):
            assert await send(broker.port, message, "--ca", str(tmp_path / "ca.pem"), *papers) == 0
            assert await send(broker.port, message, "--ca", str(tmp_path / "other.pem"), *papers) == 4
            assert await send(broker.port, message, "--ca", str(tmp_path / "none.pem"), *papers) == 2
    finally:
        broker.kill()
    assert json.loads(capsys.readouterr().out)["status"] == "done"


async def test_nobody_there_is_told_apart_from_no_broker(
    broker: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (message := tmp_path / "good.json").write_bytes(pen().order())
    assert await send(broker.port, message, "--wait-s", "0.2") == 3
    assert "send the same message again" in capsys.readouterr().err
    assert await send(free_port(), message) == 4
    (tmp_path / "none.json").write_text("{}")
    assert await send(broker.port, tmp_path / "none.json") == 2


def test_a_key_of_another_tool_will_do(tmp_path: Path) -> None:
    """The public half is the 32 bytes of RFC 8032, whoever made them."""
    raw = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    keys = {"noc": {"public_key": base64.b64encode(raw).decode(), "role": "operate", "allow": ["train"]}}
    assert CommandSettings.model_validate({"keys": keys}).trusted()["noc"].public_key == raw
