"""Runs a bench so that it ends: by itself, at its limit of time, or when told to; what it had started is taken down
in each case."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn

from lab.errors import LabError


class BenchFailed(Exception):
    """Nothing was measured, or what was measured would say nothing."""


def run_bounded(work: Coroutine[Any, Any, None], *, within_s: float) -> NoReturn:
    """Exit status 0 when `work` ended, 1 when it could not, 130 when it was told to end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: unwinds, and takes the site down
    try:
        asyncio.run(_limited(work, within_s))
    except (BenchFailed, LabError) as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


async def _limited(work: Coroutine[Any, Any, None], within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s) as limit:
            await work
    except TimeoutError as error:
        if not limit.expired():
            raise BenchFailed("something of the site did not answer in time") from error
        raise BenchFailed(f"not done after {within_s:.0f} s") from error
