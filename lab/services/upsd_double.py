"""Our stand-in for upsd, and the one that can be broken on purpose: silent, cut in mid line, garbage, stale, driver
lost, TLS.

double = UpsdDouble({"network": Unit(variables={"ups.status": "OL"})})
async with double.serving("127.0.0.1", 0) as port: ...
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum

from lab.services.upsd_answers import ANSWER_TO_TLS, Ailment, Server, Session, Unit

LINE_LIMIT = 1024


class Fault(StrEnum):
    """What is wrong with every answer from now on."""

    NONE = "none"
    SILENT = "silent"  # reads, never answers
    CUT = "cut"  # half of the answer, then the connection is closed
    GARBAGE = "garbage"  # bytes that are no NUT, with a line end
    ENDLESS = "endless"  # a line that never ends, then silence
    REFUSE = "refuse"  # hangs up on every question


class UpsdDouble:
    """upsd in this event loop. `units`, `fault` and `server` may be changed while it serves."""

    def __init__(
        self,
        units: Mapping[str, Unit],
        *,
        users: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.server = Server(units=dict(units), users=dict(users or {}), tls=tls is not None)
        self.fault = Fault.NONE
        self.lines: list[str] = []
        """Every line received, in order."""
        self._tls = tls
        self._connections: set[asyncio.StreamWriter] = set()

    @property
    def units(self) -> dict[str, Unit]:
        return self.server.units

    def ail(self, ailment: Ailment) -> None:
        """Every UPS at once: stale, driver lost, or well."""
        for unit in self.units.values():
            unit.ailment = ailment

    @asynccontextmanager
    async def serving(self, host: str, port: int = 0) -> AsyncIterator[int]:
        """Serve for the length of the `with`; gives the port."""
        listener = await asyncio.start_server(self._serve, host, port, limit=LINE_LIMIT)
        try:
            yield int(listener.sockets[0].getsockname()[1])
        finally:
            listener.close()
            self.hang_up()

    def hang_up(self) -> None:
        """Cut every connection there is."""
        for writer in self._connections:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        session = Session(self.server)
        try:
            while not session.ended and (line := await reader.readline()).endswith(b"\n"):
                self.lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
                if not await self._reply(session.answer(self.lines[-1]), writer):
                    break
        except (ConnectionError, ssl.SSLError, ValueError):  # ValueError: a line beyond LINE_LIMIT
            pass
        finally:
            session.leave()
            self._connections.discard(writer)
            writer.close()

    async def _reply(self, rows: list[str], writer: asyncio.StreamWriter) -> bool:
        """Send the answer as the fault of the moment lets it; False to hang up."""
        whole = "".join(f"{row}\n" for row in rows).encode()
        match self.fault:
            case Fault.NONE:
                writer.write(whole)
            case Fault.SILENT:
                return True
            case Fault.CUT:
                writer.write(whole[: len(whole) // 2])
            case Fault.GARBAGE:
                writer.write(b'\xff\x00\xfe VAR "\n')
            case Fault.ENDLESS:
                writer.write(b"VAR " + b"x" * 1_000_000)
            case Fault.REFUSE:
                return False
        await writer.drain()
        if self._tls is not None and rows == [ANSWER_TO_TLS] and self.fault is Fault.NONE:
            await writer.start_tls(self._tls)
        return self.fault is not Fault.CUT
