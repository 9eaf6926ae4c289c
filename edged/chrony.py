"""chronyd's word on the clock: its monitoring protocol, version 6 (candm.h of chrony 2.2 and later; tried with 4.3).

`request` and `parse` are octets in and out; `ask` is the thin client around them. Only "tracking" is asked, which
chronyd tells anybody on its own machine: over its Unix socket to whoever may use that folder (root, _chrony), else over
UDP on the loopback. Anything but an answer to what was asked raises ChronyError.
"""

import asyncio
import os
import secrets
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

SOCKET = Path("/run/chrony/chronyd.sock")
ADDRESS = ("127.0.0.1", 323)
PATIENCE_S = 0.5
"""chronyd answers within a millisecond, or not at all."""

_VERSION, _REQUEST, _REPLY = 6, 1, 2
_TRACKING, _TRACKING_REPLY, _SUCCESS = 33, 5, 0
_ASKED = struct.Struct("!BBxxHHI8x")  # version, type, command, attempt, sequence
_HEAD = struct.Struct("!BBxxHHH6xI8x")  # version, type, command, reply, status, sequence
_BODY = struct.Struct("!I20xHHIIIIIIIIIIII")  # reference, its address, stratum, leap, time (3), nine floats
_LENGTH: Final = _HEAD.size + _BODY.size  # a request is as long as its answer: nobody can be flooded through chronyd
_LARGEST: Final = 2048
_NO_HIGH_SECONDS: Final = 0x7FFF_FFFF  # a machine whose time_t has 32 bits
_EXPONENT_BITS: Final = 7
_COEFFICIENT_BITS: Final = 25


class ChronyError(Exception):
    """chronyd's word could not be had."""


class ChronySilent(ChronyError):
    """Nobody answers: no chronyd, or none that may be asked."""


class ChronyGarbled(ChronyError):
    """What came is no answer to what was asked, or says that chronyd will not answer it."""


class Leap(IntEnum):
    NORMAL = 0
    INSERT = 1
    DELETE = 2
    UNSYNCHRONISED = 3


@dataclass(frozen=True, slots=True)
class Tracking:
    leap: Leap
    stratum: int
    """0 before it ever followed anything."""
    reference: int
    """An IPv4 address, the hash of an IPv6 one, four letters of a reference clock, or LOCAL."""
    ahead_s: float
    """How far the system clock is ahead of the time chronyd believes in; negative: behind."""
    root_delay_s: float
    root_dispersion_s: float
    updated_wall_s: float | None
    """When it last heard from its sources, in seconds since 1970; None: never."""

    @property
    def error_s(self) -> float:
        """The bound on the clock's error (chronyc(1), "Root dispersion")."""
        return abs(self.ahead_s) + self.root_dispersion_s + self.root_delay_s / 2


LOCAL: Final = 0x7F7F_0101
"""The reference "127.127.1.1": chronyd has no source and serves its own clock (`local` in chrony.conf(5))."""


def request(sequence: int) -> bytes:
    """Asks for "tracking"; the answer repeats `sequence` (32 bits)."""
    return _ASKED.pack(_VERSION, _REQUEST, _TRACKING, 0, sequence).ljust(_LENGTH, b"\0")


def parse(datagram: bytes, sequence: int) -> Tracking:
    """The answer to `request(sequence)`. Raises ChronyGarbled."""
    if len(datagram) < _HEAD.size:
        raise ChronyGarbled(f"{len(datagram)} octets are no reply")
    version, kind, command, reply, status, echoed = _HEAD.unpack_from(datagram)
    if (version, kind, command, echoed) != (_VERSION, _REPLY, _TRACKING, sequence):
        raise ChronyGarbled(f"a reply to something else: version {version}, type {kind}, command {command}")
    if (reply, status) != (_TRACKING_REPLY, _SUCCESS) or len(datagram) < _LENGTH:
        raise ChronyGarbled(f"no tracking: reply {reply}, status {status}, {len(datagram)} octets")
    return _tracking(*_BODY.unpack_from(datagram, _HEAD.size))


def _tracking(reference: int, stratum: int, leap: int, *rest: int) -> Tracking:
    high, low, nanoseconds, correction, _, _, _, _, _, delay, dispersion, _ = rest
    if leap > max(Leap):
        raise ChronyGarbled(f"leap status {leap}")
    seconds = low if high == _NO_HIGH_SECONDS else high << 32 | low
    return Tracking(
        leap=Leap(leap),
        stratum=stratum,
        reference=reference,
        ahead_s=0.0 - number(correction),  # theirs is what is to be added to the clock
        root_delay_s=abs(number(delay)),
        root_dispersion_s=abs(number(dispersion)),
        updated_wall_s=seconds + nanoseconds / 1e9 if seconds else None,
    )


def number(word: int) -> float:
    """chrony's float: 7 bits of exponent, 25 of coefficient, both two's complement; coefficient · 2^(exponent − 25)."""
    exponent = _signed(word >> _COEFFICIENT_BITS, _EXPONENT_BITS) - _COEFFICIENT_BITS
    return float(_signed(word & (1 << _COEFFICIENT_BITS) - 1, _COEFFICIENT_BITS) * 2.0**exponent)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


# ── the client ─────────────────────────────────────────────────────────────────────────────────────────
async def ask(path: Path = SOCKET, address: tuple[str, int] = ADDRESS) -> Tracking:
    """Raises ChronyError, at the latest after PATIENCE_S for each way."""
    try:
        with _unix(path) as sock:
            return await _exchange(sock)
    except (OSError, ChronySilent):  # not ours to use, or nobody behind it
        pass
    try:
        with _udp(address) as sock:
            return await _exchange(sock)
    except OSError as error:
        raise ChronySilent(f"{address[0]} port {address[1]}: {error}") from error


async def _exchange(sock: socket.socket) -> Tracking:
    loop, sequence = asyncio.get_running_loop(), secrets.randbits(32)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await loop.sock_sendall(sock, request(sequence))
            return parse(await loop.sock_recv(sock, _LARGEST), sequence)
    except TimeoutError as error:
        raise ChronySilent(f"no answer within {PATIENCE_S:g} s") from error


@contextmanager
def _udp(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.connect(address)  # answers of others do not reach us
        yield sock


@contextmanager
def _unix(path: Path) -> Iterator[socket.socket]:
    """chronyd answers to a socket that has a name, and that it may write to after it dropped its privileges."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        own = path.with_name(f"edged.{os.getpid()}.{secrets.token_hex(4)}.sock")
        sock.bind(str(own))
        try:
            own.chmod(0o666)
            sock.connect(str(path))
            yield sock
        finally:
            with suppress(OSError):
                own.unlink()
