"""Path diagnosis: where a link's path dies, whether it keeps the code point, how large a packet may be.

The work is done by a program of its own (`python -m probes.diagnosis`), for it imports scapy (docs/decisions/0002),
and costs the daemon neither time nor memory. It gets one order, gives one document, and is killed with all its children
when its time is over or nobody waits any more. What it says is not trusted before it is read by its model.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

import structlog
from pydantic import TypeAdapter, ValidationError

from probes.errors import MisuseError
from probes.line_reading import DiesAt, PathReading
from probes.packets.stamp import PORT
from probes.path_document import Document, Failure, Order
from probes.prober import IpAddress, Pin

log = structlog.get_logger()

PROGRAM = (sys.executable, "-I", "-m", "probes.diagnosis")
"""-I: nothing from the caller's folder or environment."""

_LONGEST_ANSWER = 256 * 1024
_LONGEST_COMPLAINT = 4096
_START_S = 5.0  # of the program, on a busy box; 0.5 s on an idle one
_LEAST_S = 1.0

_ANSWER: TypeAdapter[Document | Failure] = TypeAdapter(Document | Failure)
_under_way: set[str] = set()


class Trouble(StrEnum):
    """Why there is no diagnosis."""

    NO_SCAPY = "no_scapy"  # installed without it
    NOT_PERMITTED = "not_permitted"  # no CAP_NET_RAW
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"  # ended without a document, or with something else
    BUSY = "busy"  # one of this link is under way


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRequest:
    link: str
    pin: Pin
    target: IpAddress
    udp_port: int = PORT
    """Where a STAMP reflector answers without a key. Any other service or a closed port is as good for the walk."""
    dscp: int = 46
    """Of every packet sent; EF (RFC 3246), as real-time media has."""
    max_hops: int = 16
    want_mtu: int = 1500
    usual: tuple[str | None, ...] = ()
    """Routers from the nearest on when this target was last reached (`usual_way` of that reading): with them, a dead
    far end is told from a dead provider.
    """


async def diagnose(
    request: PathRequest,
    *,
    timeout_s: float = 20.0,
    monotonic: Callable[[], float] = time.monotonic,
    program: Sequence[str] = PROGRAM,
) -> PathReading:
    """At most 200 packets, 1 Mbit/s, `timeout_s`. Always returns a reading. Raises MisuseError for a request that no
    diagnosis takes, such as a code point above 63.
    """
    order = _order(request, timeout_s)
    if request.link in _under_way:
        return _no_reading(request, monotonic(), Trouble.BUSY)
    _under_way.add(request.link)
    try:
        async with asyncio.timeout(timeout_s):
            answer = await _answer(order, program)
    except TimeoutError:
        answer = Trouble.TIMED_OUT
    except OSError as error:  # no such program, or no process to be had
        log.warning("path_diagnosis_does_not_start", link=request.link, error=str(error))
        answer = Trouble.CRASHED
    finally:
        _under_way.discard(request.link)
    if isinstance(answer, Document):
        return _reading(answer, monotonic())
    return _no_reading(request, monotonic(), answer)


def usual_way(reading: PathReading) -> tuple[str | None, ...]:
    """What a later request may take for the usual: the routers up to the target. Empty if it was not reached."""
    if reading.dies_at is not DiesAt.NOWHERE or reading.trouble is not None:
        return ()
    document = Document.model_validate(reading.document)
    if document.target.hops is None:
        return ()
    return tuple(hop.address for hop in document.hops[:-1])


# ── the program ────────────────────────────────────────────────────────────────────────────────────────
async def _answer(order: Order, program: Sequence[str]) -> Document | Trouble:
    async with _running(program) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(ConnectionError):  # it ended before it read: what it said tells why
            process.stdin.write(order.model_dump_json().encode())
            process.stdin.write_eof()
        said = await _read_all(process.stdout, _LONGEST_ANSWER)
    try:
        answer = _ANSWER.validate_json(said)
    except ValidationError as error:
        log.warning("path_diagnosis_says_nothing_usable", link=order.link, bytes=len(said), errors=error.error_count())
        return Trouble.CRASHED
    return answer if isinstance(answer, Document) else Trouble(answer.trouble)


@asynccontextmanager
async def _running(program: Sequence[str]) -> AsyncIterator[Process]:
    """In a process group of its own, of which nothing is left behind. Its complaints go to the log."""
    process = await asyncio.create_subprocess_exec(
        *program, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={"HOME": os.devnull}, start_new_session=True
    )
    assert process.stderr is not None
    complaints = asyncio.create_task(_log_complaints(process.stderr))
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        complaints.cancel()
        await process.wait()


async def _read_all(stream: asyncio.StreamReader, most: int) -> bytes:
    """Until its end, or one byte more than `most`."""
    read = bytearray()
    while len(read) <= most and (chunk := await stream.read(most + 1 - len(read))):
        read += chunk
    return bytes(read)


async def _log_complaints(stream: asyncio.StreamReader) -> None:
    """The beginning; the rest is read and forgotten, so that a talkative program never waits for us."""
    said = await _read_all(stream, _LONGEST_COMPLAINT)
    if said:
        log.debug("path_diagnosis_complains", text=said[:_LONGEST_COMPLAINT].decode(errors="replace"))
    while await stream.read(65536):
        pass


# ── readings ───────────────────────────────────────────────────────────────────────────────────────────
def _order(request: PathRequest, timeout_s: float) -> Order:
    pin = request.pin
    try:
        return Order(
            link=request.link,
            source=None if pin.source is None else str(pin.source),
            interface=pin.interface,
            target=str(request.target),
            udp_port=request.udp_port,
            dscp=request.dscp,
            max_hops=request.max_hops,
            want_mtu=request.want_mtu,
            usual=request.usual,
            within_s=max(_LEAST_S, timeout_s - _START_S),
        )
    except ValidationError as error:
        raise MisuseError(f"no path diagnosis of {request.link}: {error}") from error


def _reading(document: Document, at_s: float) -> PathReading:
    routers = [hop.address for hop in document.hops if hop.address not in (None, document.target.address)]
    return PathReading(
        link=document.link,
        at_s=at_s,
        target=document.target.address,
        dies_at=document.dies_at,
        last_hop=routers[-1] if routers else None,
        dscp_changed_at=document.dscp.changed_at if document.dscp else None,
        mtu_bytes=document.mtu.bytes if document.mtu else None,
        trouble=None,
        document=document.model_dump(mode="json"),
    )


def _no_reading(request: PathRequest, at_s: float, trouble: Trouble) -> PathReading:
    return PathReading(
        link=request.link,
        at_s=at_s,
        target=str(request.target),
        dies_at=DiesAt.UNKNOWN,
        last_hop=None,
        dscp_changed_at=None,
        mtu_bytes=None,
        trouble=trouble,
        document={},
    )
