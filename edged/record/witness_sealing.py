"""The instrument that signs the head of the record: every minute, and at once after a tier event of tier 3 or more.

What it tells becomes an event like any other, and reaches the NOC as one. That event alone is nothing new to sign, so
a quiet box stays quiet.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from edged.clock import Clock
from edged.core.observations import LedgerSealed
from edged.record.recorded import RecordStatus, Tip
from edged.record.witness import Statement, sign
from edged.record.witness_key import WitnessKey

EVERY_S = 60.0


class Record(Protocol):
    """The part of `edged.record.store.Store` that is needed; a fake in tests."""

    async def tip(self) -> Tip | None: ...

    def status(self) -> RecordStatus: ...

    def watch(self, changed: Callable[[], None]) -> None: ...


class Sealing:
    def __init__(
        self,
        record: Record,
        key: WitnessKey,
        clock: Clock,
        tell: Callable[[LedgerSealed], None],
        *,
        every_s: float = EVERY_S,
    ) -> None:
        self._record, self._key, self._clock, self._tell, self._every_s = record, key, clock, tell, every_s
        self._wake = asyncio.Event()
        self._grave = record.status().grave
        self._sealed: Tip | None = None
        record.watch(self._look)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.seal()
            self._wake.clear()
            try:
                async with asyncio.timeout(self._every_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def seal(self) -> LedgerSealed | None:
        """Signs where the record stands now, if there is anything new. None: nothing is, or the disk refuses."""
        tip = await self._record.tip()
        if tip is None or tip.is_checkpoint_of_the_row_before or tip == self._sealed:
            return None
        statement = Statement(tip.stream, tip.sequence, tip.row_hash.hex())
        told = LedgerSealed(
            at_s=self._clock.monotonic(),
            stream=statement.stream,
            sequence=statement.at,
            row_hash=statement.row_hash,
            key=self._key.fingerprint,
            public_key=self._key.public_key,
            signature=sign(self._key.private, statement),
        )
        self._sealed = tip
        self._tell(told)
        return told

    def _look(self) -> None:
        grave = self._record.status().grave
        if grave != self._grave:
            self._grave = grave
            self._wake.set()
