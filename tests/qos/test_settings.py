"""The border: what a site may write, and how its mistakes are named."""

from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import ValidationError

from qos.settings import PortRange, QosSettings

WAN = {"name": "wan0", "direction": "up"}


def settings(**more: Any) -> QosSettings:
    return QosSettings.model_validate({"interfaces": [WAN], **more})


def test_one_interface_is_enough_and_the_rest_has_the_defaults_of_the_field() -> None:
    plain = settings()
    assert [(name, each.share_pct) for name, each in plain.classes()] == [
        ("p1", 40),
        ("p2", 20),
        ("p3", 20),
        ("p4", 10),
    ]
    assert 46 in plain.p1.dscp
    assert 34 in plain.p1.dscp
    assert 40 in plain.p2.dscp
    assert plain.margin == 0.95


def test_naming_ports_keeps_the_other_defaults_of_a_class() -> None:
    named = settings(p1={"ports": [{"protocol": "udp", "port": "5004-5006", "host": "198.51.100.30"}]})
    (rule,) = named.p1.ports
    assert rule.port == PortRange(5004, 5006)
    assert rule.host == ip_network("198.51.100.30/32")
    assert rule.toward == "platform"
    assert named.p1.share_pct == 40
    assert named.p1.dscp == settings().p1.dscp


@pytest.mark.parametrize(
    ("port", "meant"),
    [(443, PortRange(443, 443)), ("443", PortRange(443, 443)), ("10000 - 20000", PortRange(10000, 20000))],
)
def test_ports_are_a_number_or_a_range(port: object, meant: PortRange) -> None:
    assert settings(p2={"ports": [{"protocol": "tcp", "port": port}]}).p2.ports[0].port == meant


@pytest.mark.parametrize(
    ("more", "where", "complaint"),
    [
        ({"p1": {"share_pct": 60}}, (), "shares add up to 110 %"),
        ({"p1": {"share_pct": 0}}, ("p1", "share_pct"), "greater than or equal to 1"),
        ({"p1": {"dscp": ["EF", "AF44"]}}, ("p1", "dscp", 1), "unknown DSCP name 'AF44'"),
        ({"p1": {"dscp": [64]}}, ("p1", "dscp", 0), "outside 0-63"),
        ({"p3": {"dscp": ["EF"]}}, (), "DSCP 46 is claimed by p1 and by p3"),
        ({"p1": {"ports": [{"protocol": "udp", "port": "5006-5004"}]}}, ("p1", "ports", 0, "port"), "bad port range"),
        ({"p1": {"ports": [{"protocol": "udp", "port": 70000}]}}, ("p1", "ports", 0, "port"), "bad port range"),
        ({"p1": {"ports": [{"protocol": "udp", "port": "5004-"}]}}, ("p1", "ports", 0, "port"), "neither a port nor"),
        ({"p1": {"ports": [{"protocol": "udp", "port": "media"}]}}, ("p1", "ports", 0, "port"), "neither a port nor"),
        ({"p1": {"ports": [{"protocol": "sctp", "port": 1}]}}, ("p1", "ports", 0, "protocol"), "'udp' or 'tcp'"),
        ({"p1": {"ports": [{"port": 5004}]}}, ("p1", "ports", 0), "needs protocol = udp or tcp"),
        ({"p1": {"ports": [{"protocol": "udp"}]}}, ("p1", "ports", 0), "needs a port or a host"),
        ({"p1": {"ports": [{"host": "10.0.0.300"}]}}, ("p1", "ports", 0, "host"), "neither an address nor a network"),
        ({"p1": {"ports": [{"host": "10.0.0.5/24"}]}}, ("p1", "ports", 0, "host"), "has host bits set"),
        ({"p1": {"prots": []}}, ("p1", "prots"), "not permitted"),
        ({"margin": 1.2}, ("margin",), "less than or equal to 1"),
        ({"interfaces": []}, ("interfaces",), "at least one in-line interface"),
        (
            {"interfaces": [WAN, {"name": "wan0", "direction": "down"}]},
            ("interfaces",),
            "wan0 is listed more than once",
        ),
        ({"interfaces": [{"name": "wan0", "direction": "out"}]}, ("interfaces", 0, "direction"), "'up' or 'down'"),
        ({"interfaces": [{"name": "no/name", "direction": "up"}]}, ("interfaces", 0, "name"), "cannot be the name"),
        ({"interfaces": [{"name": "x" * 16, "direction": "up"}]}, ("interfaces", 0, "name"), "at most 15 characters"),
    ],
)
def test_a_mistake_is_told_with_its_place(more: dict[str, Any], where: tuple[str | int, ...], complaint: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**more)
    (error,) = caught.value.errors()
    assert error["loc"] == where
    assert complaint in error["msg"]
