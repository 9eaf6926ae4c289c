"""The double against the prober's own codec, which was written apart from it, and against garbage."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.stun_double import answer
from probes.packets import stun

TRANSACTION = bytes(range(12))
REQUEST = struct.pack("!HHI", 1, 0, 0x2112A442) + TRANSACTION


def request_with(*attributes: tuple[int, bytes]) -> bytes:
    body = b"".join(struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4) for kind, value in attributes)
    return struct.pack("!HHI", 1, len(body), 0x2112A442) + TRANSACTION + body


@pytest.mark.parametrize("source", [("100.64.1.2", 40000), ("2001:db8::7", 1), ("0.0.0.0", 65535)])
def test_the_prober_reads_back_where_it_came_from(source: tuple[str, int]) -> None:
    reply = answer(stun.encode_request(TRANSACTION), source)
    assert reply is not None
    mapped = stun.decode_response(reply, TRANSACTION)
    assert (str(mapped.address), mapped.port) == source


def test_an_answer_has_the_bytes_of_the_rfc() -> None:
    """Section 14.2 by hand: port 0x1234 ^ 0x2112, address 192.0.2.1 ^ 0x2112a442."""
    reply = answer(REQUEST, ("192.0.2.1", 0x1234))
    assert reply is not None
    assert reply[:20] == struct.pack("!HHI", 0x0101, 20, 0x2112A442) + TRANSACTION
    assert reply[20:32] == bytes.fromhex("0020 0008 0001 3326 e112 a643")


@pytest.mark.parametrize(
    ("attributes", "refused"),
    [
        ([(0x8022, b"who asks")], []),  # SOFTWARE: may be passed over
        ([(0x0006, b"name"), (0x0008, bytes(20))], []),  # credentials nobody asked for
        ([(0x0003, bytes(4))], [0x0003]),  # CHANGE-REQUEST of RFC 5780: we have no second address
        ([(0x7FFF, b"odd"), (0x0003, bytes(4))], [0x7FFF, 0x0003]),
    ],
)
def test_what_must_be_understood_and_is_not_is_named(attributes: list[tuple[int, bytes]], refused: list[int]) -> None:
    reply = answer(request_with(*attributes), ("192.0.2.1", 1))
    assert reply is not None
    kind = int.from_bytes(reply[:2])
    assert kind == (0x0111 if refused else 0x0101)
    assert not refused or reply.endswith(
        b"".join(number.to_bytes(2) for number in refused) + bytes(len(refused) * 2 % 4)
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        REQUEST[:19],
        REQUEST + b"\0",  # longer than it says
        b"\x01\x01" + REQUEST[2:],  # a response: two servers must not talk for ever
        b"\x00\x11" + REQUEST[2:],  # an indication
        REQUEST[:4] + bytes(4) + TRANSACTION,  # RFC 3489, without the cookie
        struct.pack("!HHI", 1, 4, 0x2112A442) + TRANSACTION + b"\x80\x22\x00\x08",  # an attribute beyond the end
        struct.pack("!HHI", 1, 2, 0x2112A442) + TRANSACTION + b"\0\0",
    ],
)
def test_what_is_no_request_gets_no_answer(data: bytes) -> None:
    assert answer(data, ("192.0.2.1", 1)) is None


@given(st.binary(max_size=60))
def test_no_attributes_break_it(body: bytes) -> None:
    body = body[: len(body) // 4 * 4]
    reply = answer(struct.pack("!HHI", 1, len(body), 0x2112A442) + TRANSACTION + body, ("192.0.2.1", 1))
    assert reply is None or reply[8:20] == TRANSACTION
