import importlib
import pkgutil
from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

import probes
from probes.prober import TargetSettings
from probes.registry import Target

registered = set(get_args(get_args(Target)[0]))


def test_every_prober_file_has_its_line_in_the_registry() -> None:
    for module in pkgutil.iter_modules(probes.__path__):
        importlib.import_module(f"probes.{module.name}")
    written = {settings for settings in TargetSettings.__subclasses__() if settings.__module__.startswith("probes.")}
    assert len(written) >= 6
    assert written == registered


def test_each_kind_is_named_after_its_file() -> None:
    for settings in registered:
        assert settings.__module__ == f"probes.{settings.model_fields['kind'].default}"


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"address": "192.0.2.1"}, "Unable to extract tag using discriminator 'kind'"),
        (
            {"kind": "carrier-pigeon", "address": "192.0.2.1"},
            "does not match any of the expected tags: 'dns', 'icmp', 'stamp', 'stun', 'tcp', 'tls'",
        ),
        ({"kind": "icmp"}, "address\n  Field required"),
        ({"kind": "icmp", "address": "dns.google"}, "give an IP address: the name 'dns.google'"),
        ({"kind": "icmp", "address": "300.1.1.1"}, "not a valid IPv4 or IPv6 address"),
        ({"kind": "icmp", "address": "192.0.2.1", "port": 7}, "icmp.port\n  Extra inputs are not permitted"),
        ({"kind": "tcp", "address": "192.0.2.1"}, "tcp.port\n  Field required"),
        ({"kind": "tcp", "address": "192.0.2.1", "port": 0}, "greater than or equal to 1"),
        ({"kind": "stamp", "address": "192.0.2.1", "port": 70000}, "less than or equal to 65535"),
        ({"kind": "stun", "address": "192.0.2.1", "key_file": "/nowhere/key"}, "Extra inputs are not permitted"),
        ({"kind": "stun", "address": "stun.example.org"}, "give an IP address: the name 'stun.example.org'"),
        ({"kind": "dns", "address": "192.0.2.1"}, "dns.name\n  Field required"),
        ({"kind": "dns", "address": "192.0.2.1", "name": "a..test"}, "String should match pattern"),
        ({"kind": "dns", "address": "192.0.2.1", "name": "-".join("x" * 130)}, "String should have at most 253"),
        ({"kind": "dns", "address": "192.0.2.1", "name": "a.test", "answers": "b.test"}, "not a valid IPv4 or IPv6"),
        ({"kind": "tls", "address": "192.0.2.1"}, "tls.server_name\n  Field required"),
        ({"kind": "tls", "address": "192.0.2.1", "server_name": "*.test"}, "String should match pattern"),
        ({"kind": "tls", "address": "192.0.2.1", "server_name": "a.test", "alpn": [""]}, "String should match pattern"),
        (
            {"kind": "tls", "address": "192.0.2.1", "server_name": "a.test", "ca_file": "/nowhere/ca.pem"},
            "Path does not point to a file",
        ),
        ({"kind": "stamp", "address": "192.0.2.1", "key_file": "/nowhere/key"}, "Path does not point to a file"),
    ],
)
def test_a_mistake_in_the_settings_is_named(table: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter[TargetSettings](Target).validate_python(table)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("table", "label"),
    [
        ({"kind": "icmp", "address": "192.0.2.1"}, "icmp 192.0.2.1"),
        ({"kind": "icmp", "address": "2001:db8::1"}, "icmp 2001:db8::1"),
        ({"kind": "stamp", "address": "192.0.2.1"}, "stamp 192.0.2.1"),
        ({"kind": "stamp", "address": "192.0.2.1", "port": 8620}, "stamp 192.0.2.1 port 8620"),
        ({"kind": "tcp", "address": "192.0.2.1", "port": 443}, "tcp 192.0.2.1 port 443"),
        ({"kind": "tls", "address": "192.0.2.1", "server_name": "a.test"}, "tls 192.0.2.1"),
        ({"kind": "tls", "address": "192.0.2.1", "server_name": "a.test", "port": 8883}, "tls 192.0.2.1 port 8883"),
        ({"kind": "stun", "address": "2001:db8::1"}, "stun 2001:db8::1"),
        ({"kind": "stun", "address": "192.0.2.1", "port": 19302}, "stun 192.0.2.1 port 19302"),
        ({"kind": "dns", "address": "192.0.2.1", "name": "a.test"}, "dns 192.0.2.1"),
        ({"kind": "dns", "address": "192.0.2.1", "name": "a.test", "port": 5353}, "dns 192.0.2.1 port 5353"),
    ],
)
def test_readings_call_a_target_by_kind_and_address(table: dict[str, object], label: str) -> None:
    assert TypeAdapter[TargetSettings](Target).validate_python(table).label == label
