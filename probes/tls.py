"""TLS handshake: does the platform itself let us in, up to the certificate it shows?

The round trip is that of the whole handshake, from SYN to the end of TLS: two to three round trips of the line and
what the server computes. Stamps are ours, 0.2–3 ms late, which is little against that. No application data is sent.

A reset, an alert or a bad certificate is an answer of the link all the same, as somebody beyond it spoke; that the
service is not fit is the prober's `trouble`, logged at each change. Silence after the TCP handshake is a loss, since
some mobile networks accept every connection on their own. All sockets live on the loop's readers and writers; one
step of a handshake takes about a millisecond.
"""

import asyncio
import errno
import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache
from typing import Annotated, ClassVar, Literal

from pydantic import Field, FilePath

from probes.errors import MisuseError
from probes.far_service import FarService
from probes.kernel_time import Stamps
from probes.prober import Answered, Heard, Pin, Prober, Refusal, TargetSettings
from probes.tcp_connect import Connecting, connect, judge
from probes.tls_handshake import NotTls, TlsHandshake, TlsTrouble, cause_of, trouble_of

_AT_ONCE = 16_384  # one record; the loop gets its turn between two
_READS_TO_PART = 16


class TlsTarget(TargetSettings):
    """A server whose certificate is checked against `ca_file` (else the system's CAs) and `server_name`."""

    heavy: ClassVar[bool] = True
    heavy_calm_s: ClassVar[float] = 30.0
    heavy_alert_s: ClassVar[float] = 2.0
    wire_bytes: ClassVar[int] = 6000  # most of it the certificates: every 30 s, 0.5 GB a month

    kind: Literal["tls"] = "tls"
    port: Annotated[int, Field(ge=1, le=65535)] = 443
    server_name: Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$")]
    ca_file: FilePath | None = None
    """PEM. The system's own are read in 25 ms once, a file of one CA in less than one."""
    alpn: Annotated[tuple[Annotated[str, Field(pattern=r"^[!-~]{1,255}$")], ...], Field(max_length=8)] = ()
    """Protocols to offer, for servers that insist on one: "h2", "mqtt"."""

    @property
    def label(self) -> str:
        return f"tls {self.address}" if self.port == 443 else f"tls {self.address} port {self.port}"

    def prober(self, pin: Pin, heard: Heard) -> Prober:
        return TlsProber(self, pin, heard)


@dataclass(slots=True)
class _Conversation:
    connecting: Connecting
    tls: TlsHandshake

    @property
    def sock(self) -> socket.socket:
        return self.connecting.sock


class TlsProber:
    """Raises MisuseError for a CA file that cannot be read, or holds no certificate."""

    def __init__(self, target: TlsTarget, pin: Pin, heard: Heard) -> None:
        self._target, self._pin, self._heard = target, pin, heard
        self._loop = asyncio.get_running_loop()
        self._context = _context(target)
        self._service: FarService[TlsTrouble] = FarService(target.label, pin)
        self._open: dict[int, _Conversation] = {}
        self._parting: _Parting | None = None

    @property
    def trouble(self) -> TlsTrouble | None:
        return self._service.trouble

    def send(self, number: int) -> Refusal | None:
        connecting = connect(self._target.address, self._target.port, self._pin)
        if isinstance(connecting, Refusal):
            return connecting
        self._open[number] = _Conversation(connecting, TlsHandshake(self._context, self._target.server_name))
        if connecting.over:  # answers are never told from inside `send`
            self._loop.call_soon(self._connected, number)
        else:
            self._loop.add_writer(connecting.sock.fileno(), self._connected, number)
        return None

    def forget(self, number: int) -> None:
        conversation = self._open.pop(number, None)
        if conversation is not None:
            self._unwatch(conversation.sock)
            conversation.sock.close()

    def close(self) -> None:
        for number in list(self._open):
            self.forget(number)
        self._part_with(None)

    # ── the way of one conversation ────────────────────────────────────────────────────────────────────
    def _connected(self, number: int) -> None:
        conversation = self._open.get(number)
        if conversation is None:
            return
        self._loop.remove_writer(conversation.sock.fileno())
        handshake = judge(conversation.connecting)
        if handshake is None:
            self.forget(number)
        elif not handshake.accepted:
            self._ended(number, TlsTrouble.RESET, "connection refused")
        else:
            self._loop.add_reader(conversation.sock.fileno(), self._readable, number)
            self._step(number, conversation, None)

    def _readable(self, number: int) -> None:
        conversation = self._open[number]
        try:
            data = conversation.sock.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except ConnectionError as error:
            self._ended(number, trouble_of(error), str(error))
        except OSError:  # unreachable, timed out: silence
            self.forget(number)
        else:
            self._step(number, conversation, data)

    def _step(self, number: int, conversation: _Conversation, data: bytes | None) -> None:
        """`data` is None before anything arrived, empty at the end of the stream."""
        try:
            if data == b"":
                raise NotTls(TlsTrouble.CLOSED, "connection closed inside the handshake")
            conversation.tls.advance(data or b"")
            _send(conversation)
        except (ssl.SSLError, NotTls, ConnectionError) as error:
            self._ended(number, trouble_of(error), cause_of(error))
        except OSError:
            self.forget(number)
        else:
            if conversation.tls.done:
                self._ended(number, None, "")

    def _ended(self, number: int, trouble: TlsTrouble | None, detail: str) -> None:
        conversation = self._open.pop(number)
        rtt_s = time.monotonic() - conversation.connecting.began_s
        self._unwatch(conversation.sock)
        self._part_with(conversation)
        self._service.found(trouble, detail)
        self._heard(number, Answered(rtt_s, Stamps.USER))

    def _unwatch(self, sock: socket.socket) -> None:
        self._loop.remove_reader(sock.fileno())
        self._loop.remove_writer(sock.fileno())

    def _part_with(self, conversation: _Conversation | None) -> None:
        """One parting is kept at a time, so that a server which never closes costs us no more than one socket."""
        if self._parting is not None:
            self._parting.close()
        self._parting = None if conversation is None else _Parting(self._loop, conversation)


class _Parting:
    """Our goodbye or our alert is said; what the server still says is read, or the kernel would reset it for that."""

    def __init__(self, loop: asyncio.AbstractEventLoop, conversation: _Conversation) -> None:
        self._loop, self._sock = loop, conversation.sock
        self._reads_left = _READS_TO_PART
        if conversation.tls.done:
            conversation.tls.farewell()
        try:
            _send(conversation)
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:  # it is gone already
            self._sock.close()
        else:
            loop.add_reader(self._sock.fileno(), self._read)

    def close(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()

    def _read(self) -> None:
        self._reads_left -= 1
        try:
            over = not self._sock.recv(_AT_ONCE)
        except BlockingIOError:
            over = False
        except OSError:
            over = True
        if over or self._reads_left == 0:
            self.close()


def _send(conversation: _Conversation) -> None:
    """A flight of ours is 2–3 kB, which an empty socket takes whole. Raises OSError where it does not."""
    flight = conversation.tls.to_send()
    if flight and conversation.sock.send(flight) < len(flight):
        raise BlockingIOError(errno.EAGAIN, "the kernel is short of memory for a TLS flight")


def _context(target: TlsTarget) -> ssl.SSLContext:
    if target.ca_file is None:
        return _system_context(target.alpn)
    context = _empty_context(target.alpn)
    try:
        context.load_verify_locations(target.ca_file)
    except ssl.SSLError as error:
        raise MisuseError(f"{target.label}: {target.ca_file} holds no CA certificate in PEM") from error
    except OSError as error:
        raise MisuseError(f"{target.label}: cannot read the CA in {target.ca_file}: {error.strerror}") from error
    return context


@cache
def _system_context(alpn: tuple[str, ...]) -> ssl.SSLContext:
    """Shared by all links: 25 ms of the loop once, not once a link."""
    context = _empty_context(alpn)
    context.load_default_certs()
    return context


def _empty_context(alpn: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # certificate required, name checked
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context
