"""The broker's addresses, remembered: when a link dies its name servers are usually behind it, and the first thing a
connection over the other link must not do is wait for them.
"""

import asyncio
import socket
from contextlib import suppress
from threading import Thread
from typing import Any, TypeAlias

from edged.report.errors import LineDown
from edged.report.reading import BrokerCause

Address: TypeAlias = tuple[Any, ...]
"""As getaddrinfo(3) gives it: its shape depends on the family."""
Found: TypeAlias = list[tuple[int, Address]]


class Names:
    """One for the life of a reporter."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Found] = {}
        self._doubted: set[tuple[str, int]] = set()

    async def resolve(self, server: tuple[str, int]) -> Found:
        """What is known of a name, and a look behind it for the next time; waits only for a name that is new, or in
        doubt. Raises LineDown; the deadline is the caller's.
        """
        asked = asyncio.ensure_future(self._ask(server))
        known = self._known.get(server)
        if known and server not in self._doubted:
            asked.add_done_callback(_look_away)
            return known
        try:
            async with asyncio.timeout(_PATIENCE_S if known else None):
                return await asyncio.shield(asked)
        except (TimeoutError, LineDown):
            asked.add_done_callback(_look_away)
            if not known:
                raise
            return known
        except asyncio.CancelledError:
            asked.add_done_callback(_look_away)
            raise

    def doubt(self, server: tuple[str, int]) -> None:
        """Nobody answered there: it may live elsewhere now."""
        self._doubted.add(server)

    async def _ask(self, server: tuple[str, int]) -> Found:
        found = await _getaddrinfo(*server)
        self._known[server] = found
        self._doubted.discard(server)
        return found


_PATIENCE_S = 1.0
"""For news of a name that is known already."""


def _look_away(asked: "asyncio.Future[Found]") -> None:
    if not asked.cancelled():
        asked.exception()  # asyncio complains of exceptions nobody looked at


async def _getaddrinfo(host: str, port: int) -> Found:
    """getaddrinfo(3) in a thread nobody waits for: with dead name servers it takes long and cannot be stopped."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Found] = loop.create_future()

    def settle(addresses: Found, error: Exception | None) -> None:
        if found.done():
            return
        if error:
            found.set_exception(LineDown(BrokerCause.NAME, f"{host}: {error}"))
        else:
            found.set_result(addresses)

    def look_up() -> None:
        addresses: Found = []
        refusal: Exception | None = None
        try:
            addresses = [(entry[0], entry[4]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:  # UnicodeError: what is no host name at all
            refusal = error
        with suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(settle, addresses, refusal)

    Thread(target=look_up, name="edged-resolve", daemon=True).start()
    return await found
