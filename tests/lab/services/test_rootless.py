"""Real parts as uid 0 of a single-id user namespace, where no program may change its user. UPSes: test_upses."""

import asyncio
import socket

import pytest

from tests.lab.services.conftest import Stage, all_gone, descendants, free_port


@pytest.mark.parametrize(("name", "program"), [("snmp_agent", "snmpd"), ("broker", "mosquitto")])
async def test_a_real_part_serves_there_and_dies_with_its_service(stage: Stage, name: str, program: str) -> None:
    port = free_port(socket.SOCK_DGRAM)
    async with stage.running(name, "--listen", f"127.0.0.1:{port}", rootless=True) as process:
        children = descendants(process.pid)
        assert f"/usr/sbin/{program}" in (stage.directory / f"{name}.log").read_text()
        assert children
        process.kill()
        await asyncio.wait_for(process.wait(), 5)
        await all_gone(children)
