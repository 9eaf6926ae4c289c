"""`edgectl evidence` writes the two files, from a living daemon's answers or a dead one's record; `verify` tells."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edged.cli.edgectl import app
from edged.control.protocol import decode_request, encode_reply
from edged.evidence import packet as packets
from edged.record.evidence_rows import session_rows
from tests.edged.evidence.ten_minutes import SESSION, play


def edgectl(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import asyncio

    directory = tmp_path_factory.mktemp("state")
    asyncio.run(play(directory))
    return directory


@pytest.fixture
def made(state: Path, tmp_path: Path) -> Path:
    """The packet, written with the daemon dead."""
    done = edgectl("evidence", SESSION, "--out", tmp_path, "--state-dir", state, "--socket", tmp_path / "none")
    assert done.exit_code == 0, done.output
    assert done.stdout.split() == [str(tmp_path / f"evidence-{SESSION}{suffix}") for suffix in (".json", ".html")]
    return tmp_path / f"evidence-{SESSION}.json"


def key_of(packet: Path) -> str:
    return packets.read(packet.read_bytes()).keys[0][0]


def test_a_packet_of_a_dead_daemon_is_good_by_its_key(made: Path) -> None:
    done = edgectl("verify", made, "--key", key_of(made))
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("GOOD: ")
    assert "The page says what the packet says." in done.stdout


def test_the_protocol_in_force_is_in_it(made: Path) -> None:
    assert packets.read(made.read_bytes()).protocol is not None


def test_without_key_or_witness_the_status_is_2_and_the_fingerprint_is_there(made: Path) -> None:
    done = edgectl("verify", made)
    assert done.exit_code == 2
    assert key_of(made) in done.stdout.replace(" ", "").replace("\n", "")


@pytest.mark.parametrize("suffix", [".json", ".html"])
def test_one_changed_byte_is_status_1(made: Path, suffix: str) -> None:
    key, path = key_of(made), made.with_suffix(suffix)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    done = edgectl("verify", made, "--key", key, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["verdict"] == "bad"


def test_a_page_that_is_not_there_is_said(made: Path) -> None:
    made.with_suffix(".html").unlink()
    done = edgectl("verify", made, "--key", key_of(made))
    assert done.exit_code == 0
    assert "no page beside it" in done.stdout


def test_a_page_that_cannot_be_read_is_no_change(made: Path) -> None:
    made.with_suffix(".html").unlink()
    made.with_suffix(".html").mkdir()
    done = edgectl("verify", made, "--key", key_of(made))
    assert done.exit_code == 2
    assert "Is a directory" in done.stderr


def test_a_packet_under_another_name_says_whose_it_is(made: Path) -> None:
    other = made.rename(made.with_name("evidence-s-9.json"))
    assert f"session {SESSION} at clinic/room-1" in edgectl("verify", other, "--key", key_of(other)).stdout


def test_a_session_nobody_recorded_is_refused(state: Path, tmp_path: Path) -> None:
    done = edgectl("evidence", "s-9", "--out", tmp_path, "--state-dir", state, "--socket", tmp_path / "none")
    assert done.exit_code == 1
    assert "nothing was recorded of session s-9" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_neither_daemon_nor_record_is_said(tmp_path: Path) -> None:
    done = edgectl("evidence", "s-9", "--state-dir", tmp_path, "--socket", tmp_path / "none")
    assert done.exit_code == 3
    assert "is edged running?" in done.stderr


@pytest.fixture
def daemon(state: Path, tmp_path: Path) -> Iterator[Path]:
    """A socket that answers as the desk does, in portions of some rows."""
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        threading.Thread(target=_answer, args=(listening, state), daemon=True).start()
        yield path
        listening.shutdown(socket.SHUT_RDWR)


def _answer(listening: socket.socket, state: Path) -> None:
    while True:
        try:
            caller, _ = listening.accept()
        except OSError:
            return
        with caller, caller.makefile("rb") as lines:
            request = decode_request(lines.readline())
            found = session_rows(state, most_bytes=5000, **request.args)
            caller.sendall(encode_reply(request.id, found.document()))


def test_a_living_daemon_is_asked_portion_by_portion(daemon: Path, made: Path, tmp_path: Path) -> None:
    done = edgectl("evidence", SESSION, "--out", tmp_path / "live", "--state-dir", "/nowhere", "--socket", daemon)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "live" / made.name).read_bytes() == made.read_bytes()
