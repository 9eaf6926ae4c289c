"""Against the byte layout of linux/errqueue.h; that a kernel writes it so, the walk and the size search show."""

import errno
import socket
import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.packets.error_queue import IP_RECVERR, IPV6_RECVERR, Complaint, Origin, SocketError, read_error

V4, V6 = (socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)
ROUTER = ip_address("198.51.100.1")
ROUTER_V6 = ip_address("2001:db8::1")


def error(number: int, origin: int, icmp_type: int, icmp_code: int, info: int = 0) -> bytes:
    return struct.pack("@IBBBBII", number, origin, icmp_type, icmp_code, 0, info, 0)


FROM_ROUTER = struct.pack("@HH4s8x", socket.AF_INET, 0, ROUTER.packed)
FROM_ROUTER_V6 = struct.pack("@HHI16sI", socket.AF_INET6, 0, 0, ROUTER_V6.packed, 0)
FROM_NOBODY = bytes(16)


@pytest.mark.parametrize(
    ("option", "data", "expected"),
    [
        (V4, error(113, 2, 11, 0) + FROM_ROUTER, (Origin.ICMP, Complaint.TIME_EXCEEDED, 113, None, ROUTER)),
        (V4, error(113, 2, 11, 1) + FROM_ROUTER, (Origin.ICMP, Complaint.OTHER, 113, None, ROUTER)),
        (V4, error(90, 2, 3, 4, 1400) + FROM_ROUTER, (Origin.ICMP, Complaint.TOO_BIG, 90, 1400, ROUTER)),
        (V4, error(90, 2, 3, 4, 0) + FROM_ROUTER, (Origin.ICMP, Complaint.TOO_BIG, 90, None, ROUTER)),
        (V4, error(111, 2, 3, 3) + FROM_ROUTER, (Origin.ICMP, Complaint.UNREACHABLE, 111, None, ROUTER)),
        (V4, error(113, 2, 3, 13) + FROM_ROUTER, (Origin.ICMP, Complaint.UNREACHABLE, 113, None, ROUTER)),
        (V4, error(71, 2, 12, 0) + FROM_ROUTER, (Origin.ICMP, Complaint.OTHER, 71, None, ROUTER)),
        (V6, error(113, 3, 3, 0) + FROM_ROUTER_V6, (Origin.ICMP6, Complaint.TIME_EXCEEDED, 113, None, ROUTER_V6)),
        (V6, error(90, 3, 2, 0, 1280) + FROM_ROUTER_V6, (Origin.ICMP6, Complaint.TOO_BIG, 90, 1280, ROUTER_V6)),
        (V6, error(111, 3, 1, 4) + FROM_ROUTER_V6, (Origin.ICMP6, Complaint.UNREACHABLE, 111, None, ROUTER_V6)),
        (V4, error(90, 1, 0, 0, 1400) + FROM_NOBODY, (Origin.LOCAL, Complaint.TOO_BIG, 90, 1400, None)),
        (V4, error(errno.ENETDOWN, 1, 0, 0) + FROM_NOBODY, (Origin.LOCAL, Complaint.OTHER, 100, None, None)),
        (V4, error(113, 2, 11, 0), (Origin.ICMP, Complaint.TIME_EXCEEDED, 113, None, None)),
    ],
)
def test_what_the_kernel_queued_is_told(
    option: tuple[int, int], data: bytes, expected: tuple[Origin, Complaint, int, int | None, object]
) -> None:
    told = read_error([(socket.SOL_SOCKET, 37, bytes(48)), (*option, data)])
    assert told is not None
    assert (told.origin, told.complaint, told.number, told.mtu_bytes, told.offender) == expected


@pytest.mark.parametrize(
    "control",
    [
        [],
        [(*V4, error(42, 4, 0, 0) + FROM_NOBODY)],  # a transmit timestamp
        [(*V4, error(113, 2, 11, 0)[:15])],
        [(socket.IPPROTO_IP, 8, error(113, 2, 11, 0) + FROM_ROUTER)],
    ],
)
def test_what_is_no_error_is_none(control: list[tuple[int, int, bytes]]) -> None:
    assert read_error(control) is None


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 41]), st.sampled_from([8, 11, 25, 37]), st.binary(max_size=64)), max_size=4
    )
)
def test_whatever_the_control_messages_are_nothing_is_raised(control: list[tuple[int, int, bytes]]) -> None:
    assert isinstance(read_error(control), SocketError | None)
