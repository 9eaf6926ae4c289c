"""What Linux says of a datagram that failed, read from the control messages of a socket's error queue.

`struct sock_extended_err` and the address of whoever complained (SO_EE_OFFENDER), as linux/errqueue.h and ip(7) lay
them out. The kernel only queues an ICMP error that quotes a datagram of this very socket. Bytes in, facts out.
"""

import errno
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final

IP_RECVERR: Final = 11
IPV6_RECVERR: Final = 25

_OPTIONS = ((socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR))
_ERROR = struct.Struct("@IBBBxII")
_FAMILY = struct.Struct("@H")
_V4, _V6 = struct.Struct("@2xH4s"), struct.Struct("@2xHI16sI")  # sockaddr_in, sockaddr_in6 up to what counts


class Origin(IntEnum):
    """Who noticed: our own kernel, or somebody on the way."""

    LOCAL = 1
    ICMP = 2
    ICMP6 = 3


class Complaint(IntEnum):
    """What was noticed, the same for both families."""

    TIME_EXCEEDED = 1  # the hop limit ran out at the offender
    TOO_BIG = 2  # more than fits the offender's next link
    UNREACHABLE = 3  # the offender is the end of the way, by its own fault or not
    OTHER = 4


@dataclass(frozen=True, slots=True)
class SocketError:
    origin: Origin
    complaint: Complaint
    number: int
    """The errno the kernel makes of it."""
    mtu_bytes: int | None
    """What would have fitted, where TOO_BIG says so; an old router says nothing (RFC 1191 section 5)."""
    offender: IPv4Address | IPv6Address | None
    """Who complained; None for our own kernel."""


def read_error(control: Iterable[tuple[int, int, bytes]]) -> SocketError | None:
    """The error among the control messages of one read with MSG_ERRQUEUE. None if there is none, or of another origin
    (a transmit timestamp is one).
    """
    for level, kind, data in control:
        if (level, kind) in _OPTIONS and len(data) >= _ERROR.size:
            number, origin, icmp_type, icmp_code, info, _ = _ERROR.unpack_from(data)
            if origin not in tuple(Origin):
                return None
            complaint = _complaint(Origin(origin), number, icmp_type, icmp_code)
            mtu_bytes = info if complaint is Complaint.TOO_BIG and info else None
            return SocketError(Origin(origin), complaint, number, mtu_bytes, _offender(data[_ERROR.size :]))
    return None


# ICMP types and codes: RFC 792 and RFC 1191; ICMPv6: RFC 4443. None: whatever the code.
_COMPLAINTS: Final[dict[tuple[Origin, int, int | None], Complaint]] = {
    (Origin.ICMP, 11, 0): Complaint.TIME_EXCEEDED,
    (Origin.ICMP, 3, 4): Complaint.TOO_BIG,
    (Origin.ICMP, 3, None): Complaint.UNREACHABLE,
    (Origin.ICMP6, 3, 0): Complaint.TIME_EXCEEDED,
    (Origin.ICMP6, 2, None): Complaint.TOO_BIG,
    (Origin.ICMP6, 1, None): Complaint.UNREACHABLE,
}


def _complaint(origin: Origin, number: int, icmp_type: int, icmp_code: int) -> Complaint:
    if origin is Origin.LOCAL:
        return Complaint.TOO_BIG if number == errno.EMSGSIZE else Complaint.OTHER
    exact = _COMPLAINTS.get((origin, icmp_type, icmp_code))
    return exact or _COMPLAINTS.get((origin, icmp_type, None), Complaint.OTHER)


def _offender(address: bytes) -> IPv4Address | IPv6Address | None:
    """Without its scope: a link-local router is told by its link."""
    if len(address) < _FAMILY.size:
        return None
    family = _FAMILY.unpack_from(address)[0]
    if family == socket.AF_INET and len(address) >= _V4.size:
        return IPv4Address(_V4.unpack_from(address)[1])
    if family == socket.AF_INET6 and len(address) >= _V6.size:
        return IPv6Address(_V6.unpack_from(address)[2])
    return None
