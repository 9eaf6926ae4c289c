"""From events to rows: numbered within their stream, spelled, chained. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from edged.core.events import Channel, Event
from edged.record.chain import link
from edged.record.envelope import Origin, Stamp, event_envelope
from edged.record.recorded import Recorded
from edged.record.spans import Span


@dataclass(frozen=True, slots=True)
class Row:
    """What is written: the event, and the hash of the row before it."""

    recorded: Recorded
    previous: bytes

    @property
    def following(self) -> bytes:
        """What the next row must carry."""
        return link(self.previous, self.recorded.body)


def numbered(
    events: Sequence[Event], *, origin: Origin, now: Stamp, span: Span, tip: bytes, durable: bool
) -> list[Row]:
    """Rows that continue `span` and the chain that ends in `tip`. Raises RecordMisused for an event JSON cannot say."""
    rows: list[Row] = []
    for sequence, event in enumerate(events, span.length + 1):
        body = event_envelope(event, origin=origin, now=now, stream=span.stream, sequence=sequence)
        recorded = Recorded(span.start + sequence, span.stream, sequence, event.channel, event.tier, body, durable)
        rows.append(Row(recorded, rows[-1].following if rows else tip))
    return rows


def within(events: Sequence[Event], *, room: int, reserve: int) -> list[Event]:
    """As many of the events as there is room for; tier events have a reserve beyond it."""
    chosen: list[Event] = []
    for event in events:
        if len(chosen) < (room + reserve if event.channel is Channel.TIER else room):
            chosen.append(event)
    return chosen
