"""A program of the site: started in a node, ready when it says so, everything it prints goes to its log."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import structlog

from lab.errors import LabFailure
from lab.nodes import Node, outside_pid

TAIL_BYTES = 1500
"""How much of its log is shown of a program that failed to start."""

log = structlog.get_logger()


class Program:
    """`start` it, wait `until_ready`, `stop` or `kill` it. It may be started again after it ended."""

    def __init__(
        self, name: str, node: Node, argv: Sequence[str], log_path: Path, *, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.ready_after_s: float | None = None
        self._argv = node.command(argv)
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

    async def start(self) -> None:
        self.ready_after_s = None
        self._ready.clear()
        self._told_to_end = False
        self._started_at_s = time.monotonic()
        with self._log_path.open("ab") as file:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=file,
                env=self._env,
                start_new_session=True,  # Ctrl-C in the lab's terminal is for the lab alone
            )
        self._watch = asyncio.create_task(self._follow(self._process))

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

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        with self._log_path.open("ab") as file:
            copying = asyncio.create_task(self._copy_output(process, file))
            status = await process.wait()
            copying.cancel()  # a child of its own may hold the pipe open for longer
            await asyncio.wait({copying})
        if not self._told_to_end:
            log.error("program ended", program=self.name, how=self.state, exit_status=status, log=str(self._log_path))

    async def _copy_output(self, process: asyncio.subprocess.Process, file: IO[bytes]) -> None:
        while process.stdout is not None and (line := await process.stdout.readline()):
            if line.strip() == b"ready":
                self.say_ready()
            file.write(line)
            file.flush()

    def _tail(self) -> str:
        return self._log_path.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
