"""Makes one of what memory, the database and the journal know, whenever one of them was away.

Memory is the authority in this life; the database is, for earlier ones; the journal has what the database lost.
"""

import structlog

from edged.core.events import Channel
from edged.record.errors import RecordBroken
from edged.record.journal import Journal
from edged.record.ledger_file import LedgerFile
from edged.record.memory import Memory
from edged.record.past import Past
from edged.record.recorded import Gone
from edged.record.rescue import Rescue, again, rescue
from edged.record.spans import Spans

FILLED = 2000
"""Tier rows given to a journal that has missed them; more would not fit."""

log = structlog.get_logger()


class Mending:
    def __init__(self, file: LedgerFile, journal: Journal, memory: Memory) -> None:
        self._file, self._journal, self._memory = file, journal, memory
        self._identity: str | None = None  # of the file that memory is about
        self._searched = self._standing_in = False
        self.fresh = True
        self.rescued = 0

    def reconcile(self, past: Past | None) -> None:
        """The file was opened and holds `past`, None if it is new. Raises REFUSALS."""
        memory = self._memory
        acknowledged = memory.step_back() if self._standing_in else {}
        self._standing_in = False
        if self._file.identity == self._identity:
            self._file.forget_after(memory.durable_row)  # what it kept of a refused write is written again
            memory.write_everything()
        elif past and (self._identity or memory.durable_row):
            raise RecordBroken(f"the ledger was exchanged for one that ends in stream {past.spans.current.stream}")
        elif past:
            memory.take_over(past, self._search(past))
            self.fresh = False
        elif self._identity:
            self.start_over()
        else:
            memory.start_fresh(self._search(None))
        self._identity = self._file.identity
        for stream, sequence in acknowledged.items():
            memory.acknowledged(stream, sequence)
        self._fill_the_journal()

    def start_over(self) -> None:
        """What the database lost comes back from the journal, as far as nobody has acknowledged it."""
        memory = self._memory
        lost = [
            row for row in memory.pending[Channel.TIER].rows if row <= memory.durable_row and row not in memory.held
        ]
        spans = [memory.spans.find(row) for row in lost]
        names = [(span.stream, row - span.start) for row, span in zip(lost, spans, strict=True)]
        rows = [row for kept in self._journal.read(names) if (row := again(kept, memory.spans))]
        self.rescued += len(rows)
        log.warning("the database lost events", rescued=len(rows), lost=len(lost) - len(rows))
        self._journal.left_alone()
        memory.start_over(rows)
        self._identity = None

    def stand_in(self) -> None:
        """The database of earlier lives cannot be read, for now: what the journal has is sent meanwhile."""
        if self._searched or self._standing_in or not self._journal.is_open:
            return
        found = self._beyond(None, Gone.CRASH)
        self._standing_in = bool(found.rows) and self._memory.stand_in(found)
        if self._standing_in:
            log.warning("the journal stands in for the database", rows=len(found.rows))

    def _search(self, past: Past | None) -> Rescue:
        """What earlier lives left in the journal and the file does not have: asked once."""
        if self._searched:
            return Rescue(past.spans.spans if past else ())
        found = self._beyond(
            past.spans if past else None, Gone.TORN if self._file.set_aside or not past else Gone.CRASH
        )
        saved = {(row.recorded.stream, row.recorded.sequence) for row in found.rows}
        self._journal.vouched(kept.name for kept in self._journal.read() if kept.name not in saved)
        self._searched = True
        self.rescued += len(found.rows)
        if found.rows or found.stones:
            log.warning("the database lost events", rescued=len(found.rows), tombstones=len(found.stones))
        return found

    def _beyond(self, past: Spans | None, why: Gone) -> Rescue:
        """Own streams are no matter of the past."""
        own = {span.stream for span in self._memory.spans.spans}
        left = [kept for kept in self._journal.read() if kept.stream not in own]
        streams = {stream: last for stream, last in self._journal.streams.items() if stream not in own}
        present = self._file.having([kept.name for kept in left], past) if past else set()
        return rescue(left, streams, past=past, present=present, why=why)

    def _fill_the_journal(self) -> None:
        """What it was not given because it could not be used, the newest rows."""
        memory = self._memory
        rows = [row for row in memory.pending[Channel.TIER].rows[-FILLED:] if row <= memory.durable_row]
        named = ((row, memory.spans.find(row)) for row in rows)
        missing = [row for row, span in named if (span.stream, row - span.start) not in self._journal]
        if missing and self._journal.is_open:
            self._journal.take(self._file.chained(missing, memory.spans), alone=False)
