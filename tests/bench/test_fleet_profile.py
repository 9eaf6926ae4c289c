import asyncio

import pytest

from bench.fleet_profile import profiled, where


@pytest.mark.parametrize(
    ("file", "name", "said"),
    [
        ("/srv/box/edged/report/outgoing.py", "wants", "edged/report/outgoing.py:wants"),
        ("/opt/edged/lib/site-packages/paho/mqtt/client.py", "publish", "paho/mqtt/client.py:publish"),
        ("~", "<built-in method time.monotonic>", "<built-in method time.monotonic>"),
        ("/usr/lib/python3/selectors.py", "select", "selectors.py:select"),
    ],
)
def test_a_function_is_named_from_its_room_on(file: str, name: str, said: str) -> None:
    assert where(file, name) == said


async def test_what_the_loop_did_is_found() -> None:
    async def work() -> None:
        for _ in range(3):
            named_so_that_it_is_found()
            await asyncio.sleep(0)

    found = {line.where: line.calls for line in await profiled(work())}
    assert found["bench/test_fleet_profile.py:named_so_that_it_is_found"] == 3


def named_so_that_it_is_found() -> None:
    pass
