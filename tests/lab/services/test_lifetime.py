import argparse
import asyncio
import os
import signal

import pytest

from lab.services.lifetime import address
from tests.lab.services.conftest import Stage, all_gone, descendants, free_port


@pytest.mark.parametrize(
    ("text", "expected"), [("10.77.0.1:161", ("10.77.0.1", 161)), ("localhost:65535", ("localhost", 65535))]
)
def test_an_address_is_a_host_and_a_port(text: str, expected: tuple[str, int]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize("text", ["", "10.77.0.1", ":161", "10.77.0.1:", "10.77.0.1:0", "10.77.0.1:65536", "a:b"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        address(text)


@pytest.mark.parametrize("name", ["sink", "phone", "capacity"])
async def test_a_service_that_cannot_have_its_port_says_so_and_ends_with_1(stage: Stage, name: str) -> None:
    where = f"127.0.0.1:{free_port()}"
    async with stage.running("sink", "--listen", where), asyncio.timeout(10):
        process = await stage.start(name, "--listen", where)
        output, _ = await process.communicate()
    assert process.returncode == 1
    assert output == b""
    assert "service failed" in (stage.directory / f"{name}.log").read_text()


@pytest.mark.parametrize("args", [(), ("--double",)])
async def test_which_part_was_chosen_is_said(stage: Stage, args: tuple[str, ...]) -> None:
    async with stage.running("broker", "--listen", f"127.0.0.1:{free_port()}", *args):
        pass
    said = (stage.directory / "broker.log").read_text()
    assert ("own double" in said) is bool(args)
    assert ("/usr/sbin/mosquitto" in said) is not bool(args)


@pytest.mark.parametrize("name", ["sink", "phone"])
async def test_a_client_that_stays_does_not_keep_a_service_from_ending(stage: Stage, name: str) -> None:
    port = free_port()
    async with stage.running(name, "--listen", f"127.0.0.1:{port}"):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"OPTIONS")
        await writer.drain()
    writer.close()


async def test_a_killed_service_takes_its_children_along(stage: Stage) -> None:
    async with stage.running("broker", "--listen", f"127.0.0.1:{free_port()}") as process:
        children = descendants(process.pid)
        assert children
        process.kill()
        await process.wait()
        await all_gone(children)


async def test_a_service_whose_real_part_dies_ends_with_1(stage: Stage) -> None:
    async with stage.running("broker", "--listen", f"127.0.0.1:{free_port()}") as process:
        [child] = descendants(process.pid)
        os.kill(child, signal.SIGKILL)
        assert await asyncio.wait_for(process.wait(), 5) == 1
    assert "mosquitto ended by itself" in (stage.directory / "broker.log").read_text()
