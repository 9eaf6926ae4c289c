import socket
from pathlib import Path

import pytest

from edged.notify import notify


def test_what_is_said_reaches_the_service_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(1)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        notify("READY=1", "STATUS=tier 0")
        assert manager.recv(100) == b"READY=1\nSTATUS=tier 0"


@pytest.mark.parametrize("address", [None, "/no/such/socket", "@nobody-listens-here"])
def test_without_a_manager_nothing_happens(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify("WATCHDOG=1")
