"""A daemon that comes and goes: `reload` returns when the next life answers, `watch` goes on through it."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edged.cli.client import NotRunning, follow, reload
from edged.control.protocol import Refusal, encode_refusal, encode_reply

AWAY_S = 0.3


@contextmanager
def a_daemon(path: Path, *lives: list[bytes]) -> Iterator[None]:
    """Answers one line after the other, hangs up after each life, and is away in between."""

    def live() -> None:
        for number, replies in enumerate(lives):
            if number:
                time.sleep(AWAY_S)
            with socket.socket(socket.AF_UNIX) as door:
                door.bind(str(path))
                door.listen()
                ready.set()
                with door.accept()[0] as caller:
                    for reply in replies:
                        assert json.loads(caller.recv(1000))
                        caller.sendall(reply)
            path.unlink()

    ready = threading.Event()
    thread = threading.Thread(target=live)
    thread.start()
    assert ready.wait(5)
    yield
    thread.join(5)
    assert not thread.is_alive()


def test_it_returns_when_the_next_life_answers(tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    with a_daemon(path, [encode_reply(1, {"said": "good"})], [encode_reply(1, {})]):
        began_s = time.monotonic()
        assert reload(path, within_s=5) == "good"
        assert time.monotonic() - began_s >= AWAY_S


def test_a_refused_configuration_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    with (
        a_daemon(path, [encode_refusal(1, Refusal("bad_config", "edged.toml: typo: unknown key"))]),
        pytest.raises(Refusal, match="typo"),
    ):
        reload(path)


def test_a_daemon_that_does_not_come_back_is_said_to_be_gone(tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    with a_daemon(path, [encode_reply(1, {"said": "good"})]), pytest.raises(NotRunning):
        reload(path, within_s=0.3)


def test_watching_goes_on_through_a_restart_and_says_when_nobody_is_there(tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    with a_daemon(path, [encode_reply(1, "first life")], [encode_reply(1, "second life")]):
        told = follow(path, every_s=1.0)
        assert [next(told), next(told), next(told)] == ["first life", None, "second life"]


def test_watching_nobody_says_so_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotRunning):
        next(follow(tmp_path / "c.sock", every_s=1.0))
