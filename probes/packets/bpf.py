"""Classic BPF, written for one end: media of the platform passes, its headers only; all else is dropped unseen.

The program runs in the kernel for every packet of the interface, so other traffic (a PACS upload, QUIC) costs edged
nothing. What it returns is how many bytes are kept: from Ethernet to the last byte of the header of RTP (12 bytes),
STUN (20), DTLS (13) or ZRTP (24), inside a TURN channel or indication where there is one, so that no byte of anybody's
media reaches this process. Of RTCP, which is reports and no media, it keeps the first report and the header of the
second.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from probes.errors import MisuseError
from probes.packets import turn
from probes.packets.bpf_code import (
    ADD,
    ADD_X,
    AND,
    COPY_A_TO_X,
    COPY_X_TO_A,
    JUMP_IF_ANY_BIT,
    JUMP_IF_EQUAL,
    JUMP_IF_GREATER,
    JUMP_IF_NOT_LESS,
    LOAD_BYTE_AT_X,
    LOAD_HALF,
    LOAD_HALF_AT_X,
    LOAD_WORD_AT_X,
    LOAD_X_CONSTANT,
    LOAD_X_MEMORY,
    RETURN_A,
    SHIFT_LEFT,
    STORE_A,
    STORE_X,
    SUBTRACT,
    SUBTRACT_X,
    Goto,
    Instruction,
    Label,
    Step,
    drop,
    drop_unless_equal,
    if_equal,
    link,
)
from probes.packets.demux import RTCP_TYPES
from probes.packets.frame import ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPES_VLAN, PROTOCOL_UDP
from probes.packets.ice import HEADER_LEN as STUN_LEN
from probes.packets.ice import MAGIC_COOKIE
from probes.packets.keying import DTLS_HEADER_LEN, ZRTP_COOKIE, ZRTP_HEADER_LEN
from probes.packets.rtcp import FIRST_REPORT_MAX, SECOND_HEADER_LEN
from probes.packets.rtp import HEADER_LEN

Network = IPv4Network | IPv6Network

_ETHERNET_LEN, _UDP_LEN = 14, 8
_ALL_BITS = 0xFFFFFFFF
_IPV4_ADDRESSES_AT, _IPV6_ADDRESSES_AT = (26, 30), (22, 38)  # source and destination, in a frame without a tag
_SHIFT, _BEFORE_UDP, _INSIDE = 0, 1, 2  # scratch memory: bytes of VLAN tag, of tag and IP header; of a channel's data
_PAYLOAD_AT = _ETHERNET_LEN + _UDP_LEN  # behind X


@dataclass(frozen=True, slots=True)
class PortRange:
    """UDP ports `first` to `last`, both included."""

    first: int
    last: int

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last


def media_filter(networks: Sequence[Network], ports: Sequence[PortRange]) -> tuple[Instruction, ...]:
    """The program that keeps the headers of media from or to one of `ports` (none: any) at one of `networks` (none: at
    any address).

    Raises MisuseError without either, or when it grows beyond the kernel's 4096 instructions.
    """
    if not ports and not networks:
        raise MisuseError("a media filter needs networks, or at least one port of the platform")
    return link(_media_steps(networks, ports))


def _media_steps(networks: Sequence[Network], ports: Sequence[PortRange]) -> Iterator[Step]:
    """One program for frames with and without a VLAN tag, which shifts all that follows it by 4 bytes: X, and M[0]."""
    v4, v6 = ([network for network in networks if network.version == version] for version in (4, 6))
    yield Instruction(LOAD_X_CONSTANT, 0)
    yield Instruction(LOAD_HALF, 12)
    yield from if_equal(ETHERTYPES_VLAN[0], "tagged")
    yield from if_equal(ETHERTYPES_VLAN[1], "tagged")
    yield Goto("ethertype")
    yield Label("tagged")
    yield Instruction(LOAD_X_CONSTANT, 4)
    yield Instruction(LOAD_HALF, 16)
    yield Label("ethertype")
    yield Instruction(STORE_X, _SHIFT)
    yield from if_equal(ETHERTYPE_IPV4, "IPv4")
    yield from if_equal(ETHERTYPE_IPV6, "IPv6")
    yield from drop()

    yield Label("IPv4")
    yield from _ipv4_header()
    yield from _either_side("IPv4", _IPV4_ADDRESSES_AT, v4, ports, any_address=not networks)
    yield Label("IPv6")
    yield from _ipv6_header()
    yield from _either_side("IPv6", _IPV6_ADDRESSES_AT, v6, ports, any_address=not networks)

    yield Label("ours")
    yield from _inside_a_relay()
    yield from _by_first_octet()


def _inside_a_relay() -> Iterator[Step]:
    """With X before the UDP header: step over the header of a TURN channel or indication, if there is one."""
    yield Instruction(LOAD_HALF_AT_X, _PAYLOAD_AT)
    yield from if_equal(turn.SEND, "indication")
    yield from if_equal(turn.DATA_COMES, "indication")
    yield Instruction(LOAD_BYTE_AT_X, _PAYLOAD_AT)
    yield Instruction(JUMP_IF_NOT_LESS, turn.CHANNEL_OCTETS.start, 0, 1)
    yield Instruction(JUMP_IF_NOT_LESS, turn.CHANNEL_OCTETS.stop, 0, 1)
    yield Goto("inside")
    yield from _inside_a_channel()
    yield Goto("inside")
    yield Label("indication")
    yield from _inside_an_indication()
    yield Label("inside")


def _inside_a_channel() -> Iterator[Step]:
    """The channel's length must fit the datagram."""
    yield Instruction(LOAD_HALF_AT_X, _PAYLOAD_AT + 2)
    yield Instruction(STORE_A, _INSIDE)
    yield Instruction(LOAD_HALF_AT_X, _ETHERNET_LEN + 4)
    yield Instruction(SUBTRACT, _UDP_LEN + turn.CHANNEL_HEADER_LEN)
    yield Instruction(LOAD_X_MEMORY, _INSIDE)
    yield Instruction(SUBTRACT_X)
    yield Instruction(JUMP_IF_GREATER, turn.CHANNEL_PADDING_MAX, 0, 1)  # unsigned: too short is very long
    yield from drop()
    yield Instruction(LOAD_X_MEMORY, _BEFORE_UDP)
    yield from _step_over(turn.CHANNEL_HEADER_LEN)


def _inside_an_indication() -> Iterator[Step]:
    """Attribute by attribute up to DATA; X is what is before the UDP header, and the attributes passed."""
    yield Instruction(LOAD_WORD_AT_X, _PAYLOAD_AT + 4)
    yield from drop_unless_equal(MAGIC_COOKIE)
    for _ in range(turn.SKIPPED_MAX):
        yield Instruction(LOAD_HALF_AT_X, _PAYLOAD_AT + STUN_LEN)
        yield from if_equal(turn.DATA, "data")
        yield Instruction(LOAD_HALF_AT_X, _PAYLOAD_AT + STUN_LEN + 2)
        yield Instruction(JUMP_IF_GREATER, turn.SKIPPED_LEN_MAX, 0, 1)
        yield from drop()
        yield Instruction(ADD, turn.ATTRIBUTE_HEADER_LEN + 3)
        yield Instruction(AND, _ALL_BITS - 3)  # padded to four bytes
        yield Instruction(ADD_X)
        yield Instruction(COPY_A_TO_X)
    yield Instruction(LOAD_HALF_AT_X, _PAYLOAD_AT + STUN_LEN)
    yield from drop_unless_equal(turn.DATA)
    yield Label("data")
    yield from _step_over(STUN_LEN + turn.ATTRIBUTE_HEADER_LEN)


def _step_over(length: int) -> Iterator[Step]:
    yield Instruction(COPY_X_TO_A)
    yield Instruction(ADD, length)
    yield Instruction(COPY_A_TO_X)
    yield Instruction(LOAD_BYTE_AT_X, _PAYLOAD_AT)


def _by_first_octet() -> Iterator[Step]:
    """RFC 7983, from the top; A is the first octet, X what is before the UDP header (and a relay's)."""
    for first, then in ((192, "drop"), (128, "RTP"), (64, "drop"), (20, "DTLS"), (16, "ZRTP"), (4, "drop")):
        yield Instruction(JUMP_IF_NOT_LESS, first, 0, 1)
        yield Goto(then)
    yield from _keep_with_cookie(MAGIC_COOKIE, STUN_LEN)
    yield Label("ZRTP")
    yield from _keep_with_cookie(ZRTP_COOKIE, ZRTP_HEADER_LEN)
    yield Label("DTLS")
    yield from _keep(DTLS_HEADER_LEN)
    yield Label("RTP")
    yield Instruction(LOAD_BYTE_AT_X, _PAYLOAD_AT + 1)
    yield Instruction(JUMP_IF_NOT_LESS, RTCP_TYPES.start, 0, 1)
    yield Instruction(JUMP_IF_NOT_LESS, RTCP_TYPES.stop, 0, 1)
    yield Goto("headers")
    yield Instruction(LOAD_HALF_AT_X, _PAYLOAD_AT + 2)  # words of the first report after its first
    yield Instruction(JUMP_IF_GREATER, FIRST_REPORT_MAX // 4 - 1, 0, 1)
    yield Goto("headers")
    yield Instruction(SHIFT_LEFT, 2)
    yield Instruction(ADD_X)
    yield Instruction(ADD, _PAYLOAD_AT + 4 + SECOND_HEADER_LEN)
    yield Instruction(RETURN_A)
    yield Label("headers")
    yield from _keep(HEADER_LEN)
    yield Label("drop")
    yield from drop()


def _keep_with_cookie(cookie: int, length: int) -> Iterator[Step]:
    yield Instruction(LOAD_WORD_AT_X, _PAYLOAD_AT + 4)
    yield from drop_unless_equal(cookie)
    yield from _keep(length)


def _keep(length: int) -> Iterator[Step]:
    yield Instruction(COPY_X_TO_A)
    yield Instruction(ADD, _PAYLOAD_AT + length)
    yield Instruction(RETURN_A)


def _ipv4_header() -> Iterator[Step]:
    yield Instruction(LOAD_BYTE_AT_X, 23)
    yield from drop_unless_equal(PROTOCOL_UDP)
    yield Instruction(LOAD_HALF_AT_X, 20)
    yield Instruction(JUMP_IF_ANY_BIT, 0x1FFF, 0, 1)  # a later fragment: what looks like ports is payload
    yield from drop()
    yield Instruction(LOAD_BYTE_AT_X, _ETHERNET_LEN)
    yield Instruction(AND, 0x0F)
    yield Instruction(SHIFT_LEFT, 2)
    yield Instruction(ADD_X)
    yield Instruction(STORE_A, _BEFORE_UDP)


def _ipv6_header() -> Iterator[Step]:
    yield Instruction(LOAD_BYTE_AT_X, 20)
    yield from drop_unless_equal(PROTOCOL_UDP)
    yield Instruction(COPY_X_TO_A)
    yield Instruction(ADD, 40)
    yield Instruction(STORE_A, _BEFORE_UDP)


def _either_side(
    name: str,
    addresses_at: tuple[int, int],
    networks: Sequence[Network],
    ports: Sequence[PortRange],
    *,
    any_address: bool,
) -> Iterator[Step]:
    """Keep the packet if its source, or else its destination, has an address and a port of the platform."""
    for side, address_at in enumerate(addresses_at):
        if not any_address:
            yield Instruction(LOAD_X_MEMORY, _SHIFT)
            yield from _address_match(f"{name} {side}", address_at, networks)
        yield Instruction(LOAD_X_MEMORY, _BEFORE_UDP)
        yield Instruction(LOAD_HALF_AT_X, _ETHERNET_LEN + 2 * side)
        yield from _if_port(ports, "ours") if ports else (Goto("ours"),)
        yield Label(f"{name} {side} differs")
    yield from drop()


def _address_match(name: str, at: int, networks: Sequence[Network]) -> Iterator[Step]:
    """Fall through if the address at `at` is in one of `networks`, else go to "<name> differs"."""
    for index, network in enumerate(networks):
        yield from _if_in_network(network, at, f"{name} not {index}", f"{name} matches")
        yield Label(f"{name} not {index}")
    yield Goto(f"{name} differs")
    yield Label(f"{name} matches")


def _if_in_network(network: Network, at: int, otherwise: str, then: str) -> Iterator[Step]:
    wanted, mask = network.network_address.packed, network.netmask.packed
    for word in range(0, len(wanted), 4):
        (value,), (bits,) = struct.unpack_from("!I", wanted, word), struct.unpack_from("!I", mask, word)
        if bits == 0:
            break
        yield Instruction(LOAD_WORD_AT_X, at + word)
        if bits != _ALL_BITS:
            yield Instruction(AND, bits)
        yield Instruction(JUMP_IF_EQUAL, value, 1, 0)
        yield Goto(otherwise)
    yield Goto(then)


def _if_port(ports: Sequence[PortRange], then: str) -> Iterator[Step]:
    for port in ports:
        yield Instruction(JUMP_IF_NOT_LESS, port.first, 0, 2)
        yield Instruction(JUMP_IF_GREATER, port.last, 1, 0)
        yield Goto(then)
