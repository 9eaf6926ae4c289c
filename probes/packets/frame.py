"""From an Ethernet frame to the UDP payload in it: addresses, ports, and where the payload starts.

The frame may be cut after the UDP header (the tap keeps headers only). One VLAN tag is accepted in band: Linux takes
tags out before a packet socket sees them, some drivers and bridges do not. A later fragment has no UDP header, and
IPv6 extension headers do not occur in media: both are refused.
"""

import struct
from dataclasses import dataclass

from probes.errors import PeerError

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
ETHERTYPES_VLAN = (0x8100, 0x88A8)
PROTOCOL_UDP = 17

_IPV4 = struct.Struct("!BxxxxxHxBxx4s4s")
_IPV6 = struct.Struct("!BxxxxxBx16s16s")
_PORTS = struct.Struct("!HHHxx")
_ETHERTYPE = struct.Struct("!H")
_MORE_OF_A_PACKET = 0x1FFF  # the fragment offset in the IPv4 flags word


@dataclass(frozen=True, slots=True)
class UdpFrame:
    """Where a datagram came from and goes to; addresses as 4 or 16 packed bytes."""

    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    payload_at: int
    """Offset of the UDP payload in the frame."""
    payload_len: int
    """Length of the payload on the wire, as the UDP header tells it; the frame at hand may hold less."""


def parse_udp(frame: bytes) -> UdpFrame:
    """Read a frame's headers (RFC 894, 791, 8200, 768). Raises PeerError unless they are UDP's and whole."""
    try:
        ethertype, at = _network_layer(frame)
        if ethertype == ETHERTYPE_IPV4:
            source, destination, udp_at = _ipv4(frame, at)
        elif ethertype == ETHERTYPE_IPV6:
            source, destination, udp_at = _ipv6(frame, at)
        else:
            raise PeerError(f"frame of type {ethertype:#06x} is not IP")
        source_port, destination_port, udp_len = _PORTS.unpack_from(frame, udp_at)
    except struct.error as error:
        raise PeerError(f"frame of {len(frame)} bytes ends inside its headers") from error
    if udp_len < 8:
        raise PeerError(f"UDP length {udp_len} is shorter than its own header")
    return UdpFrame(source, destination, source_port, destination_port, udp_at + 8, udp_len - 8)


def _network_layer(frame: bytes) -> tuple[int, int]:
    (ethertype,) = _ETHERTYPE.unpack_from(frame, 12)
    if ethertype in ETHERTYPES_VLAN:
        (ethertype,) = _ETHERTYPE.unpack_from(frame, 16)
        return ethertype, 18
    return ethertype, 14


def _ipv4(frame: bytes, at: int) -> tuple[bytes, bytes, int]:
    version_ihl, fragment, protocol, source, destination = _IPV4.unpack_from(frame, at)
    header_len = (version_ihl & 0x0F) * 4
    if version_ihl >> 4 != 4 or header_len < 20:
        raise PeerError(f"IPv4 header starts with {version_ihl:#04x}")
    if protocol != PROTOCOL_UDP or fragment & _MORE_OF_A_PACKET:
        raise PeerError(f"IPv4 packet of protocol {protocol}, fragment word {fragment:#06x}, has no UDP header")
    return source, destination, at + header_len


def _ipv6(frame: bytes, at: int) -> tuple[bytes, bytes, int]:
    version, next_header, source, destination = _IPV6.unpack_from(frame, at)
    if version >> 4 != 6:
        raise PeerError(f"IPv6 header starts with {version:#04x}")
    if next_header != PROTOCOL_UDP:
        raise PeerError(f"IPv6 next header {next_header} is not UDP")
    return source, destination, at + 40
