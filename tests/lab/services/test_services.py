import importlib
import socket
from typing import get_args

import pytest

from lab import plan
from lab.service import Media
from lab.services import services_for
from probes.capacity.settings import read_key
from probes.packets.heartbeat import PORT
from tests.lab.services.conftest import Stage, free_port

KINDS = pytest.mark.parametrize("media", get_args(Media))


@KINDS
def test_every_service_stands_on_a_node_of_the_plan(media: Media) -> None:
    assert {service.node for service in services_for(media)} <= set(plan.NODES)


@KINDS
def test_no_two_services_share_a_name(media: Media) -> None:
    assert len({service.name for service in services_for(media)}) == len(services_for(media))


@KINDS
def test_every_service_can_be_run(media: Media) -> None:
    for service in services_for(media):
        assert callable(importlib.import_module(service.module).main)


async def test_the_capacity_server_serves_with_a_key_that_the_box_can_read(stage: Stage) -> None:
    async with stage.running("capacity", "--listen", f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"):
        assert len(read_key(stage.directory / "capacity.key")) >= 32


def test_the_listening_addresses_are_those_of_the_plan() -> None:
    from lab.services import broker, capacity, mobile, phone, platform, snmp_agent, upses, workstation

    assert f"{plan.ROUTER_LAN}:161" == snmp_agent.LISTEN
    assert f"{plan.REFLECTOR}:8620" == capacity.LISTEN
    assert (upses.LISTEN, phone.LISTEN) == ("10.77.0.50:3493", "10.77.0.60:5060")
    assert f"{plan.BOX_FOR_MOBILE}:{PORT}" == mobile.BOX
    assert (broker.LISTEN, platform.HOST, workstation.HOST) == ("198.51.100.10:1883", plan.PLATFORM, "10.77.0.20")
