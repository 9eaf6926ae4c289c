"""What a link's prober cannot see and the house can: the router's port of it, users' bytes that arrive by it, and what
it may cost.
"""

from collections.abc import Callable, Iterable, Mapping

from edged.core.plan import Plan
from probes.budget import Budget
from probes.outside import Outside
from probes.user_traffic import InterfaceBytes, UserTraffic
from wan.reading import RouterReading, WanState

_PORT_DOWN = (WanState.DISCONNECTED, WanState.DISABLED)


class Surroundings:
    """One for the life of the daemon. `links` is what the probers are given."""

    def __init__(
        self,
        plan: Plan,
        room_side: str | None,
        *,
        carrier: Callable[[], str | None],
        budgets: Mapping[str, Budget],
        monotonic: Callable[[], float],
    ) -> None:
        self._plan, self._said_to_carry = plan, carrier
        self._counters = InterfaceBytes(room_side) if room_side is not None else None
        self._traffic, self._monotonic = UserTraffic(), monotonic
        self.links: Mapping[str, Outside] = {
            link.name: Outside(user_bytes=self._arrivals(link.name), budget=budgets.get(link.name))
            for link in plan.links
        }

    def router_said(self, reading: RouterReading) -> None:
        """Takes in one reading. A router that does not answer says nothing of its ports."""
        ports = {self._plan.link_of_wan(wan.wan): wan.state for wan in reading.wans} if reading.answering else {}
        for name, outside in self.links.items():
            outside.far_carrier = ports.get(name) not in _PORT_DOWN

    def room_bytes(self) -> tuple[int, int] | None:
        """Bytes that came from the room and that went there; None where nobody can tell."""
        return self._counters.read() if self._counters is not None else None

    def users_need(self, link: str) -> bool:
        """Whether the room's traffic passes the box now, and by this link as far as is known. Without an in-line
        interface nobody can say: then the leave the judge gives is the only guard.
        """
        if self._counters is None or self.carrier() not in (None, link):
            return False
        self._traffic.look(self._monotonic(), self._counters.read())
        return self._traffic.busy

    def carrier(self) -> str | None:
        """The link that carries, where that is known."""
        return self._plan.links[0].name if len(self._plan.links) == 1 else self._said_to_carry()

    def close(self) -> None:
        if self._counters is not None:
            self._counters.close()

    def _arrivals(self, link: str) -> Callable[[], int | None]:
        def total() -> int | None:
            """What the box sent on into the room came by the link that carries, and only while that is known."""
            seen = self.room_bytes() if self.carrier() == link else None
            return None if seen is None else seen[1]

        return total


def room_side(media: str | None, shaped: Iterable[tuple[str, str]]) -> str | None:
    """The in-line interface towards the room: the media observer's, else the one shaped downwards."""
    return media or next((name for name, direction in shaped if direction == "down"), None)
