"""What the router does with one link's pin, and how that can be wrong: it forgets its rule, so that pinned packets
follow whichever WAN is active; or its rule names the other WAN, so that both links leave by one provider's door.

The packets of a running flow change over from one to the next, as with any other change of route (`lab.cabling`).
"""

import asyncio

from lab import plan
from lab.cabling import add_rule, remove_rule
from lab.nodes import Node


class Pinning:
    """`pinned`: the rule is there. `detoured`: it sends the pin out by the other WAN. Both may be set at any time."""

    def __init__(self, router: Node, wan: plan.Wan) -> None:
        self.pinned = True
        self.detoured = False
        self.wan = wan
        self.other = next(other for other in plan.WANS if other is not wan)
        self._router = router
        self._in_force = self._rule
        self._changing = asyncio.Lock()

    async def pin(self, *, pinned: bool) -> None:
        self.pinned = pinned
        await self._enforce()

    async def detour(self, *, detoured: bool) -> None:
        self.detoured = detoured
        await self._enforce()

    async def heal(self) -> None:
        self.pinned, self.detoured = True, False
        await self._enforce()

    @property
    def _rule(self) -> plan.Rule | None:
        """What should be in force now."""
        return self.wan.enforced_by(self.other if self.detoured else self.wan) if self.pinned else None

    async def _enforce(self) -> None:
        """First the new rule, which stands behind the old one of the same priority, then without the old one: no packet
        finds none."""
        async with self._changing:
            before, wanted = self._in_force, self._rule
            if wanted == before:
                return
            if wanted is not None:
                await add_rule(self._router, wanted)
            self._in_force = wanted
            if before is not None:
                await remove_rule(self._router, before)
