"""What every prober is: something that sends one numbered probe at a time to one target, pinned to one link, and says
when it is answered.

It never retries and keeps no time: whoever sends decides when silence is loss, and then has the number forgotten. A
probe so has one outcome, `Answered`, `Lost` or `Refused`. Nothing here raises for what networks do.
"""

import asyncio
import errno
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any, ClassVar, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, IPvAnyAddress

from probes.kernel_time import Address, Received, Sent, StampedSocket, Stamps

IpAddress = IPv4Address | IPv6Address


class Refusal(StrEnum):
    """Why a probe never left."""

    NO_ROUTE = "no_route"
    NO_SOURCE = "no_source"  # the source address is not on this box
    INTERFACE_DOWN = "interface_down"  # down, or gone
    NO_BUFFERS = "no_buffers"  # our own trouble: a full queue, no memory, no file descriptor
    NOT_PERMITTED = "not_permitted"


@dataclass(frozen=True, slots=True)
class TwoWay:
    """What a STAMP reflector adds to one answer: each direction by itself."""

    number: int | None
    """The reflector's own sequence number: how many of our probes reached it in this session. None: it keeps none."""
    out_ns: int
    """T2 - T1: one-way delay plus the offset between the two clocks."""
    back_ns: int
    """T4 - T3: likewise, with the offset the other way round."""


@dataclass(frozen=True, slots=True)
class Answered:
    rtt_s: float
    stamps: Stamps
    two_way: TwoWay | None = None
    mapped: str | None = None
    """Our address as a STUN server saw it."""


@dataclass(frozen=True, slots=True)
class Lost:
    after_s: float


@dataclass(frozen=True, slots=True)
class Refused:
    why: Refusal


Outcome = Answered | Lost | Refused
Heard = Callable[[int, Answered], None]
"""Told the number of the probe that was answered; must not raise, and may be called while another probe is being sent.
"""


@dataclass(frozen=True, slots=True)
class Pin:
    """What ties a probe to its link. The router has a rule per source; a modem of our own has an interface."""

    source: IpAddress | None = None
    interface: str | None = None


class Prober(Protocol):
    def send(self, number: int) -> Refusal | None:
        """Sends probe `number` now (0 to 2^32 - 1, never one still unanswered)."""

    def forget(self, number: int) -> None:
        """It is lost: an answer that still comes is ignored."""

    def close(self) -> None: ...


def _no_name(value: Any) -> Any:
    """Resolving would make every probe depend on DNS, which fails with the link it is to judge."""
    if isinstance(value, str) and any(character.isalpha() for character in value) and ":" not in value:
        raise ValueError(
            f"give an IP address: the name {value!r} would have to be resolved over the link it is to judge"
        )
    return value


class TargetSettings(BaseModel, ABC):
    """Whom to probe, and how. One subclass per prober, in the prober's own file, listed in `probes.registry`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    heavy: ClassVar[bool] = False
    """Costs the far side more than a packet: asked seldom, and a witness rather than a voter."""
    heavy_calm_s: ClassVar[float] = 5.0
    heavy_alert_s: ClassVar[float] = 1.0
    """Of a heavy kind: no oftener than this, calmly and under suspicion."""
    wire_bytes: ClassVar[int] = 144
    """What a probe and its answer weigh, both ways, IP header included: what a metered link is charged."""

    address: Annotated[IPvAnyAddress, BeforeValidator(_no_name)]

    @property
    @abstractmethod
    def label(self) -> str:
        """What readings call it."""

    @abstractmethod
    def prober(self, pin: Pin, heard: Heard) -> Prober:
        """A prober on the running loop. Raises MisuseError only for settings that cannot work, such as an unreadable
        key.
        """


async def probe(target: TargetSettings, pin: Pin, *, timeout_s: float) -> Outcome:
    """One probe and its one outcome."""
    answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
    prober = target.prober(pin, lambda _, answered: None if answer.done() else answer.set_result(answered))
    try:
        refusal = prober.send(0)
        if refusal is not None:
            return Refused(refusal)
        return await asyncio.wait_for(answer, timeout_s)
    except TimeoutError:
        return Lost(timeout_s)
    finally:
        prober.close()


# ── the kernel's reasons ───────────────────────────────────────────────────────────────────────────────
_REFUSALS = {
    errno.ENETUNREACH: Refusal.NO_ROUTE,
    errno.EHOSTUNREACH: Refusal.NO_ROUTE,
    errno.EADDRNOTAVAIL: Refusal.NO_SOURCE,
    errno.ENETDOWN: Refusal.INTERFACE_DOWN,
    errno.ENODEV: Refusal.INTERFACE_DOWN,
    errno.ENXIO: Refusal.INTERFACE_DOWN,
    errno.ENOBUFS: Refusal.NO_BUFFERS,
    errno.ENOMEM: Refusal.NO_BUFFERS,
    errno.EAGAIN: Refusal.NO_BUFFERS,
    errno.EMFILE: Refusal.NO_BUFFERS,
    errno.ENFILE: Refusal.NO_BUFFERS,
    errno.EPERM: Refusal.NOT_PERMITTED,
    errno.EACCES: Refusal.NOT_PERMITTED,
}


def refusal_of(error: OSError, pin: Pin) -> Refusal:
    """Which refusal an error of socket, bind, connect or send is.

    EINVAL is a source address that went away after it was bound, or else a blackhole route. What is not in the table is
    taken for no route: the kernel would not send.
    """
    if error.errno == errno.EINVAL and pin.source is not None:
        return Refusal.NO_SOURCE
    return _REFUSALS.get(error.errno or 0, Refusal.NO_ROUTE)


def pinned_socket(family: int, kind: int, protocol: int, pin: Pin) -> socket.socket:
    """A non-blocking socket that leaves by `pin` alone. Raises OSError, which `refusal_of` reads."""
    sock = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    try:
        if pin.interface is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, pin.interface.encode() + b"\0")
        if pin.source is not None:
            sock.bind(socket_address(pin.source, 0, pin))
    except OSError:
        sock.close()
        raise
    return sock


def family_of(address: IpAddress) -> socket.AddressFamily:
    return socket.AF_INET6 if address.version == 6 else socket.AF_INET


def socket_address(address: IpAddress, port: int, pin: Pin) -> Address:
    """For bind, connect or sendto. A link-local address without a scope is on the pinned interface. Raises OSError."""
    if isinstance(address, IPv4Address):
        return str(address), port
    scope = address.scope_id or (pin.interface if address.is_link_local else None)
    return str(IPv6Address(int(address))), port, 0, _index_of(scope) if scope else 0


def _index_of(interface: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except OSError as error:  # it carries no number of its own
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), interface) from error


class PinnedDatagrams:
    """A stamped socket to one address, opened with the first datagram and anew when the kernel refuses one.

    An interface that was replaced keeps its name and changes its index, a source address may come and go: a socket
    bound to the old one would refuse for ever. `arrived` gets only what comes from the target's address.

    Where the source is pinned the socket is connected: the kernel then looks the route up once and keeps others'
    packets away. Where only the interface is, connecting would also hold on to the source address of that moment.
    """

    def __init__(
        self,
        target: IpAddress,
        port: int,
        pin: Pin,
        open_socket: Callable[[], socket.socket],
        arrived: Callable[[Received], None],
    ) -> None:
        self._target, self._port, self._pin = target, port, pin
        self._open, self._arrived = open_socket, arrived
        self._peer = str(IPv6Address(int(target))) if target.version == 6 else str(target)
        self._stamped: StampedSocket | None = None
        self._address: Address | None = None

    def send(self, data: bytes) -> Sent | Refusal:
        try:
            return (self._stamped or self._opened()).send(data, self._address)
        except OSError as error:
            return self._tried_again(data, error)

    def close(self) -> None:
        if self._stamped is not None:
            self._stamped.close()
            self._stamped = None

    def _opened(self) -> StampedSocket:
        address = socket_address(self._target, self._port, self._pin)
        sock = self._open()
        try:
            if self._pin.source is None:
                self._address = address
            else:
                sock.connect(address)
            self._stamped = StampedSocket(sock, self._take if self._address else self._arrived, at_once=1)
        except OSError:
            sock.close()
            raise
        return self._stamped

    def _tried_again(self, data: bytes, error: OSError) -> Sent | Refusal:
        """The first refusal may not be of this datagram, nor of the way as it is now.

        A connected socket tells in a send what an ICMP error said of an earlier datagram, and sends nothing; that is
        the far side's doing, and known by silence. And an old socket may be bound to what is gone.
        """
        for anew in (False, True):
            if self._stamped is None or refusal_of(error, self._pin) is Refusal.NO_BUFFERS:
                break
            if anew:
                self.close()
            try:
                return (self._stamped or self._opened()).send(data, self._address)
            except OSError as again:
                error = again
        refusal = refusal_of(error, self._pin)
        if refusal is not Refusal.NO_BUFFERS:
            self.close()
        return refusal

    def _take(self, received: Received) -> None:
        if received.address[0] == self._peer and (self._port == 0 or received.address[1] == self._port):
            self._arrived(received)
