"""From measurements to batches, and from batches to coarser ones. Pure."""

from collections.abc import Iterator, Sequence

from edged.record import batch
from edged.record.backlog_facts import Measurement
from edged.record.backlog_steps import Kept
from edged.record.downsample import downsampled, spelled


def packed(measurements: Sequence[Measurement], number: int) -> Iterator[tuple[Kept, bytes]]:
    """A batch for each stretch of a stream without a gap; their numbers count from `number`. Ascending in each stream;
    the streams may be mixed.
    """
    for stretch in _stretches(measurements):
        while stretch:
            count = batch.portions([each.body for each in stretch])
            yield _one(stretch[:count], number)
            stretch, number = stretch[count:], number + 1


def together(rows: Sequence[Kept], bodies: Sequence[bytes], number: int) -> tuple[Kept, bytes]:
    """Neighbours of one stream as one batch, told as they are. Raises RecordBroken."""
    return _instead(rows, number, sum(row.messages for row in rows), 0), batch.joined(bodies)


def folded(rows: Sequence[Kept], bodies: Sequence[bytes], every_s: int, number: int) -> tuple[Kept, bytes]:
    """Neighbours of one stream as one batch, told in steps of `every_s`. Raises RecordError."""
    messages = downsampled([message for body in bodies for message in batch.unpack(body)], every_s)
    return _instead(rows, number, len(messages), every_s), batch.pack(spelled(messages))


def _instead(rows: Sequence[Kept], number: int, messages: int, every_s: int) -> Kept:
    oldest, newest = rows[0], rows[-1]
    return Kept(
        number=number,
        place=oldest.place,
        kind=oldest.kind,
        stream=oldest.stream,
        first=oldest.first,
        last=newest.last,
        messages=messages,
        every_s=every_s,
        begin_s=oldest.begin_s,
        at=newest.at,
    )


def _stretches(measurements: Sequence[Measurement]) -> list[list[Measurement]]:
    stretches: list[list[Measurement]] = []
    growing: dict[str, list[Measurement]] = {}
    for each in measurements:
        stretch = growing.get(each.stream)
        if stretch is None or stretch[-1].sequence + 1 != each.sequence:
            stretch = growing[each.stream] = []
            stretches.append(stretch)
        stretch.append(each)
    return stretches


def _one(stretch: Sequence[Measurement], number: int) -> tuple[Kept, bytes]:
    oldest, newest = stretch[0], stretch[-1]
    row = Kept(
        number=number,
        place=number,
        kind=oldest.kind,
        stream=oldest.stream,
        first=oldest.sequence,
        last=newest.sequence,
        messages=len(stretch),
        every_s=0,
        begin_s=oldest.at.monotonic_s,
        at=newest.at,
    )
    return row, batch.pack([each.body for each in stretch])
