"""The control socket's shell: reads lines, checks the role, hands each request to the daemon, writes the answer."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Protocol

import structlog
from pydantic import BaseModel, ConfigDict, Field

from edged.control.protocol import MAX_LINE, Refusal, Request, decode_request, encode_refusal, encode_reply
from edged.control.roles import NEEDED, Caller, Role, RoleSettings, caller_of

_log = structlog.get_logger()

_MAX_CALLERS = 32
_IDLE_S = 300.0


class ControlSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    socket: Path = Path("/run/edged/control.sock")
    roles: RoleSettings = Field(default_factory=RoleSettings)


class Daemon(Protocol):
    """What the socket needs of the daemon."""

    async def answer(self, request: Request, caller: Caller) -> Any:
        """The data of the reply; raises Refusal."""

    def refused(self, request: Request, caller: Caller) -> None:
        """Told when a role did not suffice."""

    def watch(self, request: Request) -> AsyncGenerator[Any, None]:
        """Data to send, one line each, until the caller hangs up."""


class AlreadyRunning(RuntimeError):
    """Two daemons on one box would fight over the shapers."""


def refuse_second(path: Path) -> None:
    """Raises AlreadyRunning if somebody answers at `path`; a socket that a dead daemon left is no obstacle."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(str(path))
        except OSError:
            return
    raise AlreadyRunning(f"{path}: another edged is listening there")


async def serve(settings: ControlSettings, daemon: Daemon) -> None:
    """Listen until cancelled; the socket file is gone afterwards.

    Raises:
        AlreadyRunning: another daemon answers at that path.
        OSError: the path cannot be bound.
    """
    path = settings.socket
    path.parent.mkdir(parents=True, exist_ok=True)
    refuse_second(path)
    path.unlink(missing_ok=True)
    callers = asyncio.Semaphore(_MAX_CALLERS)
    attending: set[asyncio.Task[None] | None] = set()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attending.add(task := asyncio.current_task())
        try:
            async with callers:
                await _attend(settings, daemon, reader, writer)
        except (ConnectionError, TimeoutError) as error:
            _log.debug("control caller gone", error=str(error))
        finally:
            attending.discard(task)
            writer.close()

    server = await asyncio.start_unix_server(attend, path=path, limit=MAX_LINE)
    try:
        path.chmod(0o666)  # anyone may knock; the role decides
        await asyncio.Event().wait()  # serve_forever would, from Python 3.12 on, end only after the last caller left
    finally:
        server.close()
        for task in filter(None, attending):
            task.cancel()  # hung up on: after a reload a `watch` would go on with the state of a daemon that is no more
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


async def _attend(
    settings: ControlSettings, daemon: Daemon, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    sock: socket.socket = writer.get_extra_info("socket")
    caller = caller_of(sock, settings.roles)
    while line := await _line(reader, writer):
        number: int | str = 0
        try:
            request = decode_request(line)
            number = request.id
            _authorise(request, caller, daemon)
            if request.do == "watch":
                async with contextlib.aclosing(daemon.watch(request)) as told:
                    async for data in told:
                        await _write(writer, encode_reply(number, data))
                return
            await _write(writer, encode_reply(number, await daemon.answer(request, caller)))
        except Refusal as refusal:
            await _write(writer, encode_refusal(number, refusal))


async def _line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The next line; empty at the end of the conversation."""
    try:
        async with asyncio.timeout(_IDLE_S):
            return await reader.readline()
    except ValueError:  # longer than MAX_LINE: there is no telling where the next one begins
        await _write(writer, encode_refusal(0, Refusal("bad_request", f"line: longer than {MAX_LINE} bytes")))
        return b""


async def _write(writer: asyncio.StreamWriter, line: bytes) -> None:
    writer.write(line)
    async with asyncio.timeout(10.0):  # a caller that stopped reading is let go
        await writer.drain()


def _authorise(request: Request, caller: Caller, daemon: Daemon) -> None:
    needed = NEEDED.get(request.do)
    if needed is None:
        raise Refusal("unknown", f"do: {request.do!r} is not one of {', '.join(sorted(NEEDED))}")
    if caller.role < needed:
        daemon.refused(request, caller)
        has = "no role" if caller.role is Role.NONE else f"role {caller.role.name.lower()}"
        raise Refusal("forbidden", f"{caller.name} has {has}; {request.do!r} needs {needed.name.lower()}")
