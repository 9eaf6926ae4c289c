"""How a service of the lab lives: arguments in, one line `ready` on stdout, logs on stderr, a clean end on SIGTERM.

SIGTERM cancels the service's one coroutine, so everything it holds is closed by its own `finally`. Exit status 0 means
"was asked to end", 1 means "could not do its work", with the reason on stderr.
"""

import argparse
import asyncio
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from lab.errors import LabError
from lab.services.errors import MisuseError

log = structlog.get_logger()

TLS_WITHIN_S = 5.0
"""A client that connects and says nothing, or never says goodbye, is not waited for longer."""

Address = tuple[str, int]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def arguments(description: str, listen: str | None = None, *, real: bool = False) -> argparse.ArgumentParser:
    """The parser every service starts from: --dir always, --listen where it has one door, --double where there is a
    `real` part.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--dir", type=_folder, required=True, help="the lab's directory: world.json, scratch files")
    if listen is not None:
        parser.add_argument(
            "--listen", type=address, default=address(listen), metavar="HOST:PORT", help=f"default {listen}"
        )
    if real:
        parser.add_argument(
            "--double", action="store_true", help="use our own double even where the real part is installed"
        )
    return parser


def _folder(text: str) -> Path:
    return Path(text).absolute()


def address(text: str) -> Address:
    """`HOST:PORT` taken apart. Raises ArgumentTypeError where it is none."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def ready() -> None:
    """Tell the lab that the service serves."""
    print("ready", flush=True)


@asynccontextmanager
async def accepting(serve: Serve, where: Address, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """Accept TCP, or TLS, for the length of the `with`. Connections end with the process: since Python 3.12 a server
    left by `async with` waits for its clients to go.
    """
    hurry_s = None if tls is None else TLS_WITHIN_S
    listener = await asyncio.start_server(
        serve, *where, ssl=tls, ssl_handshake_timeout=hurry_s, ssl_shutdown_timeout=hurry_s
    )
    try:
        yield
    finally:
        listener.close()


def real_part(what: str, *candidates: str, double: bool) -> str | None:
    """The first of these programs that is on this machine, None where our own double is to stand in. Says which on
    stderr.
    """
    found = None if double else next((path for path in candidates if os.access(path, os.X_OK)), None)
    log.info("part chosen", what=what, part=found or "own double")
    return found


def run(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run the service until it ends, fails or is told to end; then leave the process."""
    log_to_stderr()
    try:
        asyncio.run(_until_told(body))
    except (LabError, OSError) as error:
        log.error("service failed", error=str(error))
        sys.exit(1)


def log_to_stderr() -> None:
    """stdout belongs to `ready`."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(default=str),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger("info"),
    )


async def _until_told(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(body())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    done, _ = await asyncio.wait([task])
    for ended in done:
        if not ended.cancelled():
            ended.result()
            raise MisuseError("the service ended by itself")
