"""A program of the site: started, ready when it says so, everything it prints goes to its log."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from lab.errors import LabFailure
from lab.nodes import outside_pid

LAST_WORDS_WITHIN_S = 0.2
"""How long the output of an ended program is waited for: a child of its own may keep it open."""

TAIL_BYTES = 1500
"""How much of its log is shown of a program that failed to start."""

log = structlog.get_logger()


class Program:
    """`start` it, wait `until_ready`, `stop` or `kill` it. It may be started again after it ended."""

    def __init__(self, name: str, argv: Sequence[str], log_path: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.ready_after_s: float | None = None
        self._argv = argv
        self._env = {**os.environ, **(env or {})}
        self._log_path = log_path
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._started_at_s = 0.0
        self._told_to_end = False

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def state(self) -> str:
        if self._process is None:
            return "not started"
        match self._process.returncode:
            case None:
                return "starting" if self.ready_after_s is None else "ready"
            case status:
                how = f"by {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"
                return f"{'stopped' if self._told_to_end else 'ended'} {how}"

    @property
    def failed(self) -> bool:
        """Ended without having been told to."""
        return self._process is not None and not self.running and not self._told_to_end

    @property
    def pid(self) -> int | None:
        """As the world outside the lab sees it; None when it does not run."""
        if self._process is None or self._process.returncode is not None:
            return None
        return outside_pid(self._process.pid)

    def status(self) -> dict[str, Any]:
        """`ready_after_s`: from its start until it said ready; None as long as it did not, or does not run."""
        return {"state": self.state, "pid": self.pid, "ready_after_s": self.ready_after_s if self.running else None}

    async def start(self) -> None:
        self.ready_after_s = None
        self._ready.clear()
        self._told_to_end = False
        self._started_at_s = time.monotonic()
        # A pipe of our own: asyncio counts a process as running until the last child that has its pipe closed it.
        ours, theirs = os.pipe()
        try:
            with self._log_path.open("ab") as file:
                self._process = await asyncio.create_subprocess_exec(
                    *self._argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=theirs,
                    stderr=file,
                    env=self._env,
                    start_new_session=True,  # Ctrl-C in the lab's terminal is for the lab alone
                )
        except OSError as error:
            os.close(ours)
            raise LabFailure(f"{self.name} cannot be started: {error}") from error
        finally:
            os.close(theirs)
        self._watch = asyncio.create_task(self._follow(self._process, ours))

    def say_ready(self) -> None:
        if self.ready_after_s is None:
            self.ready_after_s = time.monotonic() - self._started_at_s
            self._ready.set()

    async def until_ready(self, within_s: float) -> None:
        """Raises LabFailure, with the end of its log, when it ends or the time does first."""
        if self._watch is None:
            raise LabFailure(f"{self.name} was not started")
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait({ready, self._watch}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if not self._ready.is_set():
            what = f"was not ready within {within_s:g} s" if self.running else self.state
            raise LabFailure(f"{self.name} {what}; {self._log_path} ends so:\n{self._tail()}")

    async def stop(self, within_s: float) -> None:
        """SIGTERM, and SIGKILL to what still runs after `within_s`."""
        await self._end(signal.SIGTERM, within_s)
        await self.kill()

    async def kill(self) -> None:
        await self._end(signal.SIGKILL, None)

    async def _end(self, how: signal.Signals, within_s: float | None) -> None:
        if self._process is None or self._watch is None or not self.running:
            return
        self._told_to_end = True
        self._process.send_signal(how)
        await asyncio.wait({self._watch}, timeout=within_s)

    async def _follow(self, process: asyncio.subprocess.Process, output: int) -> None:
        copying = asyncio.create_task(self._copy(output))
        status = await process.wait()
        await asyncio.wait({copying}, timeout=LAST_WORDS_WITHIN_S)
        copying.cancel()
        if not self._told_to_end:
            log.error("program ended", program=self.name, how=self.state, exit_status=status, log=str(self._log_path))

    async def _copy(self, output: int) -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(output, "rb"))
        try:
            with self._log_path.open("ab") as file:
                unfinished = b""
                while chunk := await reader.read(65536):
                    file.write(chunk)
                    file.flush()
                    *lines, unfinished = (unfinished[-100:] + chunk).split(b"\n")
                    if b"ready" in lines:
                        self.say_ready()
        finally:
            transport.close()

    def _tail(self) -> str:
        return self._log_path.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
