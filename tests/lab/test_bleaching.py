"""Frames through the bleach: what a real header says afterwards, and that everything else is left as it was."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.bleaching import bleached

ETHERNET = bytes(12)
EF, ECT_0 = 46 << 2, 2


def v4(tos: int, payload: bytes = b"payload", options: bytes = b"") -> bytes:
    """With the checksum computed from scratch."""
    length = 20 + len(options)
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x40 | length // 4, tos, length + len(payload), 7, 0, 64, 17, 0, bytes(4), b"\x0a\x4d\0\x0b"
    )
    header += options
    return ETHERNET + b"\x08\x00" + header[:10] + _checksum(header).to_bytes(2) + header[12:] + payload


def v6(traffic_class: int, flow: int = 0xABCDE) -> bytes:
    return ETHERNET + b"\x86\xdd" + (6 << 28 | traffic_class << 20 | flow).to_bytes(4) + bytes(36) + b"payload"


def _checksum(header: bytes) -> int:
    """RFC 791, over the whole header, not incrementally."""
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@pytest.mark.parametrize("tos", range(256))
def test_every_mark_of_ipv4_goes_and_its_checksum_is_as_if_computed_anew(tos: int) -> None:
    assert bleached(v4(tos)) == v4(tos & 0x03)


def test_ipv4_options_are_left_alone() -> None:
    assert bleached(v4(EF, options=b"\x01\x01\x01\x00")) == v4(0, options=b"\x01\x01\x01\x00")


@pytest.mark.parametrize("traffic_class", range(256))
def test_every_mark_of_ipv6_goes_and_the_flow_label_stays(traffic_class: int) -> None:
    assert bleached(v6(traffic_class)) == v6(traffic_class & 0x03)


@pytest.mark.parametrize(
    "frame",
    [
        v4(0),
        v4(ECT_0),  # ECN is not DSCP
        v6(0),
        v6(ECT_0),
        ETHERNET + b"\x08\x06" + b"\xff" * 28,  # ARP
        v4(EF)[: 14 + 19],  # shorter than its header
        v6(EF)[: 14 + 39],
        ETHERNET,
        b"",
    ],
)
def test_what_has_no_mark_or_is_no_ip_packet_is_the_same_object(frame: bytes) -> None:
    assert bleached(frame) is frame


@given(st.binary(max_size=80), st.sampled_from([b"\x08\x00", b"\x86\xdd"]))
def test_any_bytes_keep_their_length_and_are_bleached_once(rest: bytes, kind: bytes) -> None:
    once = bleached(ETHERNET + kind + rest)
    assert len(once) == 14 + len(rest)
    assert bleached(once) == once
