"""One SIP transaction, RFC 3261 section 17.1.2: the request, its retransmissions over UDP, one outcome.

The retransmissions belong to the transaction (timer E: 0.5 s, doubling up to 4 s), so one lost packet is no lost probe;
the prober itself never retries. An error of our own host says nothing about the line and is told apart.
"""

import asyncio
import errno
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from probes.errors import PeerError
from probes.packets.sip import SipRequest, SipResponse, Transaction, options, parse_response, split_stream
from probes.phone_settings import PhoneSettings, at
from probes.reading import PhoneCause

T1_S, T2_S = 0.5, 4.0  # RFC 3261 table 4

# What these errors tell of the line. Any other is our own host's: no route, no source address, no permission.
_TOLD_BY_PEER = {
    errno.ECONNREFUSED: PhoneCause.REFUSED,
    errno.ECONNRESET: PhoneCause.REFUSED,
    errno.EPIPE: PhoneCause.REFUSED,
    errno.EHOSTUNREACH: PhoneCause.NO_ANSWER,
    errno.EHOSTDOWN: PhoneCause.NO_ANSWER,
    errno.ETIMEDOUT: PhoneCause.NO_ANSWER,
}


@dataclass(frozen=True, slots=True)
class SipPeer:
    """Whom to ask, and how long one transaction may take."""

    host: str
    port: int
    transport: str
    """"udp" or "tcp"."""
    source: str | None
    """Local address to ask from; none: the kernel chooses."""
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Asking:
    """What requests that belong together have in common, random (sections 8.1.1.4, 19.3), and their number."""

    call_id: str = field(default_factory=lambda: secrets.token_hex(12))
    tag: str = field(default_factory=lambda: secrets.token_hex(4))
    cseq: int = field(default_factory=lambda: 1 + secrets.randbelow(2**31 - 16))


Write = Callable[[Transaction], SipRequest]


@dataclass(frozen=True, slots=True)
class SipOutcome:
    """How one transaction ended. With a `code` a final response came and the cause is NONE, whatever the code."""

    cause: PhoneCause
    code: int | None = None
    rtt_s: float | None = None
    """None also if the request was sent more than once: then nobody knows which one was answered."""
    response: SipResponse | None = field(default=None, compare=False, repr=False)


async def ask_options(settings: PhoneSettings) -> SipOutcome:
    """Ask once whether the line is there; takes at most `settings.timeout_s`. Every failure is an outcome."""
    source = None if settings.source is None else str(settings.source)
    peer = SipPeer(str(settings.host), settings.port, settings.transport, source, settings.timeout_s)

    def write(own: Transaction) -> SipRequest:
        return options(settings.uri, f"sip:{settings.caller}@{own.sent_by}", own)

    return await ask(peer, write, Asking())


async def ask(peer: SipPeer, write: Write, asking: Asking) -> SipOutcome:
    """One request and its final response. Raises nothing but CancelledError: every failure is an outcome."""
    over = _over_tcp if peer.transport == "tcp" else _over_udp
    try:
        return await over(peer, write, asking)
    except TimeoutError:
        return SipOutcome(PhoneCause.NO_ANSWER)
    except PeerError:
        return SipOutcome(PhoneCause.MALFORMED)
    except OSError as error:
        return SipOutcome(_TOLD_BY_PEER.get(error.errno or 0, PhoneCause.UNASKED))


def _transaction(peer: SipPeer, asking: Asking, host: str, port: int) -> Transaction:
    """Of a request nobody sent before: the branch is random (section 8.1.1.7)."""
    branch = "z9hG4bK" + secrets.token_hex(8)
    return Transaction(peer.transport, at(host, port), branch, asking.tag, asking.call_id, asking.cseq)


def _local(peer: SipPeer) -> tuple[str, int] | None:
    return None if peer.source is None else (peer.source, 0)


async def _over_udp(peer: SipPeer, write: Write, asking: Asking) -> SipOutcome:
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(
        lambda: _UdpClient(loop), local_addr=_local(peer), remote_addr=(peer.host, peer.port)
    )
    try:
        host, port = transport.get_extra_info("sockname")[:2]
        request = write(_transaction(peer, asking, host, port))
        return await client.ask(transport, request, peer.timeout_s)
    finally:
        transport.abort()


class _UdpClient(asyncio.DatagramProtocol):
    """Waits for the one response that is ours; what else comes to the port is only remembered as garbage."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._now_s = loop.time
        self._request: SipRequest | None = None
        self._answer: asyncio.Future[tuple[SipResponse, float]] = loop.create_future()
        self._heard = self._garbage = False

    async def ask(self, transport: asyncio.DatagramTransport, request: SipRequest, timeout_s: float) -> SipOutcome:
        self._request, message = request, request.encode()
        started_s = self._now_s()
        wait_s, sent = T1_S, 0
        while (left_s := started_s + timeout_s - self._now_s()) > 0 and not self._answer.done():
            transport.sendto(message)
            sent += 1
            await asyncio.wait({self._answer}, timeout=min(wait_s, left_s))
            wait_s = T2_S if self._heard else min(2 * wait_s, T2_S)
        if not self._answer.done():
            return SipOutcome(PhoneCause.MALFORMED if self._garbage else PhoneCause.NO_ANSWER)
        response, answered_s = self._answer.result()
        rtt_s = answered_s - started_s if sent == 1 else None
        return SipOutcome(PhoneCause.NONE, response.code, rtt_s, response)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            response = parse_response(data)
        except PeerError:
            self._garbage = True
            return
        if self._request is None or not response.answers(self._request):
            return  # a late response to an earlier probe
        if not response.final:
            self._heard = True
        elif not self._answer.done():
            self._answer.set_result((response, self._now_s()))

    def error_received(self, exc: Exception) -> None:
        if not self._answer.done():
            self._answer.set_exception(exc)
            self._answer.exception()  # looked at: asyncio need not complain if the prober is cancelled before it looks


async def _over_tcp(peer: SipPeer, write: Write, asking: Asking) -> SipOutcome:
    """A connection of its own per probe: accepting one is part of what is asked."""
    now_s = asyncio.get_running_loop().time
    async with asyncio.timeout(peer.timeout_s):
        reader, writer = await asyncio.open_connection(peer.host, peer.port, local_addr=_local(peer))
        try:
            host, port = writer.get_extra_info("sockname")[:2]
            request = write(_transaction(peer, asking, host, port))
            sent_s = now_s()
            writer.write(request.encode())
            response = await _final_response(reader, request)
            return SipOutcome(PhoneCause.NONE, response.code, now_s() - sent_s, response)
        finally:
            writer.transport.abort()


async def _final_response(reader: asyncio.StreamReader, request: SipRequest) -> SipResponse:
    buffer = b""
    while chunk := await reader.read(4096):
        buffer = (buffer + chunk).lstrip(b"\r\n")  # keep-alives (section 7.5) must not pile up
        while (split := split_stream(buffer)) is not None:
            message, buffer = split
            response = parse_response(message)
            if response.final and response.answers(request):
                return response
        await asyncio.sleep(0)  # a read of what already waits does not give way to others
    if buffer:
        raise PeerError(f"connection closed inside a SIP message after {len(buffer)} bytes")
    raise ConnectionResetError(errno.ECONNRESET, "connection closed without a SIP response")
