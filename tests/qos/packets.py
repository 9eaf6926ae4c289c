"""Frames for the classes to sort, from Ethernet up, and a pure u32 that sorts them by keys."""

import struct
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

from qos.match import Key, Rule

ROOM, PLATFORM, PACS = "10.77.0.20", "198.51.100.30", "10.77.0.30"
ROOM6, PLATFORM6 = "2001:db8:77::20", "2001:db8:51::30"
UDP, TCP, ICMPV6 = 17, 6, 58


def ports(source: int, destination: int, payload: bytes = bytes(32)) -> bytes:
    """The start of UDP and TCP alike; UDP's length and no checksum after it."""
    return struct.pack("!HHHH", source, destination, 8 + len(payload), 0) + payload


def ipv4(
    body: bytes,
    *,
    source: str = ROOM,
    destination: str = PLATFORM,
    dscp: int = 0,
    protocol: int = UDP,
    options: bytes = b"",
    fragment: int = 0,
) -> bytes:
    """`fragment` is the offset in units of 8 bytes."""
    ihl = 5 + len(options) // 4
    head = struct.pack(
        "!BBHHHBBH4s4s",
        4 << 4 | ihl,
        dscp << 2,
        ihl * 4 + len(body),
        0,
        fragment,
        64,
        protocol,
        0,
        IPv4Address(source).packed,
        IPv4Address(destination).packed,
    )
    checksum = _checksum(head + options)
    return head[:10] + struct.pack("!H", checksum) + head[12:] + options + body


def ipv6(
    body: bytes, *, source: str = ROOM6, destination: str = PLATFORM6, dscp: int = 0, protocol: int = UDP, flow: int = 0
) -> bytes:
    head = struct.pack("!IHBB", 6 << 28 | dscp << 22 | flow, len(body), protocol, 64)
    return head + IPv6Address(source).packed + IPv6Address(destination).packed + body


def matched(packet: bytes, rules: Iterable[Rule]) -> str | None:
    """The class of the first rule all whose keys hold, as u32 does it: a word that is not there is no match."""
    return next((rule.class_name for rule in rules if all(_holds(packet, key) for key in rule.keys)), None)


def _holds(packet: bytes, key: Key) -> bool:
    word = packet[key.offset : key.offset + 4]
    return len(word) == 4 and (int.from_bytes(word, "big") ^ key.value) & key.mask == 0


def _checksum(data: bytes) -> int:
    total = sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
