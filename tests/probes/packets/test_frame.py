from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from probes.errors import PeerError
from probes.packets.frame import UdpFrame, ends_of, flow_of, parse_udp, reverse_of
from tests.probes.media_frames import PAYLOAD, PLATFORM, PLATFORM_6, WORKSTATION, from_room, from_room_6, rtp, tagged

LENGTH = 12 + len(PAYLOAD)


@pytest.mark.parametrize(
    ("frame", "source", "destination", "payload_at"),
    [
        pytest.param(from_room(rtp()), WORKSTATION, PLATFORM, 42, id="IPv4"),
        pytest.param(from_room_6(rtp()), "fd77::20", PLATFORM_6, 62, id="IPv6"),
        pytest.param(tagged(from_room(rtp())), WORKSTATION, PLATFORM, 46, id="IPv4 in a VLAN"),
        pytest.param(tagged(from_room_6(rtp()), kind=0x88A8), "fd77::20", PLATFORM_6, 66, id="IPv6 in a provider VLAN"),
    ],
)
def test_addresses_ports_and_the_payload_are_found(
    frame: bytes, source: str, destination: str, payload_at: int
) -> None:
    udp = parse_udp(frame)
    assert udp == UdpFrame(ip_address(source).packed, ip_address(destination).packed, 40000, 5004, payload_at, LENGTH)
    assert frame[payload_at:].endswith(PAYLOAD)
    flow, at, length = flow_of(frame)
    assert ends_of(flow) == (udp.source, udp.destination, 40000, 5004)
    assert ends_of(reverse_of(flow)) == (udp.destination, udp.source, 5004, 40000)
    assert reverse_of(flow + b"\x40\x01") == reverse_of(flow) + b"\x40\x01"
    assert (at, length) == (payload_at, LENGTH)


def test_ip_options_move_the_payload() -> None:
    frame = bytes(Ether() / IP(options=[IPOption_NOP()] * 8) / UDP(sport=1, dport=2) / Raw(b"x"))
    assert parse_udp(frame).payload_at == 14 + 28 + 8


def test_a_frame_cut_after_its_udp_header_still_tells_the_length_on_the_wire() -> None:
    assert parse_udp(from_room(rtp())[:42]).payload_len == LENGTH


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(from_room(rtp())[:41], id="cut inside UDP"),
        pytest.param(bytes(Ether() / ARP()), id="ARP"),
        pytest.param(bytes(Ether() / IP() / TCP()), id="TCP over IPv4"),
        pytest.param(bytes(Ether() / IPv6() / TCP()), id="TCP over IPv6"),
        pytest.param(bytes(Ether() / IPv6() / IPv6ExtHdrDestOpt() / UDP()), id="IPv6 extension header"),
        pytest.param(bytes(Ether() / IP(frag=100, proto=17) / Raw(PAYLOAD)), id="a later fragment"),
        pytest.param(bytes(Ether(type=0x0800) / IPv6() / UDP()), id="IPv6 called IPv4"),
        pytest.param(bytes(Ether(type=0x86DD) / IP() / UDP() / Raw(PAYLOAD)), id="IPv4 called IPv6"),
        pytest.param(bytes(Ether() / IP(ihl=4) / UDP()), id="IPv4 header shorter than 20 bytes"),
        pytest.param(bytes(Ether() / IP() / UDP(len=7)), id="UDP shorter than its header"),
    ],
)
def test_what_has_no_udp_header_is_refused(frame: bytes) -> None:
    with pytest.raises(PeerError):
        parse_udp(frame)
    with pytest.raises(PeerError):
        flow_of(frame)


@given(st.binary(max_size=120), st.sampled_from([b"", b"\x08\x00", b"\x86\xdd", b"\x81\x00\x00\x07\x08\x00"]))
def test_garbage_raises_nothing_but_the_room_s_error(body: bytes, ethertype: bytes) -> None:
    frame = bytes(12) + ethertype + body if ethertype else body
    try:
        udp = parse_udp(frame)
    except PeerError:
        return
    assert udp.payload_at <= len(frame)
