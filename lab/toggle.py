"""A part of the site's network that is there or not, as commands say: a cable, the answers of some hosts."""

import asyncio
from collections.abc import Awaitable, Callable


class Toggle:
    """On when the site comes up. `turn_it(True)` must bring it back as it was."""

    def __init__(self, turn_it: Callable[[bool], Awaitable[None]]) -> None:
        self.is_on = True
        self._turn_it = turn_it
        self._turning = asyncio.Lock()

    async def turn(self, *, on: bool) -> None:
        async with self._turning:
            if on != self.is_on:
                await self._turn_it(on)
                self.is_on = on
