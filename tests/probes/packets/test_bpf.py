"""The programs run in the real kernel: a filter on a UNIX datagram socket sees the datagram as if it were the frame."""

import ctypes
import socket
import struct
from collections.abc import Sequence
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP, IPOption_NOP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from probes.errors import MisuseError
from probes.packets.bpf import Network, PortRange, media_filter
from probes.packets.bpf_code import Instruction, encode
from probes.packets.frame import parse_udp
from tests.probes.media_frames import PAYLOAD, from_room, from_room_6, rtp, tagged, to_room

PORTS = (PortRange(5004, 5004), PortRange(8801, 8810))
PLATFORM_NETWORKS: tuple[Network, ...] = (
    ip_network("192.0.2.0/24"),
    ip_network("198.51.100.30/32"),
    ip_network("2001:db8::/61"),
)
TCP_FRAME = bytes(Ether() / IP(src="10.77.0.20", dst="198.51.100.30") / TCP(sport=40000, dport=5004) / Raw(PAYLOAD))
FRAGMENT = bytes(Ether() / IP(dst="198.51.100.30", frag=9, proto=17) / Raw(struct.pack("!HH", 40000, 5004) + PAYLOAD))
OPTIONS = bytes(Ether() / IP(dst="198.51.100.30", options=[IPOption_NOP()] * 4) / UDP(sport=40000, dport=5004) / rtp())


def kernel_keeps(program: Sequence[Instruction], frame: bytes) -> bytes:
    """What the kernel's filter leaves of a frame; empty if it dropped it."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        code = encode(program)
        held = ctypes.create_string_buffer(code, len(code))
        there.setsockopt(socket.SOL_SOCKET, 26, struct.pack("@HP", len(program), ctypes.addressof(held)))
        there.setblocking(False)
        here.send(frame)
        try:
            return there.recv(4096)
        except BlockingIOError:
            return b""


@pytest.mark.parametrize(
    ("frame", "kept"),
    [
        pytest.param(from_room(rtp()), True, id="from the room"),
        pytest.param(to_room(rtp()), True, id="to the room"),
        pytest.param(from_room(rtp(), port=8801), True, id="first port of a range"),
        pytest.param(from_room(rtp(), port=8810), True, id="last port of a range"),
        pytest.param(from_room(rtp(), target="192.0.2.200"), True, id="another network of the platform"),
        pytest.param(from_room_6(rtp()), True, id="IPv6"),
        pytest.param(from_room_6(rtp(), target="2001:db8:0:7:ffff::1"), True, id="IPv6, end of the prefix"),
        pytest.param(tagged(from_room(rtp())), True, id="VLAN"),
        pytest.param(tagged(from_room_6(rtp()), kind=0x88A8), True, id="IPv6 in a provider VLAN"),
        pytest.param(OPTIONS, True, id="IP options"),
        pytest.param(from_room(rtp(), port=5003), False, id="port below"),
        pytest.param(from_room(rtp(), port=8811), False, id="port above a range"),
        pytest.param(from_room(rtp(), port=443), False, id="QUIC"),
        pytest.param(from_room(rtp(), target="198.51.100.31"), False, id="another host"),
        pytest.param(from_room_6(rtp(), target="2001:db8:0:8::1"), False, id="IPv6 beyond the prefix"),
        pytest.param(from_room_6(rtp(), target="2001:db9::1"), False, id="IPv6 elsewhere"),
        pytest.param(
            from_room(rtp(), source="198.51.100.30", target="10.0.0.1"), False, id="right host, wrong side's port"
        ),
        pytest.param(TCP_FRAME, False, id="TCP"),
        pytest.param(FRAGMENT, False, id="a later fragment that looks like ports"),
        pytest.param(bytes(Ether() / ARP()), False, id="ARP"),
        pytest.param(from_room(rtp())[:30], False, id="cut inside IP"),
    ],
)
def test_the_platform_s_media_passes_and_all_else_does_not(frame: bytes, kept: bool) -> None:
    assert bool(kernel_keeps(media_filter(PLATFORM_NETWORKS, PORTS), frame)) is kept


@pytest.mark.parametrize("frame", [from_room(rtp()), from_room_6(rtp()), tagged(from_room(rtp())), OPTIONS])
def test_the_kernel_cuts_right_after_the_rtp_header(frame: bytes) -> None:
    kept = kernel_keeps(media_filter(PLATFORM_NETWORKS, PORTS), frame)
    assert kept == frame[: parse_udp(frame).payload_at + 12]


def test_without_networks_any_address_passes_on_the_port_alone() -> None:
    program = media_filter((), PORTS)
    assert kernel_keeps(program, from_room(rtp(), target="203.0.113.9"))
    assert kernel_keeps(program, from_room_6(rtp(), target="2001:db9::1"))
    assert not kernel_keeps(program, from_room(rtp(), target="203.0.113.9", port=5006))


def test_a_family_without_networks_does_not_pass() -> None:
    program = media_filter((ip_network("198.51.100.0/24"),), PORTS)
    assert kernel_keeps(program, from_room(rtp()))
    assert not kernel_keeps(program, from_room_6(rtp()))


def test_the_whole_of_a_family_passes_as_slash_zero() -> None:
    assert kernel_keeps(media_filter((ip_network("::/0"),), PORTS), from_room_6(rtp()))


def test_the_largest_settings_still_fit_the_kernel() -> None:
    networks = [ip_network(f"2001:db8:{i:x}::1/128") for i in range(16)]
    program = media_filter(networks, [PortRange(5000 + 2 * i, 5000 + 2 * i) for i in range(32)])
    assert len(program) < 950  # 1,077 still fitted a kernel with optmem_max 20,480, as Debian 12 has; 1,653 did not
    assert kernel_keeps(program, from_room_6(rtp(), target="2001:db8:f::1", port=5062))
    assert not kernel_keeps(program, from_room_6(rtp(), target="2001:db8:10::1", port=5062))


def test_without_ports_any_port_passes_at_the_networks_alone() -> None:
    program = media_filter(PLATFORM_NETWORKS, ())
    assert kernel_keeps(program, from_room(rtp(), port=61000))
    assert kernel_keeps(program, from_room_6(rtp(), port=61000))
    assert kernel_keeps(program, to_room(rtp(), port=61000))
    assert not kernel_keeps(program, from_room(rtp(), target="203.0.113.9"))


REPORT = struct.pack(">BBHI", 0x81, 201, 7, 7) + bytes(24)
DESCRIPTION = struct.pack(">BBH", 0x81, 202, 5) + b"who is speaking here"


def channel(inner: bytes, *, length: int | None = None) -> bytes:
    return struct.pack(">HH", 0x4001, len(inner) if length is None else length) + inner


def indication(inner: bytes, *before: bytes, after: bytes = b"") -> bytes:
    data = struct.pack(">HH", 0x0013, len(inner)) + inner + bytes(-len(inner) % 4)
    body = b"".join(before) + data + after
    return struct.pack(">HHI", 0x0017, len(body), 0x2112A442) + bytes(12) + body


PEER = struct.pack(">HHBBHI", 0x0012, 8, 0, 1, 5000, 7)
PEER_6 = struct.pack(">HHBBH", 0x0012, 20, 0, 2, 5000) + bytes(16)
DONT_FRAGMENT = struct.pack(">HH", 0x001A, 0)


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        pytest.param(bytes(rtp()), 12, id="RTP"),
        pytest.param(b"\x00\x01\x00\x08\x21\x12\xa4\x42" + bytes(20), 20, id="STUN"),
        pytest.param(b"\x00\x01\x00\x08" + bytes(24), 0, id="STUN without its cookie"),
        pytest.param(b"\x04" + bytes(147), 0, id="WireGuard's data"),
        pytest.param(b"\x10\x00\x00\x01ZRTP" + bytes(40), 24, id="ZRTP"),
        pytest.param(b"\x10\x00\x00\x01zrtp" + bytes(40), 0, id="ZRTP without its cookie"),
        pytest.param(b"\x16\xfe\xfd" + bytes(90), 13, id="DTLS"),
        pytest.param(channel(bytes(rtp())), 16, id="RTP in a TURN channel"),
        pytest.param(channel(bytes(rtp())) + b"\0\0", 16, id="RTP in a padded TURN channel"),
        pytest.param(channel(bytes(rtp()), length=40), 0, id="QUIC, like a TURN channel but for its length"),
        pytest.param(channel(channel(bytes(rtp()))), 0, id="a channel in a channel"),
        pytest.param(indication(bytes(rtp()), after=PEER), 36, id="RTP in a TURN indication, data first"),
        pytest.param(indication(bytes(rtp()), PEER), 48, id="RTP in a TURN indication, data last"),
        pytest.param(indication(bytes(rtp()), PEER_6, DONT_FRAGMENT), 64, id="RTP in the longest TURN indication"),
        pytest.param(indication(b"\x16\xfe\xfd" + bytes(90), PEER), 49, id="DTLS in a TURN indication"),
        pytest.param(indication(REPORT + DESCRIPTION, PEER), 72, id="RTCP in a TURN indication"),
        pytest.param(indication(b"patient", PEER), 0, id="something else in a TURN indication"),
        pytest.param(indication(channel(bytes(rtp())), PEER), 0, id="a channel in a TURN indication"),
        pytest.param(indication(bytes(rtp()), PEER, PEER, PEER), 0, id="a TURN indication with too much else"),
        pytest.param(indication(bytes(rtp()), b"\x80\x22\0\x40" + bytes(64)), 0, id="a TURN indication of a long name"),
        pytest.param(indication(bytes(rtp())).replace(b"\x21\x12", b"\0\0"), 0, id="an indication without its cookie"),
        pytest.param(REPORT, 32, id="RTCP, one report"),
        pytest.param(REPORT + DESCRIPTION, 36, id="RTCP, the first report and the header of the second"),
        pytest.param(channel(REPORT + DESCRIPTION), 40, id="RTCP in a TURN channel"),
        pytest.param(b"\x81\xc9\xff\xff" + bytes(200), 12, id="RTCP that lies about its length"),
        pytest.param(b"\xc0" + bytes(60), 0, id="QUIC's long header"),
        pytest.param(b"", 0, id="nothing"),
    ],
)
def test_h1_of_each_protocol_the_kernel_keeps_its_header_and_nothing_else(payload: bytes, kept: int) -> None:
    frame = from_room(Raw(payload))
    assert kernel_keeps(media_filter(PLATFORM_NETWORKS, PORTS), frame) == frame[: 42 + kept if kept else 0]


def test_neither_ports_nor_networks_and_too_many_networks_are_refused() -> None:
    with pytest.raises(MisuseError, match="needs networks, or at least one port"):
        media_filter((), ())
    with pytest.raises(MisuseError, match="4096"):
        media_filter([ip_network(f"2001:db8:{i:x}::1/128") for i in range(400)], PORTS)


@given(
    st.binary(max_size=100), st.sampled_from([b"\x08\x00\x45", b"\x86\xdd\x60", b"\x81\x00\x00\x07\x08\x00\x4f", b""])
)
def test_what_the_kernel_keeps_of_garbage_is_a_frame_we_can_read(body: bytes, start: bytes) -> None:
    frame = bytes(12) + start + body
    kept = kernel_keeps(media_filter((), (PortRange(0, 65535),)), frame)
    if len(kept) >= 62:  # whole headers of either family
        assert parse_udp(kept).payload_at <= len(kept)
