"""Rules to u32 keys: which packet belongs to which class."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qos.match import blocks, rules
from qos.settings import CLASS_NAMES, Direction, QosSettings
from tests.qos.packets import ICMPV6, PACS, PLATFORM, PLATFORM6, ROOM, ROOM6, TCP, UDP, ipv4, ipv6, matched, ports

SITE = QosSettings.model_validate(
    {
        "interfaces": [{"name": "wan0", "direction": "up"}],
        "p1": {
            "ports": [
                {"protocol": "udp", "port": "5004-5006", "host": PLATFORM},
                {"protocol": "udp", "port": "5004-5006", "host": "2001:db8:51::/48"},
            ]
        },
        "p2": {"ports": [{"protocol": "tcp", "port": 443, "host": "198.51.100.0/24"}]},
        "p3": {"ports": [{"host": PACS, "toward": "room"}, {"protocol": "tcp", "port": 104, "toward": "room"}]},
        "p4": {"ports": [{"protocol": "udp", "port": 6881}]},
    }
)


@pytest.mark.parametrize(
    ("first", "last", "pairs"),
    [
        (5004, 5004, [(5004, 0xFFFF)]),
        (5004, 5006, [(5004, 0xFFFE), (5006, 0xFFFF)]),
        (16384, 32767, [(16384, 0xC000)]),
        (0, 65535, [(0, 0)]),
        (1, 6, [(1, 0xFFFF), (2, 0xFFFE), (4, 0xFFFE), (6, 0xFFFF)]),
    ],
)
def test_a_range_becomes_the_fewest_masks(first: int, last: int, pairs: list[tuple[int, int]]) -> None:
    assert list(blocks(first, last)) == pairs


@given(st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(sorted))
def test_masks_cover_the_range_without_gap_or_overlap(ends: list[int]) -> None:
    first, last = ends
    spans = [(value, value + (~mask & 0xFFFF)) for value, mask in blocks(first, last)]
    assert spans[0][0] == first
    assert spans[-1][1] == last
    assert all(here[1] + 1 == there[0] for here, there in pairwise(spans))
    assert len(spans) <= 30


UP: list[tuple[str, bytes, str]] = [
    ("EF", ipv4(ports(9, 9), dscp=46), "p1"),
    ("AF41", ipv4(ports(9, 9), dscp=34), "p1"),
    ("signalling CS5", ipv4(ports(9, 9), dscp=40), "p2"),
    ("network control CS6", ipv4(ports(9, 9), dscp=48), "p2"),
    ("AF21", ipv4(ports(9, 9), dscp=18), "p3"),
    ("no mark", ipv4(ports(9, 9)), "p4"),
    ("lower effort", ipv4(ports(9, 9), dscp=1), "p4"),
    ("media by port, unmarked", ipv4(ports(40000, 5004)), "p1"),
    ("the end of the range", ipv4(ports(40000, 5006)), "p1"),
    ("beyond the range", ipv4(ports(40000, 5007)), "p4"),
    ("media's port at another host", ipv4(ports(40000, 5004), destination="198.51.100.31"), "p4"),
    ("media's port over TCP", ipv4(ports(40000, 5004), protocol=TCP), "p4"),
    ("the wrong side's port", ipv4(ports(5004, 40000)), "p4"),
    ("session authentication", ipv4(ports(40000, 443), protocol=TCP), "p2"),
    ("the same port elsewhere", ipv4(ports(40000, 443), protocol=TCP, destination="203.0.113.1"), "p4"),
    ("images, however marked", ipv4(ports(9, 9), source=PACS, dscp=46), "p3"),
    ("DICOM served in the room", ipv4(ports(104, 40000), protocol=TCP), "p3"),
    ("demoted although marked EF", ipv4(ports(40000, 6881), dscp=46), "p4"),
    ("ports behind IP options are not read", ipv4(ports(40000, 5004), options=bytes(4)), "p4"),
    ("a mark with IP options is", ipv4(ports(9, 9), options=bytes(4), dscp=46), "p1"),
    ("a later fragment has no ports", ipv4(ports(40000, 5004), fragment=185), "p4"),
    ("the first fragment has", ipv4(ports(40000, 5004), fragment=0x2000), "p1"),
    ("IPv6 EF", ipv6(ports(9, 9), dscp=46), "p1"),
    ("IPv6 EF with a flow label", ipv6(ports(9, 9), dscp=46, flow=0xFFFFF), "p1"),
    ("IPv6 CS5", ipv6(ports(9, 9), dscp=40), "p2"),
    ("IPv6 media by port", ipv6(ports(40000, 5005)), "p1"),
    ("IPv6 media elsewhere", ipv6(ports(40000, 5005), destination="2001:db8:52::1"), "p4"),
    ("IPv6 without a host in the rule", ipv6(ports(104, 9), protocol=TCP), "p3"),
    ("IPv6 unmarked", ipv6(ports(9, 9)), "p4"),
    ("router solicitation", ipv6(bytes([133]) + bytes(15), protocol=ICMPV6), "p2"),
    ("neighbour advertisement", ipv6(bytes([136]) + bytes(15), protocol=ICMPV6), "p2"),
    ("redirect", ipv6(bytes([137]) + bytes(15), protocol=ICMPV6), "p2"),
    ("echo is not neighbour discovery", ipv6(bytes([128]) + bytes(15), protocol=ICMPV6), "p4"),
    ("one type further", ipv6(bytes([138]) + bytes(15), protocol=ICMPV6), "p4"),
]


@pytest.mark.parametrize(("packet", "name"), [row[1:] for row in UP], ids=[row[0] for row in UP])
def test_leaving_upwards(packet: bytes, name: str) -> None:
    assert matched(packet, rules(SITE, "up")[packet[0] >> 4]) == name


DOWN: list[tuple[str, bytes, str]] = [
    ("media coming back", ipv4(ports(5004, 40000), source=PLATFORM, destination=ROOM), "p1"),
    ("the room's own port 5004", ipv4(ports(40000, 5004), source=PLATFORM, destination=ROOM), "p4"),
    ("media over IPv6", ipv6(ports(5006, 40000), source=PLATFORM6, destination=ROOM6), "p1"),
    ("to the sender of images", ipv4(ports(9, 9), source=PLATFORM, destination=PACS), "p3"),
    ("to DICOM in the room", ipv4(ports(40000, 104), protocol=TCP, source=PLATFORM, destination=ROOM), "p3"),
]


@pytest.mark.parametrize(("packet", "name"), [row[1:] for row in DOWN], ids=[row[0] for row in DOWN])
def test_towards_the_room_the_platform_is_the_source(packet: bytes, name: str) -> None:
    assert matched(packet, rules(SITE, "down")[packet[0] >> 4]) == name


@given(
    st.sampled_from([4, 6]),
    st.sampled_from(["up", "down"]),
    st.tuples(st.integers(1, 65535), st.integers(1, 65535)).map(sorted),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.sampled_from([UDP, TCP]),
    st.integers(0, 63),
)
def test_any_packet_falls_where_the_rule_says(
    version: int, direction: Direction, ends: list[int], near: int, far: int, protocol: int, dscp: int
) -> None:
    site: dict[str, Any] = {
        "interfaces": [{"name": "wan0", "direction": direction}],
        "p1": {"ports": [{"protocol": "udp", "port": f"{ends[0]}-{ends[1]}"}]},
    }
    settings = QosSettings.model_validate(site)
    body = ports(near, far) if direction == "up" else ports(far, near)
    packet = (ipv4 if version == 4 else ipv6)(body, protocol=protocol, dscp=dscp)
    by_mark = next((name for name, each in settings.classes() if dscp in each.dscp), "p4")
    by_port = protocol == UDP and ends[0] <= far <= ends[1]
    assert matched(packet, rules(settings, direction)[version]) == ("p1" if by_port else by_mark)


@given(st.binary(max_size=80))
def test_garbage_belongs_to_one_class_or_to_none(packet: bytes) -> None:
    for version in (4, 6):
        assert matched(packet, rules(SITE, "up")[version]) in (*CLASS_NAMES, None)


@given(st.ip_addresses(), st.data())
def test_a_network_holds_exactly_its_addresses(address: Any, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, address.max_prefixlen))
    shift = address.max_prefixlen - length
    network = f"{type(address)(int(address) >> shift << shift)}/{length}"
    site = {"interfaces": [{"name": "wan0", "direction": "up"}], "p3": {"ports": [{"host": network}]}}
    other = data.draw(st.ip_addresses(v=address.version))
    make = ipv4 if address.version == 4 else ipv6
    tried = rules(QosSettings.model_validate(site), "up")[address.version]
    assert matched(make(ports(9, 9), destination=str(address)), tried) == "p3"
    inside = int(other) >> shift == int(address) >> shift
    assert matched(make(ports(9, 9), destination=str(other)), tried) == ("p3" if inside else "p4")
