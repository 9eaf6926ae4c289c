"""One TCP connection to an upsd: one request at a time, one reply to each, dropped for good at the first doubt.

A reply that comes late would be taken for the answer to the next question, and "on mains" would be believed a second
too long. So a timeout, a cancelled question, an unasked line or garbage ends the connection; the next question needs a
new one.
"""

import asyncio
import ssl

from ups.nut_wire import NutPeerError, Reply, ReplyReader, encode


class NutLink(asyncio.Protocol):
    """The asyncio side of one connection. `peer` is "host:port", for messages."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self._reader = ReplyReader()
        self._transport: asyncio.Transport | None = None
        self._awaited: asyncio.Future[Reply] | None = None
        self._turn = asyncio.Lock()
        self._fault: NutPeerError | None = None
        self._ended = asyncio.Event()

    async def ask(self, *words: str, timeout_s: float) -> Reply:
        """Send one request and return its reply, after those who asked before. Raises NutPeerError, NutUsageError."""
        line = encode(*words)
        async with self._turn:
            transport = self._usable()
            self._awaited = asyncio.get_running_loop().create_future()
            reply = None
            try:
                transport.write(line)
                async with asyncio.timeout(timeout_s):
                    reply = await self._awaited
                return reply
            except TimeoutError as error:
                raise self.drop(f"no reply to {words[0]} within {timeout_s:g} s") from error
            finally:
                if reply is None:  # cancelled, or failed: the answer may still be on its way
                    self.drop(f"{words[0]} was given up")

    async def start_tls(self, context: ssl.SSLContext, server_name: str, *, timeout_s: float) -> None:
        """Wrap the connection, after the peer agreed. Raises NutPeerError, also for a certificate not believed."""
        transport, wrapped = self._usable(), None
        try:
            async with asyncio.timeout(timeout_s):
                wrapped = await asyncio.get_running_loop().start_tls(
                    transport, self, context, server_hostname=server_name, ssl_handshake_timeout=timeout_s
                )
            if wrapped is None:  # asyncio's way to say that the peer left in mid-handshake
                raise self.drop("TLS failed: connection lost")
        except OSError as error:  # SSLError and TimeoutError are OSErrors
            raise self.drop(f"TLS failed: {str(error) or type(error).__name__}") from error
        finally:
            if wrapped is None:
                transport.abort()
                self.drop("TLS was given up")
        self._transport = wrapped

    async def rest(self, seconds: float) -> None:
        """Sleep, but raise NutPeerError at once if the connection ends meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return
        raise NutPeerError(str(self._fault)) from self._fault

    def drop(self, why: str) -> NutPeerError:
        """End the connection. Returns the fault that ended it, which is the first one told."""
        if self._fault is None:
            self._fault = NutPeerError(f"{self.peer}: {why}")
            self._ended.set()
            if self._awaited is not None and not self._awaited.done():
                self._awaited.set_exception(NutPeerError(str(self._fault)))
        if self._transport is not None:
            self._transport.abort()
        return self._fault

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while self._fault is None and (reply := self._reader.next_reply()) is not None:
                self._answer(reply)
        except NutPeerError as error:
            self.drop(str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        self.drop(f"connection lost: {exc}" if exc else "connection closed by the peer")

    def _answer(self, reply: Reply) -> None:
        if self._awaited is None or self._awaited.done():
            self.drop(f"spoke unasked: {str(reply)[:80]}")
        else:
            self._awaited.set_result(reply)

    def _usable(self) -> asyncio.Transport:
        if self._fault is None and not self._reader.idle:
            self.drop("spoke unasked: an unfinished reply")
        if self._fault is not None or self._transport is None:
            raise NutPeerError(f"connection is gone: {self._fault}") from self._fault
        return self._transport
