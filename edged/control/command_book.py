"""Which commands were begun, and what came of them: the page of the record that makes each happen once.

An id belongs to one command; its digest tells another one under the same id. The record forgets a command some time
after it expired, when it would be refused for its age.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from edged.core.events import Json
from edged.record.canonical import canonical
from edged.record.recorded import KeptCommand
from edged.report.signed import Order


class Shelf(Protocol):
    """The part of the store that keeps them."""

    async def kept_command(self, identity: str) -> KeptCommand | None: ...

    async def keep_command(self, command: KeptCommand) -> bool:
        """False: the disk refused; a crash would forget it."""


@dataclass(frozen=True, slots=True)
class Entry:
    digest: str | None
    """None: nobody can say which command it was."""
    answer: Mapping[str, Json] | None
    """None: begun, and its end is unknown."""


class CommandBook:
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def find(self, order: Order) -> Entry | None:
        """What is known of this id."""
        kept = await self._shelf.kept_command(order.id)
        return _read(kept.answer) if kept else None

    async def write(self, order: Order, answer: Mapping[str, Json] | None) -> bool:
        """None: it is about to be done. False: the disk refused, and it is known only as long as the daemon lives."""
        body = canonical({"digest": order.digest, "answer": answer})
        return await self._shelf.keep_command(KeptCommand(order.id, order.expires_s, body))


def _read(body: bytes | None) -> Entry:
    """A body that cannot be read is an entry all the same: the command was begun."""
    try:
        said = json.loads(body or b"")
    except ValueError:
        return Entry(None, None)
    if not isinstance(said, dict):
        return Entry(None, None)
    digest, answer = said.get("digest"), said.get("answer")
    return Entry(digest if isinstance(digest, str) else None, answer if isinstance(answer, dict) else None)
