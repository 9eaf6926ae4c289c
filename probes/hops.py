"""The first routers on a link's way: datagrams that may only live for so many hops, and who says that they died.

Needs no privileges: the kernel hands ICMP errors to the socket they are about (IP_RECVERR, ip(7)). All hops are asked
at once, each by a socket of its own: an old router quotes only eight bytes of what it dropped (RFC 792), and then
nothing but the port tells which datagram it was. What is silent is asked once more, so one loss hides no router.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from probes.packets.error_queue import IP_RECVERR, IPV6_RECVERR, Complaint, SocketError, read_error
from probes.prober import IpAddress, Pin, family_of, pinned_socket, socket_address

TRIES = 2
_ROOM_FOR_CONTROL = 256
_AT_ONCE = 16


class Fate(Enum):
    """What became of a datagram that was to die at a certain hop."""

    DIED = auto()  # at that router, as it should
    TURNED_BACK = auto()  # a router would not pass it on: the way ends there
    REACHED = auto()  # the target took it: the way is shorter than that


@dataclass(frozen=True, slots=True)
class Answer:
    fate: Fate
    router: str | None


async def walk(
    target: IpAddress, port: int, pin: Pin, *, hops: int, payload: bytes, timeout_s: float
) -> tuple[str | None, ...]:
    """The first `hops` routers towards UDP `port` of `target`, as `hops_of` gives them; takes at most `timeout_s`.

    Where the way is shorter than `hops`, the target gets `payload`: let it be something it understands. Costs
    (28 + payload) bytes out for each hop (48 by IPv6), twice for a silent one, and an ICMP error back: 56 bytes from an
    old router, up to payload + 76 (payload + 96) from one that quotes all.
    """
    with contextlib.ExitStack() as stack:
        steps: list[_Step] = []
        changed = asyncio.Event()
        try:
            for hop_limit in range(1, hops + 1):
                steps.append(_Step(target, port, pin, hop_limit, changed.set))
                stack.callback(steps[-1].close)
        except OSError:  # no route, no source, no interface: nothing is known of the way
            return ()
        for _ in range(TRIES):
            for step in steps:
                if step.answer is None:
                    step.send(payload)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s / TRIES):
                    while not _complete(answers := [step.answer for step in steps]):
                        changed.clear()
                        await changed.wait()
                    return hops_of(answers)
        return hops_of([step.answer for step in steps])


def hops_of(answers: Sequence[Answer | None]) -> tuple[str | None, ...]:
    """Routers from the nearest on, None for a silent one; nothing from the target on, and no silence at the end."""
    hops: list[str | None] = []
    for answer in answers:
        if answer is not None and answer.fate is Fate.REACHED:
            break
        hops.append(answer.router if answer is not None else None)
        if answer is not None and answer.fate is Fate.TURNED_BACK:
            break
    while hops and hops[-1] is None:
        hops.pop()
    return tuple(hops)


def answer_of(error: SocketError, *, target: IpAddress, own: str) -> Answer | None:
    """What an error says of the way; None if nothing. Our own kernel complains by ICMP too, when nobody answers ARP."""
    if error.offender is None or str(error.offender) == own:
        return None
    if error.offender == target:
        return Answer(Fate.REACHED, None)
    if error.complaint is Complaint.TIME_EXCEEDED:
        return Answer(Fate.DIED, str(error.offender))
    if error.complaint is Complaint.UNREACHABLE:
        return Answer(Fate.TURNED_BACK, str(error.offender))
    return None


def _complete(answers: Sequence[Answer | None]) -> bool:
    """Whether nothing more can be learnt: all answered, up to where the way ends."""
    for answer in answers:
        if answer is None:
            return False
        if answer.fate is not Fate.DIED:
            return True
    return True


class _Step:
    """One socket for one hop. Raises OSError if the kernel has no way there."""

    def __init__(self, target: IpAddress, port: int, pin: Pin, hop_limit: int, changed: Callable[[], None]) -> None:
        self.answer: Answer | None = None
        self._target, self._changed = target, changed
        self._loop = asyncio.get_running_loop()
        self._sock = pinned_socket(family_of(target), socket.SOCK_DGRAM, 0, pin)
        try:
            if target.version == 6:
                self._sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hop_limit)
                self._sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
            else:
                self._sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hop_limit)
                self._sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            self._sock.connect(socket_address(target, port, pin))
            self._own = str(self._sock.getsockname()[0])
        except OSError:
            self._sock.close()
            raise
        self._loop.add_reader(self._sock.fileno(), self._read)

    def send(self, payload: bytes) -> None:
        with contextlib.suppress(OSError):  # full queue, or the error that waits in our queue anyway
            self._sock.send(payload)

    def close(self) -> None:
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                _, control, _, _ = self._sock.recvmsg(0, _ROOM_FOR_CONTROL, socket.MSG_ERRQUEUE)
            except OSError:
                break
            error = read_error(control)
            self._take(None if error is None else answer_of(error, target=self._target, own=self._own))
        with contextlib.suppress(OSError):  # nothing there, or the error just read
            self._sock.recv(1)
            self._take(Answer(Fate.REACHED, None))  # connected: only the target gets through

    def _take(self, answer: Answer | None) -> None:
        if answer is not None and self.answer is None:
            self.answer = answer
            self._changed()
