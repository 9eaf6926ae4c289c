"""Frames of a supervision session as scapy builds them: a codec independent of ours."""

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.layers.rtp import RTP
from scapy.packet import Packet, Raw

WORKSTATION, PLATFORM = "10.77.0.20", "198.51.100.30"
WORKSTATION_6, PLATFORM_6 = "fd77::20", "2001:db8::30"
AUDIO_PORT, VIDEO_PORT = 5004, 5006
AUDIO_PT, VIDEO_PT = 111, 96
PAYLOAD = b"patient's voice" * 10


def rtp(*, payload_type: int = AUDIO_PT, sequence: int = 1, ssrc: int = 7, timestamp: int = 960) -> Packet:
    """One RTP packet with 150 bytes of somebody's media."""
    header = RTP(version=2, payload_type=payload_type, sequence=sequence, sourcesync=ssrc, timestamp=timestamp)
    return header / Raw(PAYLOAD)


def from_room(inner: Packet, *, port: int = AUDIO_PORT, source: str = WORKSTATION, target: str = PLATFORM) -> bytes:
    """A frame of the workstation on its way to the platform."""
    return bytes(_ethernet() / IP(src=source, dst=target) / UDP(sport=40000, dport=port) / inner)


def to_room(inner: Packet, *, port: int = AUDIO_PORT, source: str = PLATFORM, target: str = WORKSTATION) -> bytes:
    """A frame of the platform on its way to the workstation."""
    return bytes(_ethernet() / IP(src=source, dst=target) / UDP(sport=port, dport=40000) / inner)


def from_room_6(inner: Packet, *, port: int = AUDIO_PORT, target: str = PLATFORM_6) -> bytes:
    """The same over IPv6."""
    return bytes(_ethernet() / IPv6(src=WORKSTATION_6, dst=target) / UDP(sport=40000, dport=port) / inner)


def tagged(frame: bytes, *, kind: int = 0x8100) -> bytes:
    """The frame with a VLAN tag in band."""
    ether = Ether(frame)
    return bytes(Ether(src=ether.src, dst=ether.dst, type=kind) / Dot1Q(vlan=7, type=ether.type) / ether.payload)


def _ethernet() -> Packet:
    return Ether(src="02:00:00:00:00:20", dst="02:00:00:00:00:01")
