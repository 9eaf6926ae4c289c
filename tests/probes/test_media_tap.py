import errno
import time
from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from probes.media_tap import MediaTap
from probes.packets.bpf import PortRange, media_filter
from tests.probes.in_line_box import Box, in_line_box
from tests.probes.media_frames import PAYLOAD, from_room, rtp, tagged, to_room

PROGRAM = media_filter((ip_network("198.51.100.30/32"),), (PortRange(5004, 5004),))


@pytest.fixture
def box() -> Iterator[Box]:
    with in_line_box() as made:
        yield made


def test_both_directions_pass_once_and_without_a_byte_of_payload(box: Box) -> None:
    out, back = from_room(rtp(sequence=1)), to_room(rtp(sequence=2))
    with MediaTap("lan0", PROGRAM) as tap:
        box.from_room(out, from_room(rtp(), port=443), from_room(rtp(), target="198.51.100.31"))
        box.from_internet(back)
        headers = [headers for headers, _ in tap.read(10)]
    assert headers == [out[: -len(PAYLOAD)], back[: -len(PAYLOAD)]]


def test_a_vlan_of_the_room_is_seen_too(box: Box) -> None:
    with MediaTap("lan0", PROGRAM) as tap:
        box.from_room(tagged(from_room(rtp())))
        assert len(tap.read(10)) == 1


def test_nothing_of_before_the_filter_gets_in(box: Box) -> None:
    box.from_room(from_room(rtp()))
    with MediaTap("lan0", PROGRAM) as tap:
        assert tap.read(10) == []


def test_a_read_stops_at_its_limit_and_loses_nothing(box: Box) -> None:
    with MediaTap("lan0", PROGRAM) as tap:
        box.from_room(*(from_room(rtp(sequence=n)) for n in range(5)))
        assert [len(tap.read(3)), len(tap.read(3)), len(tap.read(3))] == [3, 2, 0]


def test_the_kernel_s_stamp_tells_the_age(box: Box) -> None:
    with MediaTap("lan0", PROGRAM) as tap:
        time.sleep(0.05)  # Linux starts stamping a moment after it is asked to
        before_s = time.time()
        box.from_room(from_room(rtp()))
        time.sleep(0.05)  # a real wait: the stamp is the kernel's
        [(_, age_s)] = tap.read(10)
    assert 0.045 <= age_s <= time.time() - before_s


def test_packets_the_kernel_could_not_queue_are_counted_once(box: Box) -> None:
    frame = from_room(rtp())
    with MediaTap("lan0", PROGRAM) as tap:
        box.from_room(*[frame] * 20000)
        kept = 0
        while packets := tap.read(1000):
            kept += len(packets)
        assert kept + tap.dropped() == 20000
        assert kept < 20000
        assert tap.dropped() == 0


def test_an_interface_that_is_not_there_says_so(box: Box) -> None:
    with pytest.raises(OSError) as caught:
        MediaTap("lan9", PROGRAM)
    assert caught.value.errno == errno.ENODEV


@pytest.mark.parametrize("command", ["link set lan0 down", "link del lan0"])
def test_an_interface_that_goes_away_says_so(box: Box, command: str) -> None:
    with MediaTap("lan0", PROGRAM) as tap:
        assert tap.read(10) == []
        box.ip(command)
        with pytest.raises(OSError) as caught:
            tap.read(10)
    assert caught.value.errno == errno.ENETDOWN
