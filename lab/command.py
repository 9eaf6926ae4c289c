"""What a command of the lab is, and what it acts on. The commands themselves: `lab.commands`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lab.failover import Timing
from lab.toggle import Toggle
from lab.words import Words
from lab.world import Truth

if TYPE_CHECKING:  # the command line imports this for its help, and shall not wait for pyroute2
    from lab.daemon import Daemon
    from lab.link import Link
    from lab.pinning import Pinning


class Site(Protocol):
    """What commands act on."""

    @property
    def links(self) -> "Mapping[str, Link]": ...

    @property
    def pinnings(self) -> "Mapping[str, Pinning]": ...

    @property
    def lan(self) -> Toggle: ...

    @property
    def reflectors(self) -> Toggle: ...

    @property
    def truth(self) -> Truth: ...

    @property
    def daemon(self) -> "Daemon": ...

    timing: Timing

    async def status(self) -> dict[str, Any]: ...

    def end(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """`said` is for a person, `data` for a program."""

    said: str
    data: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Command:
    usage: str
    does: str
    run: Callable[[Site, Words], Awaitable[Answer]]
