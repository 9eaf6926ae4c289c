"""What is judged as use of the line, and the kernel's own counters."""

import socket

import pytest

from probes.user_traffic import InterfaceBytes, UserTraffic, find_bytes, users_on
from tests.probes.own_network import ip, own_network

TABLE = b"""Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier
    lo:  700     7    0    0    0     0          0         0      701       7    0    0    0     0       0          0
  lan0: 1000    10    0    0    0     0          0         0     2000      20    0    0    0     0       0          0
eth0:1:   5     1    0    0    0     0          0         0        6       1    0    0    0     0       0          0
"""


@pytest.mark.parametrize(
    ("label", "found"),
    [(b"lo", (700, 701)), (b"lan0", (1000, 2000)), (b"eth0:1", (5, 6)), (b"an0", None), (b"wan0", None), (b"", None)],
)
def test_an_interface_is_found_by_its_whole_name(label: bytes, found: tuple[int, int] | None) -> None:
    assert find_bytes(TABLE, label) == found


@pytest.mark.parametrize("text", [b"", b"lan0:", b"lan0: 1 2 3", b"lan0: a b c d e f g h i", b"\xff:\xfe"])
def test_what_the_kernel_never_writes_is_no_counter(text: bytes) -> None:
    assert find_bytes(text, b"lan0") is None


Look = tuple[float, tuple[int, int] | None, bool]

STORIES: dict[str, list[Look]] = {
    "nothing passes": [(0.0, (5, 5), False), (0.05, (5, 5), False), (0.1, (5, 5), False), (5.0, (5, 5), False)],
    "the room's chatter of 60 kbit/s": [(n / 20, (375 * n, 0), False) for n in range(40)],
    "one audio call, 80 kbit/s each way": [(n / 20, (500 * n, 500 * n), n >= 2) for n in range(20)],
    "the first video frame, before the window is full": [(0.0, (0, 0), False), (0.01, (6492, 0), True)],
    "a stream that ends": [
        (0.0, (0, 0), False),
        (0.05, (9000, 0), True),
        (0.1, (18000, 0), True),
        (0.15, (18000, 0), True),
        (0.21, (18000, 0), False),
    ],
    "downloads count as well": [(0.0, (0, 0), False), (0.05, (0, 9000), True)],
    "gaps between looks count what passed meanwhile by its mean": [
        (0.0, (0, 0), False),
        (1.5, (10_000, 0), False),
        (3.0, (60_000, 0), True),
    ],
    "what passed before a long gap says nothing of now": [(0.0, (0, 0), False), (10.0, (5_000_000, 0), False)],
    "unseen is never idle": [(0.0, (0, 0), False), (0.05, None, True), (0.1, (0, 0), False)],
    "a replaced interface starts at zero": [(0.0, (10**9, 0), False), (0.05, (0, 0), False), (0.1, (0, 0), False)],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_users_are_told_from_silence(story: list[Look]) -> None:
    traffic = UserTraffic(limit_bps=100_000, window_s=0.1)
    said = []
    for now_s, counters, _ in story:
        traffic.look(now_s, counters)
        said.append(traffic.busy)
    assert said == [busy for _, _, busy in story]


def test_there_is_no_rate_before_the_second_look() -> None:
    traffic = UserTraffic()
    traffic.look(1.0, (10, 10))
    assert traffic.rate_bps is None
    traffic.look(1.3, (1010, 1010))
    assert traffic.rate_bps == pytest.approx(53_333, abs=1)


def test_the_kernel_counts_what_passes() -> None:
    with own_network(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        counters = InterfaceBytes("lo")
        before = counters.read()
        sock.sendto(bytes(958), ("127.0.0.1", 9))  # and the kernel's "port unreachable"
        after = counters.read()
        counters.close()
    assert before is not None
    assert after is not None
    assert [more - less >= 1000 for less, more in zip(before, after, strict=True)] == [True, True]


def test_an_interface_among_many_is_found_and_a_missing_one_is_not() -> None:
    with own_network():
        for number in range(30):  # 60 lines: more than a page
            ip(f"link add many{number} type veth peer name far{number}")
        first, last, gone = InterfaceBytes("many0"), InterfaceBytes("far29"), InterfaceBytes("lan0")
        assert first.read() == last.read() == (0, 0)
        assert gone.read() is None
        ip("link add lan0 type veth peer name lan1")
        assert gone.read() == (0, 0)
        for counters in (first, last, gone):
            counters.close()


def test_a_guard_sees_users_and_is_blind_to_be_careful() -> None:
    with (
        own_network(),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        users_on("lo") as hurt,
        users_on("lan0") as blind,
    ):
        assert blind()
        assert not hurt()
        for _ in range(3):
            sock.sendto(bytes(1400), ("127.0.0.1", 9))
        assert hurt()
