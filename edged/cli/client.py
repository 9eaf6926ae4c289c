"""Asks the daemon over its socket. Blocking, and nothing of the daemon's insides is imported."""

import contextlib
import os
import socket
import time
from collections.abc import Generator
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


def reload(path: Path, *, within_s: float = 20.0) -> str:
    """What the daemon said of the configuration; returns when the daemon answers again, living with it.

    Raises:
        NotRunning: no daemon there, or it did not come back within `within_s`.
        edged.control.protocol.Refusal: the configuration is bad; nothing has changed.
        edged.control.protocol.ControlError: what answered is no edged.
    """
    give_up_s = time.monotonic() + within_s
    replies = listen(path, "reload", timeout_s=within_s)
    said = str(next(replies)["said"])
    with contextlib.suppress(NotRunning):  # it hangs up when it begins anew
        next(replies)
    while True:
        try:
            ask(path, "status")
        except NotRunning:
            if time.monotonic() > give_up_s:
                raise
            time.sleep(0.05)
        else:
            return said


def follow(path: Path, *, every_s: float) -> Generator[Any, None, None]:
    """The status again and again, for ever; None each second while the daemon, once met, is away.

    Raises as `ask`, but NotRunning only before the first status.
    """
    met = False
    while True:
        try:
            for doc in listen(path, "watch", {"every_s": every_s}):
                met = True
                yield doc
        except NotRunning:
            if not met:
                raise
            yield None
            time.sleep(1.0)


def listen(
    path: Path, do: str, args: dict[str, Any] | None = None, *, timeout_s: float = 10.0
) -> Generator[Any, None, None]:
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
