"""Sources that fail are restarted for ever with capped back-off, and each failure is told. The only broad `except`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds to wait before restart n: doubling from `first_s`, capped; a run of `healthy_s` starts the count anew."""

    first_s: float = 0.5
    cap_s: float = 30.0
    healthy_s: float = 60.0

    def delay_s(self, failures: int) -> float:
        return float(min(self.cap_s, self.first_s * 2 ** min(failures - 1, 16)))


async def supervise(
    name: str,
    run: Callable[[], Awaitable[None]],
    *,
    failed: Callable[[str, Exception, int], None],
    backoff: Backoff = Backoff(),
) -> None:
    """Run `run()` until cancelled, again after each end of it. `failed(name, error, count)` hears of every failure."""
    loop = asyncio.get_running_loop()
    failures = 0
    while True:
        started_s = loop.time()
        try:
            await run()
            error: Exception = EndedByItself(f"{name}: ended without being asked to")
        except Exception as raised:  # noqa: BLE001  a broken source must not take the judge with it
            error = raised
        failures = 1 if loop.time() - started_s >= backoff.healthy_s else failures + 1
        report = _log.warning if failures == 1 else _log.debug
        report("source failed", source=name, failures=failures, error=f"{type(error).__name__}: {error}")
        failed(name, error, failures)
        await asyncio.sleep(backoff.delay_s(failures))


class EndedByItself(RuntimeError):
    """A source's coroutine returned; it should run until cancelled."""
