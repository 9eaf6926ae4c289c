"""The real program on a real way of four hops, through its launcher: IPv4 and IPv6 at once."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_address

import pytest

from probes.line_reading import DiesAt, PathReading
from probes.path import PathRequest, diagnose, usual_way
from probes.path_document import MOST_PACKETS, Document, Kind, MtuFinding, MtuKind, Why
from probes.path_words import sentence
from probes.prober import Pin
from probes.stamp_reflector import Reflector
from tests.probes.diagnosis.chain import (
    CORE,
    CORE6,
    EDGE,
    EDGE6,
    FAR,
    FAR6,
    ISP,
    ISP6,
    OTHER_EDGE,
    ROUTER,
    ROUTER6,
    Chain,
    chain,
)

HOPS, HOPS6 = (ROUTER, ISP, CORE, FAR), (ROUTER6, ISP6, CORE6, FAR6)


@pytest.fixture
def way() -> Iterator[Chain]:
    with chain() as made:
        yield made


def request(source: str, target: str, *, usual: tuple[str, ...] = (), want_mtu: int = 1500) -> PathRequest:
    return PathRequest(
        link=f"fiber of {source}",
        pin=Pin(ip_address(source)),
        target=ip_address(target),
        usual=usual,
        want_mtu=want_mtu,
    )


async def both(way: Chain, *, reflectors: bool = True) -> tuple[Document, Document]:
    """Of IPv4 and IPv6, at once."""
    with way.inside("far"):
        running = [Reflector(host, 862) for host in (FAR, FAR6)] if reflectors else []
    try:
        v4, v6 = await asyncio.gather(diagnose(request(EDGE, FAR)), diagnose(request(EDGE6, FAR6)))
    finally:
        for reflector in running:
            reflector.close()
    return read(v4), read(v6)


def read(reading: PathReading) -> Document:
    assert reading.trouble is None
    assert json.loads(json.dumps(reading.document)) == reading.document
    document = Document.model_validate(reading.document)
    assert document.packets <= MOST_PACKETS
    assert document.complete
    return document


def addresses(document: Document) -> tuple[str | None, ...]:
    return tuple(hop.address for hop in document.hops)


# ── a path that lives ──────────────────────────────────────────────────────────────────────────────────
async def test_a_healthy_path_hop_by_hop(way: Chain) -> None:
    for document, hops in zip(await both(way), (HOPS, HOPS6), strict=True):
        assert (document.dies_at, document.why) == (DiesAt.NOWHERE, Why.TARGET_ANSWERS)
        assert addresses(document) == hops
        assert [hop.kind for hop in document.hops] == [Kind.TIME_EXCEEDED] * 3 + [Kind.STAMP_REPLY]
        assert all(hop.udp and hop.icmp and hop.dscp_seen == 46 for hop in document.hops)
        assert [hop.ttl_quoted for hop in document.hops] == [1, 1, 1, None]
        assert set(document.target.answers) == {Kind.STAMP_REPLY, Kind.ECHO_REPLY}
        assert document.target.hops == 4
        assert document.gateway is not None
        assert (document.gateway.address, document.gateway.answers) == (hops[0], True)
        assert document.dscp is not None
        assert (document.dscp.changed_at, document.dscp.seen_to, document.dscp.came_back) == (None, 4, 46)
        assert document.mtu == MtuFinding(kind=MtuKind.CLEAR, bytes=1500, wanted=1500, exact=True)
        assert document.packets < MOST_PACKETS / 2


async def test_a_bleached_code_point_is_told_with_its_hop_and_bits(way: Chain) -> None:
    way.bleach_to = 10
    for document, hops in zip(await both(way), (HOPS, HOPS6), strict=True):
        found = document.dscp
        assert found is not None
        assert (found.intact_to, found.changed_at, found.changed_ttl) == (hops[1], hops[2], 3)
        assert (found.sent, found.became, found.bits_lost, found.bits_gained) == (46, 10, 36, 0)
        assert document.hops[3].dscp_seen == 10, "as the far end itself tells"


async def test_a_black_hole_is_found_to_the_byte_with_the_hop_before_it(way: Chain) -> None:
    way.largest_bytes = 1397
    for document, hops in zip(await both(way), (HOPS, HOPS6), strict=True):
        assert document.mtu == MtuFinding(
            kind=MtuKind.BLACK_HOLE, bytes=1397, wanted=1500, exact=True, passes_to=hops[1]
        )


async def test_a_small_mtu_that_is_told_is_none(way: Chain) -> None:
    way.ip("isp", "link set net mtu 1300")
    for document, hops in zip(await both(way), (HOPS, HOPS6), strict=True):
        assert document.mtu == MtuFinding(
            kind=MtuKind.TOLD, bytes=1300, wanted=1500, exact=True, told_by=hops[1], told_bytes=1300
        )


async def test_our_own_interface_tells_too(way: Chain) -> None:
    way.ip("edge", "link set lan mtu 1400")
    for document in await both(way):
        assert document.mtu == MtuFinding(kind=MtuKind.TOLD, bytes=1400, wanted=1500, exact=True, told_bytes=1400)


async def test_what_carries_only_icmp_is_walked_all_the_same(way: Chain) -> None:
    way.no_udp = True
    for document, hops in zip(await both(way), (HOPS, HOPS6), strict=True):
        assert addresses(document) == hops
        assert [(hop.udp, hop.icmp) for hop in document.hops] == [(True, True)] * 2 + [(False, True)] * 2
        assert document.target.answers == (Kind.ECHO_REPLY,)
        assert document.mtu is not None
        assert document.mtu.bytes == 1500


async def test_a_closed_port_is_an_answer_of_the_far_end(way: Chain) -> None:
    for document in await both(way, reflectors=False):
        assert document.dies_at is DiesAt.NOWHERE
        assert document.hops[-1].kind is Kind.PORT_UNREACHABLE
        assert document.hops[-1].ttl_quoted == 1


# ── a path that does not ───────────────────────────────────────────────────────────────────────────────
async def deaths(*requests: PathRequest) -> list[tuple[DiesAt, Why, tuple[str | None, ...]]]:
    """Where each dies, why, and who answered."""
    documents = [read(reading) for reading in await asyncio.gather(*map(diagnose, requests))]
    assert all(document.mtu is None for document in documents), "not found out"
    return [(document.dies_at, document.why, addresses(document)) for document in documents]


async def test_a_cut_in_the_provider_s_network(way: Chain) -> None:
    way.cut = True
    usual = request(EDGE, FAR, usual=HOPS[:-1])
    hurried = diagnose(request(OTHER_EDGE, FAR), timeout_s=6.0)
    found, short = await asyncio.gather(deaths(usual, request(EDGE6, FAR6)), hurried)
    assert found == [
        (DiesAt.PROVIDER, Why.LOST_ON_THE_WAY, (ROUTER, ISP, None)),
        (DiesAt.PROVIDER, Why.LOST_ON_THE_WAY, (ROUTER6, ISP6, None)),
    ]
    assert (short.dies_at, short.document["complete"]) == (DiesAt.PROVIDER, False), "what was found in one second"


async def test_a_dead_far_end_is_told_from_a_dead_provider_by_the_usual_path(way: Chain) -> None:
    reading = await diagnose(request(EDGE, FAR))
    usual = usual_way(reading)
    assert usual == HOPS[:-1]
    way.ip("far", "addr flush dev ix")
    way.ip("isp", "-6 route add blackhole fd00:20::/64")
    with_it = PathRequest(link="with it", pin=Pin(ip_address(EDGE)), target=ip_address(FAR), usual=usual)
    assert await deaths(with_it, request(OTHER_EDGE, FAR), request(EDGE6, FAR6)) == [
        (DiesAt.FAR_END, Why.USUAL_PATH_ANSWERS, (ROUTER, ISP, CORE, None)),
        (DiesAt.PROVIDER, Why.LOST_ON_THE_WAY, (ROUTER, ISP, CORE, None)),
        (DiesAt.ROUTER, Why.NOTHING_BEHIND_ROUTER, (ROUTER6, None)),
    ]


async def test_a_router_without_a_way_says_so_at_once(way: Chain) -> None:
    way.ip("router", "route del default", "-6 route del default")
    assert await deaths(request(EDGE, FAR), request(EDGE6, FAR6)) == [
        (DiesAt.ROUTER, Why.ROUTER_REFUSES, (ROUTER,)),
        (DiesAt.ROUTER, Why.ROUTER_REFUSES, (ROUTER6,)),
    ]


async def test_a_dead_router_and_one_that_is_merely_silent(way: Chain) -> None:
    """It is there for IPv4 and answers ARP; its IPv6 address is gone."""
    way.ip("router", "route add blackhole 198.51.100.0/24", "-6 addr flush dev lan")
    assert await deaths(request(EDGE, FAR), request(EDGE6, FAR6)) == [
        (DiesAt.ROUTER, Why.NEIGHBOUR_ALONE, (None,)),
        (DiesAt.LAN, Why.NEIGHBOUR_SILENT, (None,)),
    ]


async def test_each_link_s_own_way_is_walked_where_the_router_goes_by_source(way: Chain) -> None:
    way.ip("router", f"rule add from {OTHER_EDGE} unreachable")
    alive, dead = await asyncio.gather(diagnose(request(EDGE, FAR)), diagnose(request(OTHER_EDGE, FAR)))
    assert alive.dies_at is DiesAt.NOWHERE
    assert (dead.dies_at, dead.document["source"]) == (DiesAt.ROUTER, OTHER_EDGE)


REFUSED = (
    (Pin(ip_address("10.99.0.1")), FAR, "no_source"),
    (Pin(ip_address("fd00:99::1")), FAR6, "no_source"),
    (Pin(interface="gone0"), FAR, "interface_down"),
    (Pin(), FAR, "no_route"),
)


async def test_what_the_box_will_not_send_dies_at_home(way: Chain) -> None:
    way.ip("edge", "route del default")
    readings = await asyncio.gather(
        *(diagnose(PathRequest(link=f"{pin}", pin=pin, target=ip_address(target))) for pin, target, _ in REFUSED)
    )
    for reading, (_, _, refused) in zip(readings, REFUSED, strict=True):
        document = Document.model_validate(reading.document)
        assert (reading.dies_at, document.why, document.refused) == (DiesAt.LAN, Why.NOT_SENT, refused)
        assert " dies in our own network: " in sentence(reading)


async def test_a_target_on_our_own_network_and_a_line_without_neighbours(way: Chain) -> None:
    way.ip(
        "edge",
        "link add wwan type veth peer name modem",
        "link set modem up",
        "link set wwan up arp off",
        "addr add 10.78.0.2/32 dev wwan",
        "route add 198.51.100.40 dev wwan src 10.78.0.2",
    )
    there, gone, line = await asyncio.gather(
        diagnose(PathRequest(link="there", pin=Pin(interface="lan"), target=ip_address(ROUTER))),
        diagnose(PathRequest(link="gone", pin=Pin(interface="lan"), target=ip_address("10.77.0.99"))),
        diagnose(PathRequest(link="line", pin=Pin(interface="wwan"), target=ip_address("198.51.100.40"))),
    )
    assert (there.dies_at, there.last_hop) == (DiesAt.NOWHERE, None)
    assert (gone.dies_at, gone.document["why"]) == (DiesAt.LAN, Why.NEIGHBOUR_SILENT)
    assert (line.dies_at, line.document["why"]) == (DiesAt.PROVIDER, Why.LINE_SILENT)
    assert (line.document["source"], line.document["gateway"]) == ("10.78.0.2", None)


async def test_whatever_speaks_on_the_target_s_port_is_the_far_end(way: Chain) -> None:
    """A service that is no STAMP reflector, and a host that answers nothing else."""

    class Babble(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(b"\xff" * 60, addr)

    with way.inside("far"):
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Babble, local_addr=(FAR, 862))
    with closing(transport):
        document = read(await diagnose(request(EDGE, FAR)))
    assert document.dies_at is DiesAt.NOWHERE
    assert Kind.UDP_REPLY in document.target.answers
