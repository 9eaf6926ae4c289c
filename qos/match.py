"""From rules to u32 keys. Pure.

A key compares one 32-bit word of the packet, counted from the network header. Ports are only read where they are sure
to be: IPv4 without options and not in a later fragment, IPv6 without extension headers. What cannot be read falls
through to DSCP and then to p4. Frames with one VLAN tag are treated like plain ones; inside two tags, PPPoE or a
tunnel nothing is looked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from qos.settings import Direction, PortRange, PortRule, QosSettings

CONTROL_CLASS = "p2"
"""Neighbour discovery, ARP and other non-IP: without them nothing else flows, but p1 stays the session's own."""
_PROTOCOL_NUMBERS = {"tcp": 6, "udp": 17}
_ICMPV6 = 58
_ND_TYPES = (133, 137)  # router and neighbour solicitation and advertisement, redirect (RFC 4861)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The word at `offset` bytes, masked, equals `value`."""

    offset: int
    value: int
    mask: int


@dataclass(frozen=True, slots=True)
class Rule:
    """All keys hold → the packet belongs to the class."""

    class_name: str
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a version of IP keeps what we look at."""

    version: Key
    dscp_shift: int
    protocol_word: int
    protocol_shift: int
    source: int
    destination: int
    ports: int
    readable: tuple[Key, ...]
    """What must hold before ports may be read."""


_V4 = _Layout(
    version=Key(0, 0x40000000, 0xF0000000),
    dscp_shift=18,
    protocol_word=8,
    protocol_shift=16,
    source=12,
    destination=16,
    ports=20,
    readable=(Key(0, 0x05000000, 0x0F000000), Key(4, 0, 0x1FFF)),  # header of 20 bytes; first fragment
)
_V6 = _Layout(
    version=Key(0, 0x60000000, 0xF0000000),
    dscp_shift=22,
    protocol_word=4,
    protocol_shift=8,
    source=8,
    destination=24,
    ports=40,
    readable=(),
)


def rules(settings: QosSettings, direction: Direction) -> dict[int, tuple[Rule, ...]]:
    """IP version → its rules in the order they are tried. The last one catches all of that version for p4."""
    return {4: tuple(_rules(settings, direction, _V4)), 6: tuple(_rules(settings, direction, _V6))}


def blocks(first: int, last: int, bits: int = 16) -> Iterator[tuple[int, int]]:
    """The fewest (value, mask) pairs that cover first…last, both included: aligned power-of-two blocks."""
    full = (1 << bits) - 1
    while first <= last:
        size = first & -first or 1 << bits
        while first + size - 1 > last:
            size >>= 1
        yield first, full & ~(size - 1)
        first += size


def _rules(settings: QosSettings, direction: Direction, layout: _Layout) -> Iterator[Rule]:
    for name, each in settings.classes():
        for rule in each.ports:
            yield from (Rule(name, keys) for keys in _port_keys(rule, direction, layout))
    if layout is _V6:
        for value, mask in blocks(*_ND_TYPES, bits=8):
            yield Rule(
                CONTROL_CLASS, _join(layout.version, _protocol(layout, _ICMPV6), Key(40, value << 24, mask << 24))
            )
    for name, each in settings.classes():
        for point in each.dscp:
            key = Key(0, point << layout.dscp_shift, 63 << layout.dscp_shift)
            yield Rule(name, _join(layout.version, key))
    yield Rule("p4", (layout.version,))


def _port_keys(rule: PortRule, direction: Direction, layout: _Layout) -> Iterator[tuple[Key, ...]]:
    # Leaving upwards the far side is the destination; towards the room it is the source.
    at_destination = (rule.toward == "platform") == (direction == "up")
    keys = [layout.version]
    if rule.host is not None:
        if rule.host.version != layout.version.value >> 28:
            return
        keys += _host_keys(rule.host, layout.destination if at_destination else layout.source)
    if rule.protocol is not None:
        keys.append(_protocol(layout, _PROTOCOL_NUMBERS[rule.protocol]))
    if rule.port is None:
        yield _join(*keys)
        return
    for key in _range_keys(rule.port, layout.ports, 0 if at_destination else 16):
        yield _join(*keys, *layout.readable, key)


def _host_keys(network: IPv4Network | IPv6Network, offset: int) -> Iterator[Key]:
    words = network.max_prefixlen // 32
    for n in range(words):
        shift = 32 * (words - 1 - n)
        mask = int(network.netmask) >> shift & 0xFFFFFFFF
        if mask:
            yield Key(offset + 4 * n, int(network.network_address) >> shift & mask, mask)


def _range_keys(ports: PortRange, offset: int, shift: int) -> Iterator[Key]:
    return (Key(offset, value << shift, mask << shift) for value, mask in blocks(ports.first, ports.last))


def _protocol(layout: _Layout, number: int) -> Key:
    return Key(layout.protocol_word, number << layout.protocol_shift, 0xFF << layout.protocol_shift)


def _join(*keys: Key) -> tuple[Key, ...]:
    """Keys on the same word become one, in order of offset."""
    words: dict[int, tuple[int, int]] = {}
    for key in keys:
        value, mask = words.get(key.offset, (0, 0))
        words[key.offset] = (value | key.value, mask | key.mask)
    return tuple(Key(offset, *words[offset]) for offset in sorted(words))
