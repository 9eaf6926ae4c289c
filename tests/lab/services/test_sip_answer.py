import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.errors import PeerError
from lab.services.sip_answer import Answer, answer, take_message
from lab.services.sip_registrar import Fields, Said

SOURCE = ("10.77.0.10", 40000)


VIA = "SIP/2.0/UDP 10.77.0.10:5060;branch=z9hG4bK1;rport"


def request(*more: str, method: str = "OPTIONS", via: str = VIA) -> bytes:
    rows = [
        f"{method} sip:ata@10.77.0.60 SIP/2.0",
        f"Via: {via}",
        "Max-Forwards: 70",
        "From: <sip:edged@10.77.0.10>;tag=abc",
        "To: <sip:ata@10.77.0.60>",
        "Call-ID: 1@10.77.0.10",
        f"CSeq: 7 {method}",
        *more,
        "Content-Length: 0",
    ]
    return ("\r\n".join(rows) + "\r\n\r\n").encode()


def rows(message: bytes) -> list[str]:
    reply = answer(message, SOURCE, "t1")
    assert reply is not None
    return reply.text.decode().split("\r\n")


def test_options_is_answered_with_200_and_what_identifies_it() -> None:
    reply = rows(request())
    assert reply[0] == "SIP/2.0 200 OK"
    assert "From: <sip:edged@10.77.0.10>;tag=abc" in reply
    assert "To: <sip:ata@10.77.0.60>;tag=t1" in reply
    assert "Call-ID: 1@10.77.0.10" in reply
    assert "CSeq: 7 OPTIONS" in reply
    assert reply[-3:] == ["Content-Length: 0", "", ""]


def test_rport_is_filled_in_and_answered_to() -> None:
    reply = answer(request(), SOURCE, "t1")
    assert reply is not None
    assert reply.to == SOURCE
    assert b"Via: SIP/2.0/UDP 10.77.0.10:5060;branch=z9hG4bK1;rport=40000;received=10.77.0.10\r\n" in reply.text


@pytest.mark.parametrize(
    ("via", "stamped", "to"),
    [
        ("SIP/2.0/UDP 10.77.0.10:5062;branch=z9hG4bK1", "", ("10.77.0.10", 5062)),
        ("SIP/2.0/UDP 10.77.0.10;branch=z9hG4bK1", "", ("10.77.0.10", 5060)),
        ("SIP/2.0/UDP edge.lan:5062;branch=z9hG4bK1", ";received=10.77.0.10", ("10.77.0.10", 5062)),
    ],
)
def test_without_rport_it_goes_where_the_via_says(via: str, stamped: str, to: tuple[str, int]) -> None:
    reply = answer(request(via=via), SOURCE, "t1")
    assert reply is not None
    assert reply.to == to
    assert f"Via: {via}{stamped}\r\n".encode() in reply.text


def test_every_via_is_copied_in_order_and_only_the_first_is_stamped() -> None:
    via = "SIP/2.0/UDP 10.77.0.10;branch=1;rport, SIP/2.0/TCP far.example;branch=2;rport"
    vias = [row for row in rows(request("v: SIP/2.0/UDP last;branch=3", via=via)) if row.startswith("Via:")]
    assert vias == [
        "Via: SIP/2.0/UDP 10.77.0.10;branch=1;rport=40000;received=10.77.0.10",
        "Via: SIP/2.0/TCP far.example;branch=2;rport",
        "Via: SIP/2.0/UDP last;branch=3",
    ]


def test_a_to_tag_that_is_there_stays() -> None:
    tagged = request().replace(b"To: <sip:ata@10.77.0.60>", b"To: <sip:ata@10.77.0.60>;tag=old")
    assert "To: <sip:ata@10.77.0.60>;tag=old" in rows(tagged)


def test_compact_names_and_folded_lines_are_read() -> None:
    short = request().replace(b"Call-ID:", b"i:").replace(b"From: <sip", b"f:\r\n <sip")
    assert "Call-ID: 1@10.77.0.10" in rows(short)
    assert "From: <sip:edged@10.77.0.10>;tag=abc" in rows(short)


def test_other_requests_are_not_allowed_and_told_what_is() -> None:
    reply = rows(request(method="SUBSCRIBE"))
    assert reply[0] == "SIP/2.0 405 Method Not Allowed"
    assert any(row.startswith("Allow:") and "OPTIONS" in row for row in reply)


def test_register_is_answered_by_a_registrar_and_not_allowed_elsewhere() -> None:
    def register(fields: Fields) -> Said:
        return "200 OK", (f"Contact: {fields['contact'][0]};expires=9",)

    message = request("m: <sip:a@b>", method="REGISTER")
    reply = answer(message, SOURCE, "t1", register)
    assert reply is not None
    assert reply.text.startswith(b"SIP/2.0 200 OK\r\n")
    assert b"Contact: <sip:a@b>;expires=9\r\n" in reply.text
    assert rows(message)[0] == "SIP/2.0 405 Method Not Allowed"


@pytest.mark.parametrize(
    "message",
    [
        request(method="ACK"),
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\n\r\n",
        request().replace(b"Call-ID: 1@10.77.0.10\r\n", b""),
        request(via="nonsense"),
        b"\xff\xfe\r\n\r\n",
        b"\r\n\r\n",
        b"",
    ],
)
def test_what_has_no_answer_gets_none(message: bytes) -> None:
    assert answer(message, SOURCE, "t1") is None


@given(st.binary(max_size=300), st.booleans())
def test_garbage_never_raises(raw: bytes, as_header: bool) -> None:
    message = request().replace(b"Max-Forwards: 70", raw) if as_header else raw
    reply = answer(message, SOURCE, "t1")
    assert reply is None or isinstance(reply, Answer)


def test_a_tcp_stream_is_cut_where_messages_end() -> None:
    with_body = request("X: y").replace(b"Content-Length: 0", b"l: 4") + b"body"
    buffer = bytearray(b"\r\n\r\n" + with_body + request()[:-1])
    assert take_message(buffer) == with_body
    assert take_message(buffer) is None
    buffer += b"\n"
    assert take_message(buffer) == request()
    assert buffer == b""


@pytest.mark.parametrize(
    "raw",
    [
        b"x" * 70000,
        request().replace(b"Content-Length: 0", b"Content-Length: -1"),
        request().replace(b"Content-Length: 0", b"Content-Length: 99999999"),
        b"OPTIONS \xff\r\n\r\n",
        b"OPTIONS x\r\nno name\r\n\r\n",
    ],
)
def test_a_stream_that_cannot_be_cut_is_refused(raw: bytes) -> None:
    with pytest.raises(PeerError):
        take_message(bytearray(raw))
