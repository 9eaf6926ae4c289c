"""Asks the daemon over its socket. Blocking, and nothing of the daemon's insides is imported."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edged.control.protocol import decode_reply, encode_request

DEFAULT_SOCKET = Path("/run/edged/control.sock")


class NotRunning(Exception):
    """Nobody answers at the socket."""


def socket_path(given: Path | None) -> Path:
    """`--socket`, else $EDGED_SOCKET, else where the service has it."""
    return given or Path(os.environ.get("EDGED_SOCKET") or DEFAULT_SOCKET)


def ask(path: Path, do: str, args: dict[str, Any] | None = None, *, timeout_s: float = 10.0) -> Any:
    """The data of one reply.

    Raises:
        NotRunning: no daemon there, or it fell silent.
        edged.control.protocol.Refusal: it said no.
        edged.control.protocol.ControlError: what answered is no edged.
    """
    return next(listen(path, do, args, timeout_s=timeout_s))


def listen(path: Path, do: str, args: dict[str, Any] | None = None, *, timeout_s: float = 10.0) -> Iterator[Any]:
    """Every reply until the daemon hangs up; errors as for `ask`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout_s)
        try:
            sock.connect(str(path))
            sock.sendall(encode_request(do, args or {}))
            with sock.makefile("rb") as lines:
                for line in lines:
                    yield decode_reply(line)
        except OSError as error:
            raise NotRunning(f"{path}: {error.strerror or error}") from error
    raise NotRunning(f"{path}: the daemon hung up")
