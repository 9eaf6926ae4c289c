"""The document: described by a schema, bounded, and free of anything but codes, numbers and addresses."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from probes.path_document import Document, Hop, Order

LEAST: dict[str, Any] = {
    "version": 1,
    "link": "fiber",
    "source": None,
    "interface": None,
    "udp_port": 862,
    "dies_at": "provider",
    "why": "lost_on_the_way",
    "gateway": None,
    "hops": [],
    "target": {"address": "198.51.100.20", "answers": [], "rtt_ms": None, "hops": None},
    "dscp": None,
    "mtu": None,
    "packets": 0,
    "bytes": 0,
    "took_s": 0.0,
    "complete": True,
    "scapy": "2.8.0",
}


def test_a_document_survives_json() -> None:
    document = Document.model_validate_json(json.dumps(LEAST))
    assert Document.model_validate_json(document.model_dump_json()) == document


def test_it_has_a_schema() -> None:
    schema = Document.model_json_schema()
    assert {*schema["required"], "version"} == set(LEAST)
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"dies_at": "somewhere"},
        {"why": "<script>"},
        {"packets": 201},
        {"took_s": float("nan")},
        {"took_s": -1},
        {"source": "example.org"},
        {"hops": [{"ttl": 0, "address": None}]},
        {"hops": [{"ttl": 1, "address": "not an address"}]},
        {"hops": [{"ttl": 1, "address": None, "name": "core1.isp.example"}]},
        {"hops": [{"ttl": 1, "address": None}] * 31},
        {"target": LEAST["target"] | {"rtt_ms": "Infinity"}},
        {"mtu": {"kind": "clear", "bytes": 0, "wanted": 1500, "exact": True}},
        {"dscp": {"sent": 64, "seen_to": 1}},
        {"more": 1},
    ],
)
def test_what_does_not_belong_there_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Document.model_validate(LEAST | change)


def test_an_order_is_bounded_too() -> None:
    order = {
        "link": "fiber",
        "target": "::1",
        "udp_port": 862,
        "dscp": 46,
        "max_hops": 30,
        "want_mtu": 9216,
        "within_s": 1,
    }
    assert Order.model_validate(order).usual == ()
    for change in (
        {"interface": "a" * 16},
        {"interface": ""},
        {"target": "localhost"},
        {"within_s": 1e9},
        {"usual": ["x"]},
    ):
        with pytest.raises(ValidationError):
            Order.model_validate(order | change)


def test_a_scoped_address_is_one() -> None:
    assert Hop(ttl=1, address="fe80::1%lan").address == "fe80::1%lan"
