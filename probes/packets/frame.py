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
_PORT_PAIR = struct.Struct("!HH")
_PLAIN_IPV4 = b"\x08\x00\x45"  # no tag, no options: nearly every packet
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


def flow_of(frame: bytes) -> tuple[bytes, int, int]:
    """(flow, offset of the UDP payload, its length on the wire), which costs a third of `parse_udp`.

    The flow is both addresses, then both ports, packed, the source's first: 12 bytes of IPv4, 36 of IPv6. Raises
    PeerError as `parse_udp` does.
    """
    if frame[12:15] == _PLAIN_IPV4 and len(frame) >= 42 and frame[23] == PROTOCOL_UDP:
        length = frame[38] << 8 | frame[39]
        if length >= 8 and not (frame[20] & 0x1F or frame[21]):
            return frame[26:38], 42, length - 8
    udp = parse_udp(frame)
    ports = _PORT_PAIR.pack(udp.source_port, udp.destination_port)
    return udp.source + udp.destination + ports, udp.payload_at, udp.payload_len


def reverse_of(flow: bytes) -> bytes:
    """The same flow seen from its other end. What follows addresses and ports (a TURN relay) stays."""
    address, ports = (4, 8) if len(flow) < 36 else (16, 32)
    return b"".join(
        (flow[address:ports], flow[:address], flow[ports + 2 : ports + 4], flow[ports : ports + 2], flow[ports + 4 :])
    )


def ends_of(flow: bytes) -> tuple[bytes, bytes, int, int]:
    """(source, destination, source's port, destination's port) of a flow as `flow_of` gives it."""
    address, ports = (4, 8) if len(flow) < 36 else (16, 32)
    return flow[:address], flow[address:ports], *_PORT_PAIR.unpack_from(flow, ports)


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
