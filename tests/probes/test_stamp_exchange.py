"""Packets of every size and mark over real routers, to the reflector edged ships and to doubles that do worse."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest

from probes.errors import MisuseError
from probes.packets import stamp
from probes.packets.stamp_tlv import CosSeen
from probes.prober import Pin
from probes.stamp_exchange import Crossing, Exchanged, StampExchange
from probes.stamp_reflector import Reflector
from tests.probes.routed_path import FAR, NOBODY, PINS, Way, routed_path

KEY = b"a key of the NOC"
Answer = Callable[[bytes], list[bytes]]


@pytest.fixture(scope="module")
def standing() -> Iterator[Way]:
    with routed_path() as way:
        yield way


@pytest.fixture
def way(standing: Way) -> Iterator[Way]:
    with standing.restored():
        yield standing


@contextmanager
def reflecting(way: Way, version: int = 4, key: bytes | None = None, pin: Pin | None = None) -> Iterator[StampExchange]:
    with way.at(way.far):
        reflector = Reflector(FAR[version], 0, key=key)
    try:
        with exchanging(version, reflector.address[1], key, pin) as exchange:
            yield exchange
    finally:
        reflector.close()


@contextmanager
def exchanging(
    version: int, port: int, key: bytes | None = None, pin: Pin | None = None, address: str | None = None
) -> Iterator[StampExchange]:
    exchange = StampExchange(ip_address(address or FAR[version]), port, pin or PINS[version], key)
    try:
        yield exchange
    finally:
        exchange.close()


both = pytest.mark.parametrize("version", [4, 6])


@both
@pytest.mark.parametrize("key", [None, KEY], ids=["open", "authenticated"])
async def test_a_packet_crosses_with_its_size_and_its_mark_and_is_counted(
    way: Way, version: int, key: bytes | None
) -> None:
    kept = Exchanged(Crossing.BOTH_WAYS, cos=CosSeen(46, 46, 0, False), dscp_back=46)
    with reflecting(way, version, key) as exchange:
        assert await exchange.ask(exchange.least_bytes, dscp=46) == kept
        assert await exchange.ask(1500, dscp=46) == kept
        assert exchange.spent_bytes == 2 * (exchange.least_bytes + 1500)


async def test_the_sizes_are_those_of_the_ip_packets(way: Way) -> None:
    way.own_mtu(1400)
    with reflecting(way) as exchange:
        assert (await exchange.ask(1401)).crossing is Crossing.TOO_BIG
        assert (await exchange.ask(1400)).crossing is Crossing.BOTH_WAYS


@both
async def test_larger_than_our_own_interface_is_told_by_our_own_kernel(way: Way, version: int) -> None:
    way.own_mtu(1400)
    with reflecting(way, version) as exchange:
        assert await exchange.ask(1500) == Exchanged(Crossing.TOO_BIG, 1400)


@both
async def test_a_router_says_what_would_have_fitted_and_is_not_remembered_by_the_kernel(way: Way, version: int) -> None:
    way.mtu(1400)
    with reflecting(way, version) as exchange:
        for _ in range(2):  # a kernel that went by what it learnt would send the second one in fragments
            assert await exchange.ask(1500) == Exchanged(Crossing.TOO_BIG, 1400)
        assert (await exchange.ask(1400)).crossing is Crossing.BOTH_WAYS


@both
async def test_a_router_that_drops_without_a_word_is_silence(way: Way, version: int) -> None:
    way.mtu(1400)
    way.mute(way.provider, "destination-unreachable", "packet-too-big")
    with reflecting(way, version) as exchange:
        assert await exchange.ask(1500, tries=2, each_s=0.1) == Exchanged(Crossing.SILENT)
        assert exchange.spent_bytes == 3000


@both
async def test_an_answer_that_comes_in_fragments_did_not_cross_whole(way: Way, version: int) -> None:
    way.narrow_back(1400)
    with reflecting(way, version) as exchange:
        told = await exchange.ask(1500, tries=3, each_s=0.3)
    assert told.crossing is Crossing.TOO_BIG
    assert told.fits_bytes is not None
    assert told.fits_bytes <= 1400 <= told.fits_bytes + told.spare_bytes


@both
async def test_a_mark_that_is_cleared_on_the_way_out_shows_at_the_reflector(way: Way, version: int) -> None:
    way.rules(way.provider, "chain f { type filter hook forward priority 0; iifname access0 ip dscp set cs0; }")
    way.rules(way.provider, "chain g { type filter hook forward priority 0; iifname access0 ip6 dscp set cs0; }")
    with reflecting(way, version) as exchange:
        told = await exchange.ask(exchange.least_bytes, dscp=46)
    assert told == Exchanged(Crossing.BOTH_WAYS, cos=CosSeen(46, 0, 0, False), dscp_back=46)


@both
async def test_a_mark_that_is_cleared_on_the_way_back_shows_here(way: Way, version: int) -> None:
    way.rules(way.provider, "chain f { type filter hook forward priority 0; iifname core0 ip dscp set cs0; }")
    way.rules(way.provider, "chain g { type filter hook forward priority 0; iifname core0 ip6 dscp set cs0; }")
    with reflecting(way, version) as exchange:
        told = await exchange.ask(exchange.least_bytes, dscp=46)
    assert told == Exchanged(Crossing.BOTH_WAYS, cos=CosSeen(46, 46, 0, False), dscp_back=0)


async def test_one_loss_is_no_silence(way: Way) -> None:
    all_but_one = "iifname access0 limit rate over 1/hour burst 1 packets accept; iifname access0 drop;"
    way.rules(way.provider, f"chain f {{ type filter hook forward priority 0; {all_but_one} }}")
    with reflecting(way) as exchange:
        assert (await exchange.ask(1500, each_s=0.1)).crossing is Crossing.BOTH_WAYS
        assert exchange.spent_bytes >= 4500


async def test_an_answer_that_comes_late_answers_the_try_it_meets(way: Way) -> None:
    held: list[bytes] = []

    def one_behind(request: bytes) -> list[bytes]:
        held.append(reply_to(request))
        return held[-2:-1]

    with answering(way, one_behind) as port, exchanging(4, port) as exchange:
        assert (await exchange.ask(200, each_s=0.1)).crossing is Crossing.BOTH_WAYS
        # What now comes answers the second try of the question before.
        assert (await exchange.ask(300, tries=1, each_s=0.1)).crossing is Crossing.SILENT


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(lambda data: [], Exchanged(Crossing.SILENT), id="nothing"),
        pytest.param(lambda data: [b"", b"\xff" * 1472, b"\0" * 44], Exchanged(Crossing.SILENT), id="garbage"),
        pytest.param(lambda data: [data], Exchanged(Crossing.SILENT), id="an echo"),
        pytest.param(lambda data: [reply_to(data, more=1)], Exchanged(Crossing.SILENT), id="to somebody else"),
        pytest.param(
            lambda data: [reply_to(data)], Exchanged(Crossing.BOTH_WAYS, dscp_back=0), id="a reflector without TLVs"
        ),
        pytest.param(
            lambda data: [reply_to(data)[:44]], Exchanged(Crossing.CUT_SHORT, dscp_back=0), id="a reflector that cuts"
        ),
        pytest.param(
            lambda data: [reply_to(data) + b"more"], Exchanged(Crossing.CUT_SHORT, dscp_back=0), id="one that adds"
        ),
    ],
)
async def test_what_comes_back_is_looked_at_before_it_counts(way: Way, answer: Answer, expected: Exchanged) -> None:
    with answering(way, answer) as port, exchanging(4, port) as exchange:
        assert await exchange.ask(1400, dscp=46, tries=1, each_s=0.1) == expected


async def test_an_answer_not_signed_with_our_key_is_none(way: Way) -> None:
    with answering(way, lambda data: [data[:96] + bytes(len(data) - 96)]) as port, exchanging(4, port, KEY) as exchange:
        assert await exchange.ask(400, tries=1, each_s=0.1) == Exchanged(Crossing.SILENT)


@both
async def test_where_nobody_can_be_reached_there_is_silence(way: Way, version: int) -> None:
    with exchanging(version, 862) as closed, exchanging(version, 862, address=NOBODY[version]) as unreachable:
        for exchange in (closed, unreachable):
            assert await exchange.ask(200, tries=2, each_s=0.05) == Exchanged(Crossing.SILENT)


async def test_a_link_that_goes_away_is_told_apart_from_silence() -> None:
    with routed_path() as way, exchanging(4, 862) as exchange:
        way.run(way.home, "link set fiber0 down")
        assert await exchange.ask(200) == Exchanged(Crossing.UNSENT)


async def test_where_the_kernel_will_not_send_it_cannot_be_opened() -> None:
    with pytest.raises(OSError, match="No such device"):
        StampExchange(ip_address(FAR[4]), 862, Pin(interface="nosuch0"))


@pytest.mark.parametrize("packet_bytes", [0, 83, 65536])
async def test_a_size_that_cannot_be_is_our_own_mistake(packet_bytes: int) -> None:
    exchange = StampExchange(ip_address("127.0.0.1"), 862, Pin())
    with pytest.raises(MisuseError, match=str(packet_bytes)):
        await exchange.ask(packet_bytes)
    exchange.close()


def reply_to(data: bytes, more: int = 0) -> bytes:
    """As large as the request, its end untouched; `more`: to another request."""
    request = stamp.decode_request(data)
    request = request._replace(sequence=request.sequence + more)
    return stamp.encode_reply(stamp.Reply(9, 2 << 32, 1, 1 << 32, request, 62)) + data[44:]


@contextmanager
def answering(way: Way, answer: Answer) -> Iterator[int]:
    """A double at the far end, and its port."""
    with way.at(way.far):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.bind((FAR[4], 0))

    def answer_all() -> None:
        data, peer = sock.recvfrom(65536)
        for each in answer(data):
            sock.sendto(each, peer)

    loop = asyncio.get_running_loop()
    loop.add_reader(sock.fileno(), answer_all)
    try:
        yield sock.getsockname()[1]
    finally:
        loop.remove_reader(sock.fileno())
        sock.close()
