import asyncio
import socket
import time
from itertools import pairwise

import pytest

from probes.kernel_time import (
    Received,
    Sent,
    StampedSocket,
    Stamps,
    ends_ns,
    kernel_stamp_ns,
    round_trip_s,
    wall_clock_stepped,
)
from tests.probes.own_network import own_network


def received(user_ns: int, monotonic_s: float, kernel_ns: int | None) -> Received:
    return Received(b"", ("192.0.2.1", 862), [], user_ns, monotonic_s, kernel_ns)


T = 1_750_000_000_000_000_000  # some wall-clock nanosecond
MS = 1_000_000


@pytest.mark.parametrize(
    ("left_ns", "came_ns", "outside_s", "expected_s", "stamps"),
    [
        (T + 1 * MS, T + 21 * MS, 0.024, 0.020, Stamps.KERNEL),
        (None, T + 21 * MS, 0.024, 0.021, Stamps.ARRIVAL),
        (T + 1 * MS, None, 0.024, 0.024, Stamps.USER),
        (None, None, 0.024, 0.024, Stamps.USER),
        (T + 1 * MS, T - 500 * MS, 0.024, 0.024, Stamps.USER),  # the wall clock was stepped back in between
        (T + 1 * MS, T + 3_600_000 * MS, 0.024, 0.024, Stamps.USER),  # … and forward
    ],
)
def test_the_best_credible_pair_of_stamps_gives_the_round_trip(
    left_ns: int | None, came_ns: int | None, outside_s: float, expected_s: float, stamps: Stamps
) -> None:
    sent = Sent(T, 100.0, left_ns)
    answer = received(T + round(outside_s * 1e9), 100.0 + outside_s, came_ns)
    rtt_s, said = round_trip_s(sent, answer)
    assert rtt_s == pytest.approx(expected_s)
    assert said is stamps
    ends = ends_ns(sent, answer)
    assert ends is not None
    assert (ends[1] - ends[0]) / 1e9 == pytest.approx(expected_s)


@pytest.mark.parametrize("step_s", [0.005, -0.005, 3600.0])
def test_a_wall_clock_set_on_the_way_is_seen_even_where_the_stamps_look_credible(step_s: float) -> None:
    sent, step_ns = Sent(T, 100.0, T + 1 * MS), round(step_s * 1e9)
    answer = received(T + 24 * MS + step_ns, 100.024, T + 21 * MS + step_ns)
    assert wall_clock_stepped(sent, answer)
    assert ends_ns(sent, answer) is None
    rtt_s, said = round_trip_s(sent, answer)
    assert rtt_s == pytest.approx(0.024)
    assert said is Stamps.USER
    assert not wall_clock_stepped(sent, received(T + 24 * MS, 100.024, T + 21 * MS))


@pytest.mark.parametrize("control", [[], [(1, 37, b"short")], [(1, 99, bytes(48))], [(1, 37, bytes(48))]])
def test_control_messages_without_a_stamp_give_none(control: list[tuple[int, int, bytes]]) -> None:
    assert kernel_stamp_ns(control) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_the_kernel_stamps_both_ends_on_loopback(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    came: asyncio.Queue[Received] = asyncio.Queue()
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    address = sock.getsockname()
    stamped = StampedSocket(sock, came.put_nowait)
    before_ns = time.time_ns()
    sent = [stamped.send(bytes([n]), address) for n in range(5)]
    arrivals = [await asyncio.wait_for(came.get(), 1) for _ in sent]
    stamped.close()
    assert [arrival.data for arrival in arrivals] == [bytes([n]) for n in range(5)]
    for one, arrival in zip(sent, arrivals, strict=True):
        assert one.kernel_ns is not None
        assert arrival.kernel_ns is not None
        assert before_ns <= one.user_ns <= one.kernel_ns <= arrival.kernel_ns <= arrival.user_ns
        assert round_trip_s(one, arrival)[1] is Stamps.KERNEL


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_connected_socket_reads_one_by_one_and_stamps_both_ends(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    came: asyncio.Queue[Received] = asyncio.Queue()
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    sock.connect(sock.getsockname())
    stamped = StampedSocket(sock, came.put_nowait, at_once=1)
    sent = [stamped.send(bytes([n])) for n in range(5)]
    arrivals = [await asyncio.wait_for(came.get(), 1) for _ in sent]
    stamped.close()
    assert [arrival.data for arrival in arrivals] == [bytes([n]) for n in range(5)]
    assert [round_trip_s(one, arrival)[1] for one, arrival in zip(sent, arrivals, strict=True)] == [Stamps.KERNEL] * 5


async def test_stamps_stay_with_their_datagrams_after_the_kernel_refused_one() -> None:
    with own_network():
        came: asyncio.Queue[Received] = asyncio.Queue()
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("0.0.0.0", 0))
        here = ("127.0.0.1", sock.getsockname()[1])
        stamped = StampedSocket(sock, came.put_nowait)
        stamped.send(b"first", here)
        with pytest.raises(OSError, match="unreachable"):
            stamped.send(b"refused", ("198.51.100.1", 9))
        sent = [stamped.send(b"after", here) for _ in range(3)]
        stamped.close()
    for one, following in pairwise(sent):
        assert one.kernel_ns is not None
        assert one.user_ns <= one.kernel_ns <= following.user_ns


async def test_a_full_error_queue_does_not_keep_the_loop_awake() -> None:
    """As when a driver stamps late: the stamps are there, the datagrams are not."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        calls = 0

        class Counting(StampedSocket):
            def stamp_now(self) -> None:
                """Leaves the stamp in the queue."""

            def _read(self) -> None:
                nonlocal calls
                calls += 1
                super()._read()

        stamped = Counting(sock, lambda _: None)
        sent = stamped.send(b"x", sink.getsockname())
        stamped_at_once = sent.kernel_ns
        await asyncio.sleep(0.02)
        stamped.close()
    assert stamped_at_once is None
    assert sent.kernel_ns is not None
    assert calls == 1


async def test_a_driver_that_never_stamps_fills_no_memory() -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    address = sock.getsockname()

    class Unstamped(StampedSocket):
        def stamp_now(self) -> None:
            """Nothing ever comes."""

    stamped = Unstamped(sock, lambda _: None)
    for _ in range(400):
        stamped.send(b"x", address)
    assert len(stamped._unstamped) <= 256
    stamped.close()
