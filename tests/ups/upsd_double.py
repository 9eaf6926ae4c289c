"""An upsd that misbehaves on demand: what it answers to each request line is a table, faults included."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ups.settings import NutServerSettings


@dataclass(frozen=True)
class Late:
    seconds: float
    data: bytes


@dataclass(frozen=True)
class Cut:
    """Says this and hangs up."""

    data: bytes = b""


@dataclass(frozen=True)
class Silent:
    pass


@dataclass(frozen=True)
class Tls:
    """Says OK STARTTLS, then `injected` in clear text, then wraps the connection (never, without a context)."""

    context: ssl.SSLContext | None
    injected: bytes = b""


Step = bytes | Late | Cut | Silent | Tls

HEALTHY: Mapping[str, Step] = {
    "VER": b'Network UPS Tools upsd 2.8.0 - a "double\n',
    "NETVER": b"1.3\n",
    "LIST UPS": b'BEGIN LIST UPS\nUPS network "Core \\"A\\" \xc3\xa9"\nUPS workstation "Desk"\nEND LIST UPS\n',
    "GET VAR network ups.status": b'VAR network ups.status "OL CHRG"\n',
    "GET VAR workstation ups.status": b'VAR workstation ups.status "OL"\n',
    "LIST VAR network": b'BEGIN LIST VAR network\nVAR network battery.charge "97"\nVAR network battery.runtime "1800"\n'
    b'VAR network ups.load "20"\nVAR network ups.model "Smart \\"1500\\""\nEND LIST VAR network\n',
    "LIST VAR workstation": b"BEGIN LIST VAR workstation\nEND LIST VAR workstation\n",
    "LIST CMD network": b"BEGIN LIST CMD network\nCMD network load.off\nCMD network outlet.2.load.off\n"
    b"END LIST CMD network\n",
    "SET TRACKING ON": b"OK\n",
    "USERNAME edged": b"OK\n",
}


class UpsdDouble:
    """Listens on loopback while entered. `answers` may be changed while it runs; `heard` has every line it was sent."""

    def __init__(self, answers: Mapping[str, Step] | None = None) -> None:
        self.answers: dict[str, Step] = {**HEALTHY, **(answers or {})}
        self.heard: list[str] = []
        self.connections = 0
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def settings(self) -> NutServerSettings:
        return self.settings_with()

    def settings_with(self, **changes: object) -> NutServerSettings:
        quick: dict[str, object] = {"timeout_s": 0.3, "connect_timeout_s": 1.0, "poll_s": 0.1, "slow_poll_s": 30.0}
        settings = NutServerSettings.model_validate({"host": "127.0.0.1", "port": self.port, **quick, **changes})
        return settings if "poll_s" in changes else settings.model_copy(update={"poll_s": 0.02})  # below what users may

    @property
    def open_connections(self) -> int:
        return len(self._open)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.hang_up()
        if self._serving:
            await asyncio.wait(self._serving, timeout=1)

    def hang_up(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    def say(self, data: bytes) -> None:
        for writer in self._open:
            writer.write(data)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        try:
            while line := await reader.readline():
                words = line.decode().rstrip("\n")
                self.heard.append(words)
                if await self._answer(writer, self.answers.get(words, b"ERR UNKNOWN-COMMAND\n")):
                    return
        except (ConnectionError, ssl.SSLError):
            return
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, step: Step) -> bool:
        """Returns whether the connection is over."""
        match step:
            case bytes():
                writer.write(step)
            case Late(seconds, data):
                asyncio.get_running_loop().call_later(seconds, writer.write, data)
            case Cut(data):
                writer.write(data)
                return True
            case Tls(context, injected):
                writer.write(b"OK STARTTLS\n" + injected)
                if context is not None:
                    await _wrap(writer, context)
            case Silent():
                pass
        return False


async def _wrap(writer: asyncio.StreamWriter, context: ssl.SSLContext) -> None:
    bare = writer.transport
    try:
        await writer.start_tls(context)
    except AttributeError as error:  # Python 3.11 trips over a peer that left in mid-handshake
        writer._transport = bare  # type: ignore[attr-defined]
        raise ConnectionResetError("left in mid-handshake") from error
