import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest

from probes.errors import MisuseError, ProbeError
from probes.packets import icmp

words, numbers, tokens = st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), st.binary(min_size=8, max_size=8)


def payload(token: bytes, number: int) -> bytes:
    return token + number.to_bytes(4, "big") + bytes(32)


@given(words, tokens, numbers)
def test_a_request_is_byte_for_byte_what_scapy_builds(ident: int, token: bytes, number: int) -> None:
    ours = icmp.NumberedEchoes(ident, token, v6=False).request(number)
    assert ours == bytes(ICMP(type=8, id=ident, seq=number & 0xFFFF) / payload(token, number))


@given(words, tokens, numbers)
def test_a_v6_request_is_scapys_but_for_the_checksum_which_is_the_kernels(
    ident: int, token: bytes, number: int
) -> None:
    ours = icmp.NumberedEchoes(ident, token, v6=True).request(number)
    theirs = bytes(ICMPv6EchoRequest(id=ident, seq=number & 0xFFFF, data=payload(token, number), cksum=0))
    assert ours == theirs


@given(words, tokens, numbers)
def test_a_reply_built_by_scapy_is_known_by_its_number(ident: int, token: bytes, number: int) -> None:
    data = payload(token, number)
    packet = bytes(IP(src="192.0.2.1", dst="192.0.2.2") / ICMP(type=0, id=ident, seq=number & 0xFFFF) / data)
    assert icmp.NumberedEchoes(ident, token, v6=False).number_of(icmp.message_of(packet)) == number
    reply = bytes(ICMPv6EchoReply(id=ident, seq=number & 0xFFFF, data=data, cksum=0))
    assert icmp.NumberedEchoes(ident, token, v6=True).number_of(reply) == number


def test_a_header_with_options_is_stepped_over() -> None:
    message = bytes(ICMP(type=0, id=5, seq=6) / b"x")
    assert icmp.message_of(b"\x46" + bytes(23) + message) == message


@given(st.binary(max_size=100), st.booleans())
def test_garbage_raises_nothing_but_the_rooms_error(data: bytes, v6: bool) -> None:
    assert icmp.NumberedEchoes(1, b"a secret", v6=v6).number_of(data) is None
    with contextlib.suppress(ProbeError):
        icmp.message_of(data)


@given(numbers, st.integers(0, 52 * 8 - 1), st.booleans())
def test_no_damage_gives_another_number(number: int, bit: int, v6: bool) -> None:
    echoes = icmp.NumberedEchoes(1, b"a secret", v6=v6)
    reply = bytearray(echoes.request(number))
    reply[0] = 129 if v6 else 0
    assert echoes.number_of(bytes(reply)) == number
    reply[bit // 8] ^= 1 << bit % 8
    ident_or_checksum, far_off = 2 <= bit // 8 < 6, 16 <= bit // 8 < 18
    damaged = echoes.number_of(bytes(reply))
    if far_off:  # a number that is not under way
        assert damaged is not None
        assert abs(damaged - number) >= 1 << 16
    else:
        assert damaged == (number if ident_or_checksum else None)
    assert echoes.number_of(bytes(reply) + b"\0") is None


@pytest.mark.parametrize(("ident", "token"), [(0x10000, bytes(8)), (-1, bytes(8)), (1, bytes(7)), (1, bytes(9))])
def test_an_ident_or_token_that_does_not_fit_is_our_own_mistake(ident: int, token: bytes) -> None:
    with pytest.raises(MisuseError, match=str(ident)):
        icmp.NumberedEchoes(ident, token, v6=False)


@pytest.mark.parametrize("number", [-1, 2**32])
def test_a_number_that_does_not_fit_is_our_own_mistake(number: int) -> None:
    with pytest.raises(MisuseError, match="32 bits"):
        icmp.NumberedEchoes(1, bytes(8), v6=False).request(number)


@given(st.binary(max_size=99))
def test_the_checksum_over_a_message_with_its_own_is_zero(message: bytes) -> None:
    even = message + bytes(len(message) % 2)
    assert icmp.checksum(even + icmp.checksum(even).to_bytes(2, "big")) == 0
    assert icmp.checksum(message) == icmp.checksum(even)
