"""Where a path dies, from who answered. A table of rules in order; the first that holds says it.

Only what was heard counts: `router` does not claim that the router is broken, only that nothing behind it was heard.
Whether its port, the cable or the provider's first box is at fault cannot be told from inside.
"""

from collections.abc import Callable
from dataclasses import dataclass

from probes.line_reading import DiesAt
from probes.path_document import Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Who answered. `routers` by TTL from 1, None for a silent one."""

    target_answers: bool
    sent: bool = True
    """Whether the box could send at all."""
    routers: tuple[str | None, ...] = ()
    has_router: bool = True
    """False for a line of our own, without neighbours: what answers first is the provider's."""
    on_link: bool = False
    """The target is on our own network, and so its own next hop."""
    neighbour_alive: bool | None = None
    """Whether the next hop answers ARP or neighbour solicitation; None: could not be asked."""
    refused_at: int | None = None
    """The TTL from which on a router sent packets back as undeliverable; 1 is our own router's place. Its reason is not
    asked: "host unreachable" is said by routers next to a dead host, and as well by those without a way to its network.
    """
    refused_by: str | None = None
    usual: tuple[str | None, ...] = ()
    """`routers` when the target was last reached."""


Rule = tuple[Callable[[Sight], bool], DiesAt, Why]


def _deaf(sight: Sight) -> bool:
    return not any(sight.routers) and sight.refused_at is None


def _only_first(sight: Sight) -> bool:
    return not any(sight.routers[1:])


def _usual_end_answers(sight: Sight) -> bool:
    """With a single router on the usual path this would be the router's own row: nothing is between."""
    end = sight.usual[-1] if len(sight.usual) > 1 else None
    return end is not None and end in (*sight.routers, sight.refused_by)


def _loops(sight: Sight) -> bool:
    """Three times, as one router may stand at two TTLs when a path changes under way."""
    heard = [router for router in sight.routers if router]
    return any(heard.count(router) >= 3 for router in heard)


RULES: tuple[Rule, ...] = (
    (lambda s: s.target_answers, DiesAt.NOWHERE, Why.TARGET_ANSWERS),
    (lambda s: not s.sent, DiesAt.LAN, Why.NOT_SENT),
    (lambda s: s.on_link and s.neighbour_alive is not True, DiesAt.LAN, Why.NEIGHBOUR_SILENT),
    (lambda s: s.on_link, DiesAt.FAR_END, Why.TARGET_SILENT),
    (lambda s: _deaf(s) and not s.has_router, DiesAt.PROVIDER, Why.LINE_SILENT),
    (lambda s: _deaf(s) and s.neighbour_alive is True, DiesAt.ROUTER, Why.NEIGHBOUR_ALONE),
    (_deaf, DiesAt.LAN, Why.NEIGHBOUR_SILENT),
    (_usual_end_answers, DiesAt.FAR_END, Why.USUAL_PATH_ANSWERS),
    (lambda s: s.refused_at == 1 and s.has_router, DiesAt.ROUTER, Why.ROUTER_REFUSES),
    (lambda s: s.refused_at is not None, DiesAt.PROVIDER, Why.REFUSED_ON_THE_WAY),
    (_loops, DiesAt.PROVIDER, Why.LOOP),
    (lambda s: _only_first(s) and s.has_router, DiesAt.ROUTER, Why.NOTHING_BEHIND_ROUTER),
    (lambda s: True, DiesAt.PROVIDER, Why.LOST_ON_THE_WAY),
)


def where(sight: Sight) -> tuple[DiesAt, Why]:
    return next((dies_at, why) for holds, dies_at, why in RULES if holds(sight))
