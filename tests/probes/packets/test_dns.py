"""Against scapy's independent codec and against messages put together here from the layouts of RFC 1035."""

import struct
from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR, DNSRR

from probes.errors import MisuseError, PeerError
from probes.packets import dns
from probes.packets.dns import CaseChanged, Kind, Question, Rcode, Response

ASKED = Question(0x1F2E, "pLatfoRm.lab.Test")
WIRE_QUESTION = b"\x08pLatfoRm\x03lab\x04Test\0\0\x01\0\x01"
AT_NAME = b"\xc0\x0c"
PLATFORM = ip_address("198.51.100.30")

labels = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=1, max_size=63)
names = st.lists(labels, min_size=1, max_size=4).map(".".join).filter(lambda name: len(name) <= 253)
idents = st.integers(0, 0xFFFF)


def header(*, ident: int = 0x1F2E, flags: int = 0x8180, questions: int = 1, answers: int = 0) -> bytes:
    return struct.pack(">HHHHHH", ident, flags, questions, answers, 0, 0)


def record(value: bytes, *, name: bytes = AT_NAME, kind: int = 1, family: int = 1, length: int | None = None) -> bytes:
    return name + struct.pack(">HHIH", kind, family, 300, len(value) if length is None else length) + value


def reply(*records: bytes, flags: int = 0x8180) -> bytes:
    return header(flags=flags, answers=len(records)) + WIRE_QUESTION + b"".join(records)


def test_a_query_has_its_fields_where_the_rfc_puts_them() -> None:
    assert dns.encode_query(ASKED) == bytes.fromhex("1f2e 0100 0001 0000 0000 0000") + WIRE_QUESTION


@given(idents, names, st.sampled_from(Kind))
def test_a_query_is_byte_for_byte_what_scapy_builds(ident: int, name: str, kind: Kind) -> None:
    theirs = DNS(id=ident, rd=1, qd=DNSQR(qname=name.encode(), qtype=int(kind)))
    assert dns.encode_query(Question(ident, name, kind)) == bytes(theirs)


@given(idents, names, st.sampled_from(Kind), st.ip_addresses(v=4), st.ip_addresses(v=6))
def test_a_reply_that_scapy_builds_is_read(ident: int, name: str, kind: Kind, v4: object, v6: object) -> None:
    question = Question(ident, name, kind)
    theirs = DNS(
        id=ident,
        qr=1,
        ra=1,
        qd=DNSQR(qname=name.encode(), qtype=int(kind)),
        an=[
            DNSRR(rrname=name.encode(), type="CNAME", rdata=b"other.test."),
            DNSRR(rrname=b"other.test.", type="A", rdata=str(v4)),
            DNSRR(rrname=b"other.test.", type="AAAA", rdata=str(v6)),
        ],
    )
    assert dns.decode_response(bytes(theirs), question).addresses == (v4, v6)


@pytest.mark.parametrize(
    ("message", "response"),
    [
        pytest.param(reply(), Response(Rcode.NOERROR, False, ()), id="no such record"),
        pytest.param(reply(flags=0x8183), Response(Rcode.NXDOMAIN, False, ()), id="NXDOMAIN"),
        pytest.param(reply(flags=0x8182), Response(Rcode.SERVFAIL, False, ()), id="SERVFAIL"),
        pytest.param(reply(flags=0x8005), Response(Rcode.REFUSED, False, ()), id="REFUSED"),
        pytest.param(reply(flags=0x8380), Response(Rcode.NOERROR, True, ()), id="truncated"),
        pytest.param(reply(record(PLATFORM.packed)), Response(Rcode.NOERROR, False, (PLATFORM,)), id="compressed name"),
        pytest.param(
            reply(record(PLATFORM.packed, name=b"\x08platform\x03lab\x04test\0")),
            Response(Rcode.NOERROR, False, (PLATFORM,)),
            id="whole name",
        ),
        pytest.param(
            reply(record(PLATFORM.packed, name=b"\x03www" + AT_NAME)),
            Response(Rcode.NOERROR, False, (PLATFORM,)),
            id="half a name",
        ),
        pytest.param(
            reply(record(b"\x01x\0", kind=5), record(PLATFORM.packed, family=3), record(b"", name=b"\0", kind=41)),
            Response(Rcode.NOERROR, False, ()),
            id="records of other kinds",
        ),
        pytest.param(reply() + b"\xff" * 40, Response(Rcode.NOERROR, False, ()), id="after the answers anything"),
    ],
)
def test_a_reply_is_read(message: bytes, response: Response) -> None:
    assert dns.decode_response(message, ASKED) == response


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"", "of 0 bytes"),
        (reply()[:11], "of 11 bytes"),
        (header(ident=0x1F2F) + WIRE_QUESTION, "message 7983, 7982 was asked"),
        (header(flags=0x0100) + WIRE_QUESTION, "no reply to a query"),
        (header(flags=0xA800) + WIRE_QUESTION, "no reply to a query"),
        (header(questions=0), "0 questions are no reply"),
        (header(questions=2) + WIRE_QUESTION * 2, "2 questions are no reply"),
        (header() + WIRE_QUESTION[:-1], "to another question"),
        (header() + WIRE_QUESTION[:-3] + b"\x1c\0\x01", "to another question"),
        (header() + b"\x08platform\x03lab\x04tesT\0\0\x1c\0\x01", "to another question"),
        (header() + b"\xc0\x0c\0\x01\0\x01" + bytes(18), "to another question"),
        (header(answers=1) + WIRE_QUESTION, "ends inside a name"),
        (header(answers=0xFFFF) + WIRE_QUESTION + record(PLATFORM.packed), "ends inside a name"),
        (reply(record(PLATFORM.packed))[:-5], "ends inside a record"),
        (reply(record(PLATFORM.packed))[:-1], "of 4 bytes ends beyond"),
        (reply(record(PLATFORM.packed, length=0xFFFF)), "of 65535 bytes ends beyond"),
        (reply(record(PLATFORM.packed, length=3)), "type 1 with 3 bytes"),
        (reply(record(PLATFORM.packed, kind=28)), "type 28 with 4 bytes"),
        (reply(record(b"", name=b"\xc0\x23")), "points at no earlier one"),  # at itself
        (reply(record(b"", name=b"\xc0\xff")), "points at no earlier one"),
        (reply(record(b"", name=b"\x01x\xc0\x23")), "points at no earlier one"),  # at its own beginning
        (reply(b"\xc0"), "points at no earlier one"),
        (reply(record(b"", name=b"\x40x\0")), "label of type 0x40"),
        (reply(b"\x3f" + b"x" * 63), "ends inside a name"),
        (reply(record(b"", name=(b"\x3f" + b"x" * 63) * 4 + b"\0")), "longer than 255"),
    ],
)
def test_what_is_no_such_reply_is_refused_and_says_why(message: bytes, why: str) -> None:
    with pytest.raises(PeerError, match=why):
        dns.decode_response(message, ASKED)


def test_a_name_in_another_case_is_told_apart() -> None:
    with pytest.raises(CaseChanged, match="platform"):
        dns.decode_response(header() + WIRE_QUESTION.lower(), ASKED)


@pytest.mark.parametrize(
    ("bits", "name"), [(0, "ab-c.de"), (0b1, "Ab-c.de"), (0b1001010, "aB-C.dE"), (2**99 - 1, "AB-C.DE")]
)
def test_letters_take_the_case_of_their_bits(bits: int, name: str) -> None:
    assert dns.mixed_case("ab-C.De", bits) == name


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (Question(0x10000, "a.test"), "does not fit 16 bits"),
        (Question(0, ""), "label of 0"),
        (Question(0, "a..test"), "label of 0"),
        (Question(0, "x" * 64), "more than 63"),
        (Question(0, ".".join(["x" * 63] * 4)), "longer than 255"),
        (Question(0, "zürich.test"), "not ASCII"),
    ],
)
def test_what_cannot_be_asked_is_our_own_mistake(question: Question, why: str) -> None:
    with pytest.raises(MisuseError, match=why):
        dns.encode_query(question)


@given(st.binary(max_size=120), idents)
def test_garbage_raises_nothing_but_the_rooms_error(tail: bytes, answers: int) -> None:
    for data in (tail, header(answers=answers) + tail, header(answers=answers) + WIRE_QUESTION + tail):
        with suppress(PeerError):
            dns.decode_response(data, ASKED)
