"""What is told late: telemetry of the backlog and tombstones, brought to the outgoing batches and settled when they
arrived; and whether batches may go at all.
"""

from dataclasses import dataclass, field

from edged.record.backlog import Backlog, Batch, Measurement
from edged.record.recorded import Tombstone
from edged.record.store import Store
from edged.report import history
from edged.report.messages import Composer
from edged.report.outgoing import Allowed, Kind, Outgoing, Publication
from edged.report.pacing import Share
from edged.report.reading import Noc
from edged.report.sweep import RETRY_CAP_S, RETRY_FIRST_S
from edged.report.taken import Taken

LOOK_EVERY_S = 5.0
"""Tombstones are looked for so often; there is rarely one."""
ITS_WORD_S = 1.0
"""What the NOC says of itself is retained, and comes a round trip after we subscribe. Silence means it is there."""


@dataclass
class Bulk:
    """Of one connection."""

    store: Store
    backlog: Backlog | None
    composer: Composer
    outgoing: Outgoing
    share: Share
    born_s: float
    _arrived: list[Publication] = field(default_factory=list)
    _look_at_s: float = 0.0
    _again_at_s: float = 0.0
    """Batches were turned away: not before."""
    _pause_s: float = RETRY_FIRST_S
    _telemetry_again_s: float = 0.0

    def allowed(self, noc: Noc, now_s: float) -> Allowed:
        """Nothing in bulk while the bucket is empty, no telemetry once the budget is used up. Neither while the NOC
        says it is away, since a broker forgets what nobody fetches, nor before its word can have come.
        """
        paced = self.share.bucket.allows(now_s)
        listening = noc is Noc.ONLINE or (noc is Noc.UNKNOWN and now_s >= self.born_s + ITS_WORD_S)
        live = not self.share.over_budget and listening and now_s >= self._telemetry_again_s
        return Allowed(asked=paced, backlog=paced and listening, telemetry=live)

    def waits_until_s(self, now_s: float) -> float | None:
        """When the bucket lets the next batch go; None if it is not the bucket that holds it."""
        if not self.outgoing.bulk_waits or self.share.bucket.allows(now_s):
            return None
        return self.share.bucket.again_at_s(now_s)

    async def fetch(self, allowed: Allowed, now_s: float) -> None:
        """Reads the next batch, if one may go and none is under way."""
        if not allowed.backlog or self.outgoing.batches or now_s < self._again_at_s:
            return
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_EVERY_S
            if graves := await self._graves():
                told = [self.composer.tombstone(grave) for grave in graves]
                self.outgoing.batch(history.pack(told), graves)
                return
        if self.backlog and self.backlog.status().batches and not self.share.over_budget:
            for batch in await self.backlog.batches(1):
                self.outgoing.batch(batch.body, batch)

    async def _graves(self) -> tuple[Tombstone, ...]:
        """The record's and the backlog's are never told in one batch: they are settled with one of them."""
        graves = await self.store.tombstones(history.MAX_MESSAGES)
        if not graves and self.backlog:
            graves = self.backlog.tombstones()[: history.MAX_MESSAGES]
        return tuple(graves)

    def sent(self, publication: Publication, now_s: float) -> None:
        if publication.kind in (Kind.HISTORY, Kind.RESEND):
            self.share.bucket.spend(len(publication.payload), now_s)

    def answered(self, publication: Publication, taken: Taken, now_s: float) -> None:
        """What nobody took stays where it is, and is tried again after a growing pause."""
        held = publication.settles
        if held is None:
            return
        if isinstance(held, Measurement):
            self._measured(held, taken, now_s)
        elif taken is Taken.YES:
            self._arrived.append(publication)
            self._pause_s = RETRY_FIRST_S
        else:
            self._again_at_s = now_s + self._pause_s
            self._pause_s = min(2 * self._pause_s, RETRY_CAP_S)

    def _measured(self, measurement: Measurement, taken: Taken, now_s: float) -> None:
        if self.backlog and taken is Taken.YES:
            self.backlog.delivered(measurement)
        elif self.backlog:
            self.backlog.returned(measurement)
            self._telemetry_again_s = now_s + RETRY_FIRST_S

    async def settle(self) -> None:
        """What arrived need not be kept."""
        arrived, self._arrived = self._arrived, []
        for publication in arrived:
            match publication.settles:
                case Batch() as batch if self.backlog:
                    await self.backlog.settled(batch.number)
                case tuple() as graves:
                    await self.store.told(graves)
                    if self.backlog:
                        await self.backlog.told(graves)

    def let_go(self) -> None:
        """The connection is over: what was not answered goes to the backlog."""
        for publication in self.outgoing.unanswered():
            if self.backlog and isinstance(publication.settles, Measurement):
                self.backlog.returned(publication.settles)
