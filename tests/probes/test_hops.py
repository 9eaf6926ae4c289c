"""Real routers, which are kernels: what they answer, hide and refuse."""

import os
import socket
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from probes.hops import Answer, Fate, answer_of, hops_of, walk
from probes.packets.error_queue import Complaint, Origin, SocketError
from probes.prober import Pin, family_of
from tests.probes.routed_path import FAR, HOME, NOBODY, PINS, PROVIDER, SITE, Way, routed_path


@pytest.fixture(scope="module")
def standing() -> Iterator[Way]:
    with routed_path() as way:
        yield way


@pytest.fixture
def way(standing: Way) -> Iterator[Way]:
    with standing.restored():
        yield standing


def died(router: str) -> Answer:
    return Answer(Fate.DIED, router)


REACHED = Answer(Fate.REACHED, None)


@pytest.mark.parametrize(
    ("answers", "hops"),
    [
        ([], ()),
        ([None, None], ()),
        ([died("a"), died("b")], ("a", "b")),
        ([died("a"), None, died("c")], ("a", None, "c")),
        ([None, died("b"), None], (None, "b")),
        ([died("a"), REACHED, REACHED], ("a",)),
        ([REACHED], ()),
        ([died("a"), None, REACHED], ("a",)),
        ([died("a"), Answer(Fate.TURNED_BACK, "b"), Answer(Fate.TURNED_BACK, "b")], ("a", "b")),
    ],
)
def test_the_way_ends_where_it_ends_and_silence_at_its_end_is_nothing(
    answers: list[Answer | None], hops: tuple[str | None, ...]
) -> None:
    assert hops_of(answers) == hops


@pytest.mark.parametrize(
    ("complaint", "offender", "answer"),
    [
        (Complaint.TIME_EXCEEDED, "198.51.100.1", died("198.51.100.1")),
        (Complaint.UNREACHABLE, "198.51.100.1", Answer(Fate.TURNED_BACK, "198.51.100.1")),
        (Complaint.UNREACHABLE, FAR[4], REACHED),
        (Complaint.TIME_EXCEEDED, HOME[4], None),
        (Complaint.UNREACHABLE, HOME[4], None),
        (Complaint.TOO_BIG, "198.51.100.1", None),
        (Complaint.OTHER, "198.51.100.1", None),
        (Complaint.UNREACHABLE, None, None),
    ],
)
def test_what_an_error_says_of_the_way(complaint: Complaint, offender: str | None, answer: Answer | None) -> None:
    error = SocketError(Origin.ICMP, complaint, 113, None, None if offender is None else ip_address(offender))
    assert answer_of(error, target=ip_address(FAR[4]), own=HOME[4]) == answer


async def walked(version: int, target: str | None = None, *, timeout_s: float = 5.0) -> tuple[str | None, ...]:
    """Five seconds are not waited for where everybody answers."""
    return await walk(
        ip_address(target or FAR[version]), 3478, PINS[version], hops=3, payload=b"who", timeout_s=timeout_s
    )


@pytest.mark.parametrize("version", [4, 6])
async def test_routers_are_named_from_the_nearest_on_and_the_target_is_none_of_them(way: Way, version: int) -> None:
    assert await walked(version) == (SITE[version], PROVIDER[version])


@pytest.mark.parametrize("version", [4, 6])
async def test_a_target_that_answers_ends_the_way_too(way: Way, version: int) -> None:
    with way.at(way.far):
        far = socket.socket(family_of(ip_address(FAR[version])), socket.SOCK_DGRAM)
    with far:
        far.bind((FAR[version], 3478))
        assert await walked(version, timeout_s=0.4) == (SITE[version], PROVIDER[version])
        assert far.recv(100) == b"who"


@pytest.mark.parametrize("version", [4, 6])
async def test_a_router_that_hides_is_an_empty_place(way: Way, version: int) -> None:
    way.mute(way.site, "time-exceeded", "time-exceeded")
    assert await walked(version, timeout_s=0.4) == (None, PROVIDER[version])


@pytest.mark.parametrize("version", [4, 6])
async def test_a_router_without_a_route_is_the_last_one(way: Way, version: int) -> None:
    assert await walked(version, NOBODY[version]) == (SITE[version], PROVIDER[version])


@pytest.mark.parametrize("version", [4, 6])
async def test_a_first_answer_that_is_lost_is_asked_for_again(way: Way, version: int) -> None:
    error = f"{'icmpv6' if version == 6 else 'icmp'} type time-exceeded"
    all_but_one = f"{error} limit rate over 1/hour burst 1 packets accept; {error} drop;"
    way.rules(way.provider, f"chain out {{ type filter hook output priority 0; {all_but_one} }}")
    assert await walked(version, timeout_s=1.0) == (SITE[version], PROVIDER[version])


@pytest.mark.parametrize("version", [4, 6])
async def test_a_cut_line_ends_at_the_last_router_that_answers(way: Way, version: int) -> None:
    way.rules(way.site, "chain f { type filter hook forward priority 0; drop; }")
    assert await walked(version, timeout_s=0.4) == (SITE[version],)


@pytest.mark.parametrize(
    "pin", [Pin(source=ip_address("192.0.2.7")), Pin(interface="nosuch0")], ids=["no source", "no interface"]
)
async def test_where_the_kernel_will_not_send_nothing_is_known(way: Way, pin: Pin) -> None:
    assert await walk(ip_address(FAR[4]), 3478, pin, hops=3, payload=b"", timeout_s=5) == ()


async def test_a_walk_leaves_no_socket_behind(way: Way) -> None:
    before = _open_files()
    await walked(4)
    await walked(6, timeout_s=0.1)
    assert _open_files() == before


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))
