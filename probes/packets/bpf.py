"""Classic BPF, written for one end: media of the platform passes, its headers only; all else is dropped unseen.

The program runs in the kernel for every packet of the interface, so other traffic (a PACS upload, QUIC) costs edged
nothing. What it returns is how many bytes are kept: from Ethernet to the last byte of the header of RTP (12 bytes),
STUN (20), DTLS (13) or ZRTP (24), inside a TURN channel where there is one, so that no byte of anybody's media reaches
this process. Of RTCP, which is reports and no media, it keeps the first report and the header of the second. Tests are
chained as "if … goto", each with a long jump of its own, since the 8-bit jumps of the format would grow too short.
Source: Linux Documentation/networking/filter.rst.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from probes.errors import MisuseError
from probes.packets.demux import CHANNEL_HEADER_LEN, CHANNEL_PADDING_MAX, RTCP_TYPES
from probes.packets.frame import ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPES_VLAN, PROTOCOL_UDP
from probes.packets.ice import HEADER_LEN as STUN_LEN
from probes.packets.ice import MAGIC_COOKIE
from probes.packets.keying import DTLS_HEADER_LEN, ZRTP_COOKIE, ZRTP_HEADER_LEN
from probes.packets.rtcp import FIRST_REPORT_MAX, SECOND_HEADER_LEN
from probes.packets.rtp import HEADER_LEN

Network = IPv4Network | IPv6Network

_MAX_INSTRUCTIONS = 4096  # BPF_MAXINSNS
_ETHERNET_LEN, _UDP_LEN = 14, 8
_ALL_BITS = 0xFFFFFFFF
_IPV4_ADDRESSES_AT, _IPV6_ADDRESSES_AT = (26, 30), (22, 38)  # source and destination, in a frame without a tag
_SHIFT, _BEFORE_UDP, _INSIDE = 0, 1, 2  # scratch memory: bytes of VLAN tag, of tag and IP header; of a channel's data
_PAYLOAD_AT = _ETHERNET_LEN + _UDP_LEN  # behind X

# Opcodes: class | size | mode, or class | operation | source.
_LOAD_HALF, _LOAD_WORD_AT_X, _LOAD_HALF_AT_X, _LOAD_BYTE_AT_X = 0x28, 0x40, 0x48, 0x50
_LOAD_X_CONSTANT, _LOAD_X_MEMORY, _STORE_A, _STORE_X = 0x01, 0x61, 0x02, 0x03
_ADD, _ADD_X, _SUBTRACT, _SUBTRACT_X, _AND, _SHIFT_LEFT = 0x04, 0x0C, 0x14, 0x1C, 0x54, 0x64
_JUMP, _JUMP_IF_EQUAL, _JUMP_IF_GREATER, _JUMP_IF_NOT_LESS, _JUMP_IF_ANY_BIT = 0x05, 0x15, 0x25, 0x35, 0x45
_RETURN_CONSTANT, _RETURN_A = 0x06, 0x16
_COPY_A_TO_X, _COPY_X_TO_A = 0x07, 0x87


@dataclass(frozen=True, slots=True)
class PortRange:
    """UDP ports `first` to `last`, both included."""

    first: int
    last: int

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last


@dataclass(frozen=True, slots=True)
class Instruction:
    """One `struct sock_filter`."""

    code: int
    k: int = 0
    if_true: int = 0
    if_false: int = 0


@dataclass(frozen=True, slots=True)
class _Label:
    name: str


@dataclass(frozen=True, slots=True)
class _Goto:
    label: str


_Step = Instruction | _Label | _Goto


def media_filter(networks: Sequence[Network], ports: Sequence[PortRange]) -> tuple[Instruction, ...]:
    """The program that keeps the headers of media from or to one of `ports` (none: any) at one of `networks` (none: at
    any address).

    Raises MisuseError without either, or when it grows beyond the kernel's 4096 instructions.
    """
    if not ports and not networks:
        raise MisuseError("a media filter needs networks, or at least one port of the platform")
    return _link(_media_steps(networks, ports))


def encode(program: Iterable[Instruction]) -> bytes:
    """The program as an array of `struct sock_filter`, in the byte order of this machine."""
    return b"".join(struct.pack("=HBBI", step.code, step.if_true, step.if_false, step.k) for step in program)


def _media_steps(networks: Sequence[Network], ports: Sequence[PortRange]) -> Iterator[_Step]:
    """One program for frames with and without a VLAN tag, which shifts all that follows it by 4 bytes: X, and M[0]."""
    v4, v6 = ([network for network in networks if network.version == version] for version in (4, 6))
    yield Instruction(_LOAD_X_CONSTANT, 0)
    yield Instruction(_LOAD_HALF, 12)
    yield from _if_equal(ETHERTYPES_VLAN[0], "tagged")
    yield from _if_equal(ETHERTYPES_VLAN[1], "tagged")
    yield _Goto("ethertype")
    yield _Label("tagged")
    yield Instruction(_LOAD_X_CONSTANT, 4)
    yield Instruction(_LOAD_HALF, 16)
    yield _Label("ethertype")
    yield Instruction(_STORE_X, _SHIFT)
    yield from _if_equal(ETHERTYPE_IPV4, "IPv4")
    yield from _if_equal(ETHERTYPE_IPV6, "IPv6")
    yield from _drop()

    yield _Label("IPv4")
    yield from _ipv4_header()
    yield from _either_side("IPv4", _IPV4_ADDRESSES_AT, v4, ports, any_address=not networks)
    yield _Label("IPv6")
    yield from _ipv6_header()
    yield from _either_side("IPv6", _IPV6_ADDRESSES_AT, v6, ports, any_address=not networks)

    yield _Label("ours")
    yield from _inside_a_channel()
    yield from _by_first_octet()


def _inside_a_channel() -> Iterator[_Step]:
    """With X before the UDP header: step over a TURN channel's header, which must fit the datagram."""
    yield Instruction(_LOAD_BYTE_AT_X, _PAYLOAD_AT)
    yield Instruction(_JUMP_IF_NOT_LESS, 64, 0, 1)
    yield Instruction(_JUMP_IF_GREATER, 79, 0, 1)
    yield _Goto("direct")
    yield Instruction(_LOAD_HALF_AT_X, _PAYLOAD_AT + 2)
    yield Instruction(_STORE_A, _INSIDE)
    yield Instruction(_LOAD_HALF_AT_X, _ETHERNET_LEN + 4)
    yield Instruction(_SUBTRACT, _UDP_LEN + CHANNEL_HEADER_LEN)
    yield Instruction(_LOAD_X_MEMORY, _INSIDE)
    yield Instruction(_SUBTRACT_X)
    yield Instruction(_JUMP_IF_GREATER, CHANNEL_PADDING_MAX, 0, 1)  # unsigned: too short is very long
    yield from _drop()
    yield Instruction(_LOAD_X_MEMORY, _BEFORE_UDP)
    yield Instruction(_COPY_X_TO_A)
    yield Instruction(_ADD, CHANNEL_HEADER_LEN)
    yield Instruction(_COPY_A_TO_X)
    yield Instruction(_LOAD_BYTE_AT_X, _PAYLOAD_AT)
    yield _Label("direct")


def _by_first_octet() -> Iterator[_Step]:
    """RFC 7983, from the top; A is the first octet, X what is before the UDP header (and a channel's)."""
    for first, then in ((192, "drop"), (128, "RTP"), (64, "drop"), (20, "DTLS"), (16, "ZRTP"), (4, "drop")):
        yield Instruction(_JUMP_IF_NOT_LESS, first, 0, 1)
        yield _Goto(then)
    yield from _keep_with_cookie(MAGIC_COOKIE, STUN_LEN)
    yield _Label("ZRTP")
    yield from _keep_with_cookie(ZRTP_COOKIE, ZRTP_HEADER_LEN)
    yield _Label("DTLS")
    yield from _keep(DTLS_HEADER_LEN)
    yield _Label("RTP")
    yield Instruction(_LOAD_BYTE_AT_X, _PAYLOAD_AT + 1)
    yield Instruction(_JUMP_IF_NOT_LESS, RTCP_TYPES.start, 0, 1)
    yield Instruction(_JUMP_IF_NOT_LESS, RTCP_TYPES.stop, 0, 1)
    yield _Goto("headers")
    yield Instruction(_LOAD_HALF_AT_X, _PAYLOAD_AT + 2)  # words of the first report after its first
    yield Instruction(_JUMP_IF_GREATER, FIRST_REPORT_MAX // 4 - 1, 0, 1)
    yield _Goto("headers")
    yield Instruction(_SHIFT_LEFT, 2)
    yield Instruction(_ADD_X)
    yield Instruction(_ADD, _PAYLOAD_AT + 4 + SECOND_HEADER_LEN)
    yield Instruction(_RETURN_A)
    yield _Label("headers")
    yield from _keep(HEADER_LEN)
    yield _Label("drop")
    yield from _drop()


def _keep_with_cookie(cookie: int, length: int) -> Iterator[_Step]:
    yield Instruction(_LOAD_WORD_AT_X, _PAYLOAD_AT + 4)
    yield from _drop_unless_equal(cookie)
    yield from _keep(length)


def _keep(length: int) -> Iterator[_Step]:
    yield Instruction(_COPY_X_TO_A)
    yield Instruction(_ADD, _PAYLOAD_AT + length)
    yield Instruction(_RETURN_A)


def _ipv4_header() -> Iterator[_Step]:
    yield Instruction(_LOAD_BYTE_AT_X, 23)
    yield from _drop_unless_equal(PROTOCOL_UDP)
    yield Instruction(_LOAD_HALF_AT_X, 20)
    yield Instruction(_JUMP_IF_ANY_BIT, 0x1FFF, 0, 1)  # a later fragment: what looks like ports is payload
    yield from _drop()
    yield Instruction(_LOAD_BYTE_AT_X, _ETHERNET_LEN)
    yield Instruction(_AND, 0x0F)
    yield Instruction(_SHIFT_LEFT, 2)
    yield Instruction(_ADD_X)
    yield Instruction(_STORE_A, _BEFORE_UDP)


def _ipv6_header() -> Iterator[_Step]:
    yield Instruction(_LOAD_BYTE_AT_X, 20)
    yield from _drop_unless_equal(PROTOCOL_UDP)
    yield Instruction(_COPY_X_TO_A)
    yield Instruction(_ADD, 40)
    yield Instruction(_STORE_A, _BEFORE_UDP)


def _either_side(
    name: str,
    addresses_at: tuple[int, int],
    networks: Sequence[Network],
    ports: Sequence[PortRange],
    *,
    any_address: bool,
) -> Iterator[_Step]:
    """Keep the packet if its source, or else its destination, has an address and a port of the platform."""
    for side, address_at in enumerate(addresses_at):
        if not any_address:
            yield Instruction(_LOAD_X_MEMORY, _SHIFT)
            yield from _address_match(f"{name} {side}", address_at, networks)
        yield Instruction(_LOAD_X_MEMORY, _BEFORE_UDP)
        yield Instruction(_LOAD_HALF_AT_X, _ETHERNET_LEN + 2 * side)
        yield from _if_port(ports, "ours") if ports else (_Goto("ours"),)
        yield _Label(f"{name} {side} differs")
    yield from _drop()


def _address_match(name: str, at: int, networks: Sequence[Network]) -> Iterator[_Step]:
    """Fall through if the address at `at` is in one of `networks`, else go to "<name> differs"."""
    for index, network in enumerate(networks):
        yield from _if_in_network(network, at, f"{name} not {index}", f"{name} matches")
        yield _Label(f"{name} not {index}")
    yield _Goto(f"{name} differs")
    yield _Label(f"{name} matches")


def _if_in_network(network: Network, at: int, otherwise: str, then: str) -> Iterator[_Step]:
    wanted, mask = network.network_address.packed, network.netmask.packed
    for word in range(0, len(wanted), 4):
        (value,), (bits,) = struct.unpack_from("!I", wanted, word), struct.unpack_from("!I", mask, word)
        if bits == 0:
            break
        yield Instruction(_LOAD_WORD_AT_X, at + word)
        if bits != _ALL_BITS:
            yield Instruction(_AND, bits)
        yield Instruction(_JUMP_IF_EQUAL, value, 1, 0)
        yield _Goto(otherwise)
    yield _Goto(then)


def _if_port(ports: Sequence[PortRange], then: str) -> Iterator[_Step]:
    for port in ports:
        yield Instruction(_JUMP_IF_NOT_LESS, port.first, 0, 2)
        yield Instruction(_JUMP_IF_GREATER, port.last, 1, 0)
        yield _Goto(then)


def _if_equal(value: int, then: str) -> Iterator[_Step]:
    yield Instruction(_JUMP_IF_EQUAL, value, 0, 1)
    yield _Goto(then)


def _drop_unless_equal(value: int) -> Iterator[_Step]:
    yield Instruction(_JUMP_IF_EQUAL, value, 1, 0)
    yield from _drop()


def _drop() -> Iterator[_Step]:
    yield Instruction(_RETURN_CONSTANT, 0)


def _link(steps: Iterable[_Step]) -> tuple[Instruction, ...]:
    """Replace each goto by a jump over the instructions between it and its label. All jumps go forward."""
    placed: list[Instruction | _Goto] = []
    labels: dict[str, int] = {}
    for step in steps:
        if isinstance(step, _Label):
            labels[step.name] = len(placed)
        else:
            placed.append(step)
    if len(placed) > _MAX_INSTRUCTIONS:
        raise MisuseError(f"the media filter needs {len(placed)} instructions, the kernel takes {_MAX_INSTRUCTIONS}")
    return tuple(
        Instruction(_JUMP, labels[step.label] - at - 1) if isinstance(step, _Goto) else step
        for at, step in enumerate(placed)
    )
