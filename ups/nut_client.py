"""What can be asked of an upsd: its commands as coroutines on one connection.

Nothing is ever asked twice by itself. After any NutPeerError the connection is gone; if the question was INSTCMD or
SET, nobody knows whether it was carried out, and only the caller can find out (GET TRACKING, the UPS's state) before
asking again. NutRefused is an answer and leaves the connection good.
"""

import asyncio
import ssl
from enum import StrEnum
from pathlib import Path
from typing import Self

from ups.nut_link import NutLink
from ups.nut_wire import Cmd, Err, Listing, NutPeerError, NutRefused, NutUsageError, Ok, Reply, Row, Text, Ups, Var
from ups.settings import NutServerSettings


class Tracking(StrEnum):
    """What became of a tracked command (RFC 9271 section 4.2.4)."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    UNKNOWN = "UNKNOWN"  # the driver does not know the command, or the server does not know the id
    INVALID_ARGUMENT = "INVALID-ARGUMENT"
    FAILED = "FAILED"


_TRACKING = frozenset(Tracking)


class NutClient:
    """One connection to one upsd; `async with await NutClient.connect(settings) as client:` closes it again.

    Every coroutine raises NutPeerError, NutRefused, or NutUsageError for words that cannot be sent.
    """

    def __init__(self, link: NutLink, *, timeout_s: float) -> None:
        self._link = link
        self._timeout_s = timeout_s

    @classmethod
    async def connect(cls, server: NutServerSettings) -> Self:
        """Connect, start TLS and log in as the settings say, each within its time. Files are read anew each time."""
        context, login = await asyncio.to_thread(_secrets, server)
        client = cls(await _dial(server), timeout_s=server.timeout_s)
        entered = False
        try:
            if context is not None:
                await client._start_tls(context, server)
            if login is not None:
                await client.login(*login)
            entered = True
        finally:
            if not entered:
                client.close()
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._link.drop("closed by us")

    async def rest(self, seconds: float) -> None:
        """Sleep; a connection that ends meanwhile raises NutPeerError at once."""
        await self._link.rest(seconds)

    async def version(self) -> str:
        return await self._text("VER")

    async def protocol_version(self) -> str:
        return await self._text("NETVER")

    async def list_ups(self) -> dict[str, str]:
        """Names and descriptions."""
        return {row.name: row.description for row in await self._list("UPS") if isinstance(row, Ups)}

    async def list_vars(self, ups: str) -> dict[str, str]:
        return {row.name: row.value for row in await self._list("VAR", ups) if isinstance(row, Var)}

    async def list_cmds(self, ups: str) -> tuple[str, ...]:
        return tuple(row.name for row in await self._list("CMD", ups) if isinstance(row, Cmd))

    async def get_var(self, ups: str, name: str) -> str:
        match await self._ask("GET", "VAR", ups, name):
            case Var(said_ups, said_name, value) if _same((said_ups, said_name), (ups, name)):
                return value
            case other:
                raise self._misfit(f"GET VAR {ups} {name}", other)

    async def login(self, username: str, password: str) -> None:
        """upsd only believes or refuses them at the first command that needs them."""
        await self._ok("USERNAME", username)
        await self._ok("PASSWORD", password)

    async def set_tracking(self, on: bool) -> None:
        """With tracking on, `instcmd` and `set_var` return an id for `tracking`."""
        await self._ok("SET", "TRACKING", "ON" if on else "OFF")

    async def instcmd(self, ups: str, command: str, value: str | None = None) -> str | None:
        """Queue an instant command. A normal return means "queued", never "done"."""
        return (await self._ok("INSTCMD", ups, command, *(() if value is None else (value,)))).tracking

    async def set_var(self, ups: str, name: str, value: str) -> str | None:
        """Queue a change of a variable. A normal return means "queued", never "done"."""
        return (await self._ok("SET", "VAR", ups, name, value)).tracking

    async def tracking(self, tracking_id: str) -> Tracking:
        reply = await self._link.ask("GET", "TRACKING", tracking_id, timeout_s=self._timeout_s)
        match reply:
            case Text(word) | Err(word) if word in _TRACKING:
                return Tracking(word)
            case Err(code, text):
                raise NutRefused(self._link.peer, "GET TRACKING", code, text)
            case other:
                raise self._misfit("GET TRACKING", other)

    async def _start_tls(self, context: ssl.SSLContext, server: NutServerSettings) -> None:
        try:
            await self._ok("STARTTLS")
        except NutRefused as error:  # going on in clear text is no choice
            raise NutPeerError(f"TLS is demanded but {error}") from error
        name = server.tls_server_name or server.host
        await self._link.start_tls(context, name, timeout_s=server.connect_timeout_s)

    async def _ask(self, *words: str) -> Reply:
        reply = await self._link.ask(*words, timeout_s=self._timeout_s)
        if isinstance(reply, Err):
            asked = words[0] if words[0] == "PASSWORD" else " ".join(words)
            raise NutRefused(self._link.peer, asked, reply.code, reply.text)
        return reply

    async def _text(self, *words: str) -> str:
        reply = await self._ask(*words)
        if isinstance(reply, Text):
            return reply.text
        raise self._misfit(words[0], reply)

    async def _ok(self, *words: str) -> Ok:
        reply = await self._ask(*words)
        if isinstance(reply, Ok):
            return reply
        raise self._misfit(words[0], reply)

    async def _list(self, *query: str) -> tuple[Row, ...]:
        reply = await self._ask("LIST", *query)
        if (
            isinstance(reply, Listing)
            and _same(reply.query, query)
            and all(_row_fits(row, query) for row in reply.rows)
        ):
            return reply.rows
        raise self._misfit(f"LIST {' '.join(query)}", reply)

    def _misfit(self, asked: str, reply: Reply) -> NutPeerError:
        return self._link.drop(f"answered {asked} with {str(reply)[:120]}")


def _same(said: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    """upsd compares names without case and some servers answer in their own."""
    return tuple(map(str.casefold, said)) == tuple(map(str.casefold, asked))


def _row_fits(row: Row, query: tuple[str, ...]) -> bool:
    match row:
        case Var(ups, _):
            return _same(("VAR", ups), query)
        case Cmd(ups, _):
            return _same(("CMD", ups), query)
        case Ups():
            return query == ("UPS",)


async def _dial(server: NutServerSettings) -> NutLink:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(server.connect_timeout_s):
            _, link = await loop.create_connection(lambda: NutLink(server.peer), server.host, server.port)
    except (OSError, UnicodeError) as error:  # TimeoutError is an OSError; UnicodeError: no valid host name
        raise NutPeerError(f"{server.peer}: cannot connect: {str(error) or type(error).__name__}") from error
    return link


def _secrets(server: NutServerSettings) -> tuple[ssl.SSLContext | None, tuple[str, str] | None]:
    """Runs in a thread: loading the system's CAs takes longer than the event loop may stand still."""
    context = _trust(server.tls_ca_file) if server.tls else None
    login = _login(server.credentials_file) if server.credentials_file else None
    return context, login


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # SSLError is an OSError
        raise NutUsageError(f"{ca_file}: no CA certificate: {error}") from error
    if ca_file is not None:  # lets the file hold the server's own certificate; Python 3.13 does so by default
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _login(file: Path) -> tuple[str, str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise NutUsageError(f"{file}: no credentials: {type(error).__name__}") from error
    if len(lines) != 2 or not all(lines):
        raise NutUsageError(f"{file}: needs two lines, the user name and the password")
    return lines[0], lines[1]
