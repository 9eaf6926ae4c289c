from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.errors import PeerError
from probes.packets.sip import (
    MESSAGE_MAX,
    SipResponse,
    Transaction,
    fetch_bindings,
    options,
    parse_response,
    split_stream,
)

OWN = Transaction(
    transport="udp",
    sent_by="10.77.0.10:40312",
    branch="z9hG4bKhjhs8ass877",
    tag="1928301774",
    call_id="a84b4c76e66710",
    cseq=63104,
)
REQUEST = options("sip:direct-line@10.77.0.60:5060", "sip:edged@10.77.0.10:40312", OWN)
# The response of RFC 3261 section 11.2, with our Via on top.
OK = (
    b"SIP/2.0 200 OK\r\n"
    b"Via: SIP/2.0/UDP 10.77.0.10:40312;branch=z9hG4bKhjhs8ass877;received=192.0.2.4;rport=40312\r\n"
    b"To: <sip:carol@chicago.com>;tag=93810874\r\n"
    b"From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n"
    b"Call-ID: a84b4c76e66710\r\n"
    b"CSeq: 63104 OPTIONS\r\n"
    b"Contact: <sip:carol@chicago.com>\r\n"
    b"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 4\r\n\r\n"
    b"v=0\n"
)
READ = SipResponse(200, "OK", "z9hG4bKhjhs8ass877", 63104, "OPTIONS")


def test_the_request_has_every_mandatory_header_and_nothing_odd() -> None:
    """RFC 3261 section 8.1.1: To, From, CSeq, Call-ID, Max-Forwards, Via; 11.1: Accept; RFC 3581: rport, no value."""
    assert REQUEST.encode().decode().split("\r\n") == [
        "OPTIONS sip:direct-line@10.77.0.60:5060 SIP/2.0",
        "Via: SIP/2.0/UDP 10.77.0.10:40312;branch=z9hG4bKhjhs8ass877;rport",
        "Max-Forwards: 70",
        "From: <sip:edged@10.77.0.10:40312>;tag=1928301774",
        "To: <sip:direct-line@10.77.0.60:5060>",
        "Call-ID: a84b4c76e66710",
        "CSeq: 63104 OPTIONS",
        "Contact: <sip:edged@10.77.0.10:40312>",
        "Accept: application/sdp",
        "User-Agent: edged",
        "Content-Length: 0",
        "",
        "",
    ]


def test_c1_a_fetch_of_bindings_has_neither_contact_nor_expires_and_so_changes_none() -> None:
    """RFC 3261 section 10.2: no user in the Request-URI, From is To; 10.2.3: without Contact nothing is changed."""
    fetch = fetch_bindings(
        "sip:17@pbx.example.org", "sip:pbx.example.org", OWN, ('Authorization: Digest username="17"',)
    )
    assert fetch.encode().decode().split("\r\n") == [
        "REGISTER sip:pbx.example.org SIP/2.0",
        "Via: SIP/2.0/UDP 10.77.0.10:40312;branch=z9hG4bKhjhs8ass877;rport",
        "Max-Forwards: 70",
        "From: <sip:17@pbx.example.org>;tag=1928301774",
        "To: <sip:17@pbx.example.org>",
        "Call-ID: a84b4c76e66710",
        "CSeq: 63104 REGISTER",
        'Authorization: Digest username="17"',
        "User-Agent: edged",
        "Content-Length: 0",
        "",
        "",
    ]


def test_every_header_of_one_name_is_kept_in_order_by_its_long_name_and_unfolded() -> None:
    message = OK.replace(b"Contact: <sip:carol@chicago.com>", b"m: <sip:a@b>,\r\n\t<sip:c@d>\r\nCONTACT : <sip:e@f>")
    assert parse_response(message).values("contact") == ("<sip:a@b>, <sip:c@d>", "<sip:e@f>")
    assert parse_response(message).values("expires") == ()


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(OK, id="as in the RFC"),
        pytest.param(b"\r\n\r\n" + OK, id="after keep-alives"),
        pytest.param(OK.replace(b"\r\n", b"\n"), id="bare LF"),
        pytest.param(OK.replace(b"Via:", b"v :").replace(b"Call-ID:", b"i:"), id="compact names"),
        pytest.param(OK.replace(b"Via:", b"VIA:").replace(b"CSeq:", b"cseq:"), id="any case"),
        pytest.param(OK.replace(b";branch", b"\r\n ;branch").replace(b"63104 ", b"63104\r\n\t"), id="folded"),
        pytest.param(
            OK.replace(b";received", b" , SIP/2.0/UDP h;branch=z9hG4bKother;received"), id="two Vias in a line"
        ),
        pytest.param(OK.replace(b"To:", b"Via: SIP/2.0/UDP h;branch=z9hG4bKother\r\nTo:"), id="two Vias"),
        pytest.param(OK.replace(b"Contact", b"X-Caf\xe9\xff"), id="not UTF-8"),
        pytest.param(OK[: OK.index(b"\r\n\r\n") + 2], id="no end of the header"),
    ],
)
def test_a_response_is_read_in_every_allowed_writing(message: bytes) -> None:
    assert parse_response(message) == READ


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"", "status line"),
        (b"\xff\xfe\x00garbage", "status line"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "status line"),
        (REQUEST.encode(), "status line"),
        (OK.replace(b"200", b"099", 1), "status line"),
        (OK.replace(b"200", b"2000", 1), "status line"),
        (OK.replace(b"Via:", b"Vai:"), "branch"),
        (OK.replace(b";branch=", b";brunch="), "branch"),
        (OK.replace(b"CSeq: 63104 OPTIONS\r\n", b""), "CSeq"),
        (OK.replace(b"63104", b"6310a"), "CSeq"),
        (OK.replace(b"63104", b"9" * 5000), "CSeq"),
        (OK + bytes(MESSAGE_MAX), "longer than"),
    ],
)
def test_what_is_no_response_is_refused(message: bytes, why: str) -> None:
    with pytest.raises(PeerError, match=why):
        parse_response(message)


@pytest.mark.parametrize(
    ("message", "ours"),
    [
        (OK, True),
        (OK.replace(b"z9hG4bKhjhs8ass877", b"z9hG4bKhjhs8ass878"), False),
        (OK.replace(b"63104", b"63103"), False),
        (OK.replace(b"OPTIONS\r\nContact", b"INVITE\r\nContact"), False),
    ],
)
def test_a_response_is_ours_by_branch_number_and_method(message: bytes, ours: bool) -> None:
    assert parse_response(message).answers(REQUEST) is ours


@pytest.mark.parametrize(("code", "final"), [(100, False), (199, False), (200, True), (486, True), (699, True)])
def test_a_response_below_200_is_not_final(code: int, final: bool) -> None:
    assert parse_response(OK.replace(b"200", str(code).encode(), 1)).final is final


def test_a_stream_is_cut_into_messages_wherever_it_was_cut_by_the_network() -> None:
    stream = b"\r\n\r\n" + OK + OK.replace(b"200 OK", b"486 Busy")
    messages, buffer = [], b""
    for at in range(len(stream)):
        buffer += stream[at : at + 1]
        while (split := split_stream(buffer)) is not None:
            message, buffer = split
            messages.append(parse_response(message).code)
    assert (messages, buffer) == ([200, 486], b"")


def test_a_stream_without_content_length_has_messages_without_body() -> None:
    head = OK[: OK.index(b"\r\n\r\n") + 4].replace(b"Content-Length: 4\r\n", b"")
    assert split_stream(head + b"SIP") == (head, b"SIP")


@pytest.mark.parametrize(
    "stream",
    [
        OK.replace(b"Content-Length: 4", b"Content-Length: -1"),
        OK.replace(b"Content-Length: 4", b"l: four"),
        OK.replace(b"Content-Length: 4", b"Content-Length: 99999"),
        OK.replace(b"Content-Length: 4", b"Content-Length: " + b"9" * 9000),
        OK.replace(b"Content-Length: 4", "Content-Length: \u00b2".encode("latin-1")),
        b"x" * (MESSAGE_MAX + 1),
    ],
)
def test_a_stream_that_never_ends_or_lies_about_its_length_is_refused(stream: bytes) -> None:
    with pytest.raises(PeerError):
        split_stream(stream)


PIECES = (
    *(b"SIP/2.0 ", b"200 ", b"OK", b"\r\n", b"\n", b"\r", b" ", b"\t", b"\xff", b"\x00", b":", b","),
    *(b"Via:", b"v:", b";branch=", b"z9hG4bK", b"CSeq:", b"1 OPTIONS", b"l:", b"Content-Length: 3"),
)
GARBAGE = st.binary(max_size=300) | st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)


@given(GARBAGE)
def test_garbage_raises_nothing_but_the_room_s_error(data: bytes) -> None:
    with suppress(PeerError):
        assert 100 <= parse_response(data).code <= 699
    try:
        split = split_stream(data)
    except PeerError:
        return
    assert split is None or data.endswith(split[0] + split[1])


@given(GARBAGE, st.integers(0, len(OK)))
def test_a_damaged_response_raises_nothing_but_the_room_s_error(noise: bytes, at: int) -> None:
    with suppress(PeerError):
        assert parse_response(OK[:at] + noise + OK[at + len(noise) :]).branch
