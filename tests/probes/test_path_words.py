"""One line for a person, for everything a diagnosis can find."""

from typing import Any

import pytest

from probes.line_reading import DiesAt, PathReading
from probes.path_document import Document, Why
from probes.path_words import sentence
from tests.probes.test_path_document import LEAST

R, P, T = "10.77.0.1", "100.64.1.1", "198.51.100.20"
GATEWAY = {"address": R, "answers": False}


def hops(*addresses: str | None) -> list[dict[str, Any]]:
    return [{"ttl": ttl, "address": address} for ttl, address in enumerate(addresses, start=1)]


def said(**found: Any) -> str:
    document = Document.model_validate(LEAST | found)
    return sentence(
        PathReading(
            link="fiber",
            at_s=0.0,
            target=T,
            dies_at=document.dies_at,
            last_hop=None,
            dscp_changed_at=None,
            mtu_bytes=None,
            trouble=None,
            document=document.model_dump(mode="json"),
        )
    )


CASES: tuple[tuple[dict[str, Any], str], ...] = (
    (
        {"dies_at": "nowhere", "why": "target_answers", "target": LEAST["target"] | {"hops": 3}},
        f"fiber reaches {T} in 3 hops",
    ),
    ({"dies_at": "nowhere", "why": "target_answers"}, f"fiber reaches {T}"),
    (
        {"dies_at": "lan", "why": "neighbour_silent", "gateway": GATEWAY},
        f"fiber dies in our own network: {R} does not answer, and nothing behind it",
    ),
    (
        {"dies_at": "lan", "why": "not_sent", "refused": "no_source"},
        "fiber dies in our own network: the source address is not on this box",
    ),
    (
        {"dies_at": "router", "why": "nothing_behind_router", "hops": hops(R, None)},
        f"fiber dies behind the router: {R} answers, nothing behind it",
    ),
    (
        {"dies_at": "router", "why": "neighbour_alone", "gateway": GATEWAY, "hops": hops(None)},
        f"fiber dies behind the router: {R} is there, and forwards nothing that is answered",
    ),
    (
        {"dies_at": "router", "why": "router_refuses", "hops": hops(R)},
        f"fiber dies behind the router: {R} says that it has no way on",
    ),
    (
        {"dies_at": "provider", "why": "lost_on_the_way", "hops": hops(R, P, None)},
        f"fiber dies in the provider's network: {P} answers, nothing behind it",
    ),
    (
        {"dies_at": "provider", "why": "line_silent"},
        "fiber dies in the provider's network: nothing answers over the line",
    ),
    (
        {"dies_at": "provider", "why": "refused_on_the_way", "hops": hops(R, P)},
        f"fiber dies in the provider's network: {P} says that it has no way on",
    ),
    (
        {"dies_at": "provider", "why": "loop", "hops": hops(R, P, R, P)},
        f"fiber dies in the provider's network: packets go round in a circle at {P}",
    ),
    (
        {"dies_at": "far_end", "why": "usual_path_answers", "hops": hops(R, P, None)},
        f"fiber dies at the far end: {P} answers as usual, {T} does not",
    ),
    (
        {"dies_at": "far_end", "why": "target_silent"},
        f"fiber dies at the far end: {T} is on our own network and answers nothing",
    ),
)  # fmt: skip


@pytest.mark.parametrize(("found", "words"), CASES)
def test_where_it_dies(found: dict[str, Any], words: str) -> None:
    assert said(**found) == words


def test_every_reason_has_words() -> None:
    assert {Why(found["why"]) for found, _ in CASES} == set(Why)


ALIVE = {"dies_at": "nowhere", "why": "target_answers"}
MTU = {"kind": "black_hole", "bytes": 1400, "wanted": 1500, "exact": True}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"dscp": {"sent": 46, "seen_to": 3}}, None),
        (
            {"dscp": {"sent": 46, "seen_to": 3, "changed_at": P, "changed_ttl": 2, "became": 0}},
            f"DSCP 46 became 0 from hop 2 ({P}) on",
        ),
        ({"mtu": MTU | {"kind": "clear", "bytes": 1500}}, None),
        ({"mtu": MTU}, "packets above 1400 bytes vanish without a word"),
        ({"mtu": MTU | {"passes_to": P}}, f"packets above 1400 bytes vanish behind {P} without a word"),
        ({"mtu": MTU | {"exact": False}}, "packets somewhere above 1400 bytes vanish without a word"),
        ({"mtu": MTU | {"kind": "told", "told_by": P}}, f"packets above 1400 bytes are too big, says {P}"),
        ({"mtu": MTU | {"kind": "told"}}, "packets above 1400 bytes are too big, says our own interface"),
    ],
)
def test_what_it_does_to_packets_that_pass(found: dict[str, Any], words: str | None) -> None:
    assert said(**ALIVE | found) == "; ".join([f"fiber reaches {T}", *([words] if words else [])])


@pytest.mark.parametrize("trouble", ["no_scapy", "not_permitted", "timed_out", "crashed", "busy", "what comes later"])
def test_why_there_is_none(trouble: str) -> None:
    reading = PathReading("fiber", 0.0, T, DiesAt.UNKNOWN, None, None, None, trouble, {})
    assert sentence(reading).startswith("fiber: no path diagnosis: ")
