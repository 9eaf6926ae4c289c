"""Real programs run as children that cannot outlive us.

`setpriv --pdeathsig KILL` makes the kernel end the child with its parent, even a stopped child and even after kill -9
of the parent. The flag is lost where a program changes its user, so every real part is configured to stay who it is.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lab.services.errors import PeerError
from lab.services.lifetime import Address

END_S = 1.0  # the lab itself waits 4 s for a service, and some have three children
CONNECT_S = 15.0


class Child:
    """One running real part."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self._process = process
        self._frozen = False

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    def freeze(self, *, frozen: bool) -> None:
        """Stop it where it stands (its sockets stay open and silent), or let it go on."""
        if self.running and frozen != self._frozen:
            self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)
            self._frozen = frozen

    async def end(self) -> None:
        """Ask, wait END_S, insist. Does nothing where it already ended."""
        if self.running:
            self._process.terminate()
            self._process.send_signal(signal.SIGCONT)  # a stopped process does not see SIGTERM
            try:
                await asyncio.wait_for(self._process.wait(), END_S)
            except TimeoutError:
                self._process.kill()
        await self._process.wait()

    async def guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` while the child lives. Raises PeerError if the child ends though nobody asked it to."""
        doing, ended = asyncio.ensure_future(work), asyncio.ensure_future(self._process.wait())
        try:
            await asyncio.wait((doing, ended), return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise PeerError(f"{self.name} ended by itself with status {ended.result()}")
            doing.result()
        finally:
            doing.cancel()
            ended.cancel()
            await asyncio.gather(doing, ended, return_exceptions=True)


async def start(name: str, *argv: str, env: Mapping[str, str] | None = None) -> Child:
    """Start a program whose stdout and stderr both go to our stderr."""
    process = await asyncio.create_subprocess_exec(
        "setpriv",
        "--pdeathsig",
        "KILL",
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        env={**os.environ, **(env or {})},
    )
    return Child(name, process)


@asynccontextmanager
async def running(name: str, *argv: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Child]:
    """A child for the length of a `with`."""
    child = await start(name, *argv, env=env)
    try:
        yield child
    finally:
        await child.end()


async def accepts(where: Address, child: Child) -> None:
    """Wait until something accepts TCP at `where`. Raises PeerError if the child ends first or CONNECT_S pass."""
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + CONNECT_S
    while child.running and loop.time() < give_up_s:
        try:
            _, writer = await asyncio.open_connection(*where)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
    raise PeerError(f"{child.name} did not accept at {where[0]}:{where[1]}")


def scratch(directory: Path, name: str) -> Path:
    """A folder of the service's own under the lab's directory, made if missing."""
    folder = directory / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
