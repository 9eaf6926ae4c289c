"""How far the NOC says it holds each stream, and how much of that is true and settled with the record."""

import structlog

from edged.record.recorded import Acknowledgement
from edged.record.store import Store
from edged.report.commands import Watermark
from edged.report.outgoing import Outgoing

log = structlog.get_logger()


class Watermarks:
    """Of one connection."""

    def __init__(self, store: Store, outgoing: Outgoing) -> None:
        self._store, self._outgoing = store, outgoing
        self._said: dict[str, int] = {}
        self._settled: dict[str, int] = {}
        self.ignored = 0
        """Watermarks that cannot be: of an unknown stream, or beyond its head."""

    def heard(self, watermark: Watermark) -> None:
        self._said[watermark.stream] = max(watermark.seq, self._said.get(watermark.stream, 0))

    async def settle(self) -> None:
        """One that covers an event the broker turned away is believed up to that event, and looked at again."""
        for stream, said in list(self._said.items()):
            sequence = self._outgoing.believable(stream, said)
            if sequence == said:
                del self._said[stream]
            if sequence > self._settled.get(stream, 0):
                await self._acknowledge(stream, sequence)

    async def _acknowledge(self, stream: str, sequence: int) -> None:
        match await self._store.acknowledged(stream, sequence):
            case Acknowledgement.APPLIED | Acknowledgement.REPEATED:
                self._settled[stream] = sequence
                self._outgoing.acknowledged(stream, sequence)
            case Acknowledgement.UNKNOWN_STREAM | Acknowledgement.BEYOND_HEAD as why:
                self.ignored += 1
                log.warning("acknowledgement ignored", why=why.value, stream=stream, sequence=sequence)
