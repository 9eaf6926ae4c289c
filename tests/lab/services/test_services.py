import importlib

from lab import plan
from lab.services import SERVICES


def test_every_service_stands_on_a_node_of_the_plan() -> None:
    assert {service.node for service in SERVICES} <= set(plan.NODES)


def test_no_two_services_share_a_name() -> None:
    assert len({service.name for service in SERVICES}) == len(SERVICES)


def test_every_service_can_be_run() -> None:
    for service in SERVICES:
        assert callable(importlib.import_module(service.module).main)


def test_the_listening_addresses_are_those_of_the_plan() -> None:
    from lab.services import broker, phone, platform, snmp_agent, upses, workstation

    assert f"{plan.ROUTER_LAN}:161" == snmp_agent.LISTEN
    assert (upses.LISTEN, phone.LISTEN) == ("10.77.0.50:3493", "10.77.0.60:5060")
    assert (broker.LISTEN, platform.HOST, workstation.HOST) == ("198.51.100.10:1883", "198.51.100.30", "10.77.0.20")
