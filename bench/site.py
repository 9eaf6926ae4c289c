"""The site a bench measures on: the lab with the real daemon under a configuration of the bench's own, and waiting for
what must be the case before anything is measured."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from bench.bounded import BenchFailed
from edged.cli.client import NotRunning, ask
from edged.control.protocol import Refusal
from lab.client import LabClient

LOOK_EVERY_S = 0.2
MEDIA_STREAMS = 4  # audio and video, both ways

Doc = dict[str, Any]


@asynccontextmanager
async def daemon_with(lab: LabClient, config: str) -> AsyncIterator[float]:
    """The daemon, started with this edged.toml and stopped at the end. Yields the seconds from exec to READY=1."""
    (lab.directory / "edged.toml").write_text(config)
    await lab.do("daemon", "start")
    try:
        yield (await lab.daemon())["ready_after_s"]
    finally:
        await lab.do("daemon", "stop")


async def status(lab: LabClient) -> Doc:
    """The daemon's own status document. Raises BenchFailed when it does not answer."""
    return await command(lab, "status")


async def command(lab: LabClient, do: str, args: Doc | None = None) -> Doc:
    """One request to the daemon. Raises BenchFailed when it refuses or does not answer."""
    try:
        said: Doc = await asyncio.to_thread(ask, lab.directory / "control.sock", do, args)
    except (NotRunning, Refusal) as error:
        raise BenchFailed(f"the daemon, asked for {do}: {error}") from error
    return said


async def until(what: str, missing: Callable[[], Awaitable[str]], *, within_s: float) -> None:
    """Wait until `missing` says "". Raises BenchFailed with what it still missed."""
    lacks = ""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while lacks := await missing():  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(LOOK_EVERY_S)
    if lacks:
        raise BenchFailed(f"{what}: not within {within_s:.0f} s: {lacks}")


def not_flowing(doc: Doc) -> str:
    """What of the supervision session's media the daemon does not see; "" when all of it flows."""
    streams = (doc["media"] or {}).get("streams", [])
    live = sum(1 for stream in streams if stream["live"])
    return "" if live == MEDIA_STREAMS else f"{live} of {MEDIA_STREAMS} media streams flow"
