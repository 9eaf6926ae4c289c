import asyncio
from contextlib import suppress

import pytest

from edged.supervise import Backoff, EndedByItself, supervise


@pytest.mark.parametrize(("failures", "delay_s"), [(1, 0.5), (2, 1.0), (5, 8.0), (7, 30.0), (10_000, 30.0)])
def test_the_wait_doubles_up_to_its_cap(failures: int, delay_s: float) -> None:
    assert Backoff(first_s=0.5, cap_s=30.0).delay_s(failures) == delay_s


async def test_a_source_is_run_again_after_every_failure_and_each_is_told() -> None:
    told: list[tuple[str, str, int]] = []
    runs = 0

    async def source() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise OSError("cable")
        if runs == 3:
            await asyncio.Event().wait()

    def failed(name: str, error: Exception, count: int) -> None:
        told.append((name, type(error).__name__, count))

    task = asyncio.create_task(supervise("cable", source, failed=failed, backoff=Backoff(0.0, 0.0)))
    while runs < 3:
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert told == [("cable", "OSError", 1), ("cable", EndedByItself.__name__, 2)]


async def test_cancelling_ends_it() -> None:
    async def source() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(supervise("s", source, failed=lambda *_: None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
