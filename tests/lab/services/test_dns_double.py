"""The double against the prober's own codec, which was written apart from it, and against garbage."""

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.dns_double import Table, answer
from probes.packets import dns
from probes.packets.dns import Kind, Question, Rcode

TABLE: Table = {"platform.lab.test": [ip_address("198.51.100.30"), ip_address("2001:db8::30")]}


@pytest.mark.parametrize(
    ("name", "kind", "code", "addresses"),
    [
        ("platform.lab.test", Kind.A, Rcode.NOERROR, ["198.51.100.30"]),
        ("pLaTfOrM.LAB.test", Kind.A, Rcode.NOERROR, ["198.51.100.30"]),
        ("platform.lab.test", Kind.AAAA, Rcode.NOERROR, ["2001:db8::30"]),
        ("platform.lab.test.example", Kind.A, Rcode.NXDOMAIN, []),
        ("lab.test", Kind.A, Rcode.NXDOMAIN, []),
    ],
)
def test_the_prober_reads_what_was_said(name: str, kind: Kind, code: Rcode, addresses: list[str]) -> None:
    question = Question(0x1234, name, kind)
    reply = answer(dns.encode_query(question), TABLE)
    assert reply is not None
    read = dns.decode_response(reply, question)
    assert (read.rcode, [str(each) for each in read.addresses]) == (code, addresses)


def asked(
    flags: int = 0, questions: int = 1, name: bytes = b"\x08platform\x03lab\x04test\0", tail: bytes = b"\0\1\0\1"
) -> bytes:
    return struct.pack("!HHHHHH", 7, flags, questions, 0, 0, 0) + name + tail


def test_a_name_without_that_kind_of_record_is_there_and_says_so() -> None:
    reply = answer(asked(tail=b"\0\x0f\0\1"), TABLE)  # MX
    assert reply is not None
    assert struct.unpack_from("!HHHHHH", reply) == (7, 0x8400, 1, 0, 1, 0)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (asked(flags=0x1000), 4),  # a status request: not implemented
        (asked(questions=0), 1),
        (asked(questions=2), 1),
        (asked(name=b"\x08plat"), 1),  # cut short
        (asked(name=b"\xc0\x0c"), 1),  # a name that points at itself
        (asked(name=b"\x7f" + bytes(127)), 1),
        (asked(tail=b"\0\1\0"), 1),
        (asked(tail=b"\0\1\0\3"), 5),  # CHAOS
    ],
)
def test_a_question_that_is_none_is_refused(query: bytes, code: int) -> None:
    reply = answer(query, TABLE)
    assert reply is not None
    number, flags = struct.unpack_from("!HH", reply)
    assert (number, flags & 0x8000, flags & 0xF) == (7, 0x8000, code)


@pytest.mark.parametrize("data", [b"", bytes(11), asked(flags=0x8000)])
def test_what_is_no_query_gets_no_answer(data: bytes) -> None:
    assert answer(data, TABLE) is None


@given(st.binary(max_size=60))
def test_no_question_breaks_it(rest: bytes) -> None:
    reply = answer(struct.pack("!HHHHHH", 7, 0, 1, 0, 0, 0) + rest, TABLE)
    assert reply is not None
    assert reply[:2] == b"\0\7"
