import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest

from probes.errors import MisuseError, PeerError, ProbeError
from probes.packets import icmp

words = st.integers(0, 0xFFFF)


@given(words, words, st.binary(max_size=80))
def test_a_request_is_byte_for_byte_what_scapy_builds(ident: int, sequence: int, payload: bytes) -> None:
    ours = icmp.encode_request(icmp.Echo(ident, sequence, payload))
    assert ours == bytes(ICMP(type=8, id=ident, seq=sequence) / payload)


@given(words, words, st.binary(max_size=80))
def test_a_v6_request_is_scapys_but_for_the_checksum_which_is_the_kernels(ident: int, seq: int, payload: bytes) -> None:
    ours = icmp.encode_request(icmp.Echo(ident, seq, payload), v6=True)
    theirs = bytes(ICMPv6EchoRequest(id=ident, seq=seq, data=payload, cksum=0))
    assert ours == theirs


@given(words, words, st.binary(max_size=80))
def test_a_reply_built_by_scapy_is_read_back(ident: int, sequence: int, payload: bytes) -> None:
    expected = icmp.Echo(ident, sequence, payload)
    packet = bytes(IP(src="192.0.2.1", dst="192.0.2.2") / ICMP(type=0, id=ident, seq=sequence) / payload)
    assert icmp.decode_reply(icmp.message_of(packet)) == expected
    assert icmp.decode_reply(bytes(ICMPv6EchoReply(id=ident, seq=sequence, data=payload, cksum=0)), v6=True) == expected


def test_a_header_with_options_is_stepped_over() -> None:
    message = bytes(ICMP(type=0, id=5, seq=6) / b"x")
    assert icmp.message_of(b"\x46" + bytes(23) + message) == message


@given(st.binary(max_size=100), st.booleans())
def test_garbage_raises_nothing_but_the_rooms_error(data: bytes, v6: bool) -> None:
    for read in (icmp.message_of, lambda data: icmp.decode_reply(data, v6=v6)):
        try:
            read(data)
        except ProbeError:
            continue


@given(st.binary(max_size=80), st.integers(0, 10_000))
def test_one_flipped_bit_anywhere_is_noticed(payload: bytes, position: int) -> None:
    damaged = bytearray(bytes(ICMP(type=0, id=1, seq=2) / payload))
    damaged[position % len(damaged)] ^= 1 << position % 8
    with pytest.raises(PeerError):
        icmp.decode_reply(bytes(damaged))


@pytest.mark.parametrize("echo", [icmp.Echo(0x10000, 0, b""), icmp.Echo(0, -1, b"")])
def test_a_number_that_does_not_fit_is_our_own_mistake(echo: icmp.Echo) -> None:
    with pytest.raises(MisuseError, match="16 bits"):
        icmp.encode_request(echo)
