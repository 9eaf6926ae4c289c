"""The lab from outside: command a running one, run programs in its nodes, or start one for the length of a block."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Any

from lab.errors import LabFailure, LabMisuse
from lab.nodes import node_command
from lab.place import default_directory, is_claimed
from lab.service import Media

READY_WITHIN_S = 30.0
DOWN_WITHIN_S = 15.0


class LabClient:
    """Commands to the lab in `directory` (default: this user's). One connection per command."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory or default_directory()

    async def do(self, *words: str) -> str:
        """Carry out one command, as on the command line: `await client.do("lag", "fiber", "200ms")`. Returns what it
        said.

        Raises LabMisuse when the command is wrong, LabFailure when the lab is not there or could not do it.
        """
        said: str = (await self._ask(words))["said"]
        return said

    async def down(self) -> str:
        """Take the site down and wait until nothing of it is left."""
        await self.do("down")
        async with asyncio.timeout(DOWN_WITHIN_S):
            while is_claimed(self.directory):  # noqa: ASYNC110 - no event tells that a lock is free
                await asyncio.sleep(0.05)
        return "the site is down"

    async def status(self) -> dict[str, Any]:
        """What `lab status --json` prints."""
        data: dict[str, Any] = (await self._ask(("status",)))["data"]
        return data

    async def daemon(self) -> dict[str, Any]:
        """`state`, `pid` (as seen from outside; None when it does not run) and `ready_after_s` of the daemon."""
        data: dict[str, Any] = (await self._ask(("daemon", "status")))["data"]
        return data

    def node_command(self, node: str, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` inside `node`, in the working directory of who starts it."""
        return node_command(self.directory, node, argv)

    async def _ask(self, words: Sequence[str]) -> dict[str, Any]:
        if not is_claimed(self.directory):
            raise LabFailure(f"no lab runs in {self.directory}; `lab up` starts one")
        try:
            reader, writer = await asyncio.open_unix_connection(self.directory / "lab.sock")
        except (FileNotFoundError, ConnectionRefusedError):
            raise LabFailure(f"the lab in {self.directory} takes no commands yet, or no more") from None
        try:
            writer.write(json.dumps({"do": list(words)}).encode() + b"\n")
            line = await reader.readline()
        finally:
            writer.close()
        if not line:
            raise LabFailure(f"the lab in {self.directory} ended without an answer")
        answer: dict[str, Any] = json.loads(line)
        if not answer["ok"]:
            raise LabMisuse(answer["said"]) if answer["misuse"] else LabFailure(answer["said"])
        return answer


@asynccontextmanager
async def start_lab(
    *,
    failover_s: float = 10.0,
    failback_s: float = 10.0,
    with_daemon: bool = False,
    with_services: bool = True,
    user_namespace: bool = False,
    media: Media = "rtp",
    directory: Path | None = None,
) -> AsyncIterator[LabClient]:
    """A lab in a fresh directory of its own, up and serving, taken down when the block ends.

    Raises LabFailure, with what it said, when it does not come up.
    """
    with tempfile.TemporaryDirectory(prefix="lab-", dir="/tmp") as fresh:  # a short path: it must hold sockets
        client = LabClient(directory or Path(fresh, "site"))
        words = [f"--dir={client.directory}", f"--failover={failover_s:g}s", f"--failback={failback_s:g}s"]
        words += [f"--media={media}"]
        words += [] if with_daemon else ["--no-daemon"]
        words += [] if with_services else ["--no-services"]
        words += ["--user-namespace"] if user_namespace else []
        said = Path(fresh, "said")
        with _writing(said) as errors:
            lab = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "lab", "up", *words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        try:
            await _until_ready(lab, said)
            yield client
        finally:
            await _end(lab)


async def _until_ready(lab: asyncio.subprocess.Process, said: Path) -> None:
    line = b""
    if lab.stdout is not None:
        with suppress(TimeoutError):
            line = await asyncio.wait_for(lab.stdout.readline(), READY_WITHIN_S)
    if line.strip() != b"ready":
        raise LabFailure(f"the lab did not come up:\n{_text(said)}")


async def _end(lab: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):  # it may have been taken down already
        lab.terminate()
    try:
        await asyncio.wait_for(lab.wait(), DOWN_WITHIN_S)
    except TimeoutError:
        lab.kill()  # everything of it ends with it
        await lab.wait()


def _writing(path: Path) -> IO[bytes]:
    return path.open("wb")


def _text(path: Path) -> str:
    return path.read_text(errors="replace")
