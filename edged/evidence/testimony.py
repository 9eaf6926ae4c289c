"""What a NOC was told of a record, held against a packet of it. Pure."""

from collections.abc import Iterable, Iterator

from edged.evidence.findings import Finding, bad, good, unsure
from edged.evidence.packet import Packet
from edged.evidence.page_words import span
from edged.evidence.reading import Said
from edged.evidence.witnessed import Witness, Witnessed

LATE_S = 3600.0
"""What a NOC hears later than this it has not witnessed while it was new: the lines were down, or somebody waited."""


def against(packet: Packet, witness: Witness) -> tuple[set[int], list[Finding]]:
    """Every checkpoint the NOC holds of the packet's part of the record must be here, and be the same. Gives the rows
    it vouches for.
    """
    if witness.site != packet.site:
        return set(), [unsure("The witness file is of another site.")]
    places = {row.place: at for at, row in enumerate(packet.rows)}
    findings: list[Finding] = []
    held: dict[int, Witnessed] = {}
    for each in witness.checkpoints:
        at = places.get((each.statement.stream, each.statement.at))
        if at is not None and packet.rows[at].hash.hex() == each.statement.row_hash:
            held.setdefault(at, each)
        elif at is not None:
            findings.append(bad(f"Row {at + 1} is not the row the NOC was told of at {each.time}."))
        elif _within(packet, each.statement.stream, each.statement.at) and not packet.holes:
            findings.append(bad(f"A row the NOC was told of at {each.time} is missing."))
    findings += _of_another_record(packet, witness)
    if held:
        findings.append(good(f"{len(held)} rows are those the NOC was told of{_how_late(held.values())}"))
    elif not findings:
        findings.append(_strange(packet, witness))
    return {*held}, findings


def _strange(packet: Packet, witness: Witness) -> Finding:
    if witness.keys & {key for key, _ in packet.keys}:
        return unsure("The NOC was told of no row in it: the export is older, or of another time.")
    return bad("The NOC was told of no row in it, and the keys are not this site's.")


def _of_another_record(packet: Packet, witness: Witness) -> Iterator[Finding]:
    """A box keeps one record at a time: of the packet's own time the NOC cannot know another one."""
    first, last = packet.rows[0], packet.rows[-1]
    streams = {row.said.stream for row in packet.rows}
    found = [
        each.time
        for each in witness.checkpoints
        if each.statement.stream not in streams
        and each.statement.row_hash != first.previous.hex()  # it may have been signed twice
        and first.said.time < each.time <= last.said.time
    ]
    sure = not packet.holes and "trusted_clock" not in packet.derived["completeness"]["missing"]
    if found:
        say = f"At {found[0]} the NOC was told of another record of the same time"
        yield bad(f"{say}: it was replaced by this one.") if sure else unsure(f"{say}, or the box had the time wrong.")


def _how_late(held: Iterable[Witnessed]) -> str:
    """A full stop, after what an auditor must know of the time in which nobody else knew."""
    late_s = max((each.late_s for each in held if each.late_s is not None), default=0.0)
    if late_s < LATE_S:
        return "."
    return f", some only {span(late_s)} after they were recorded: until then nobody but the box knew of them."


def _within(packet: Packet, stream: str, at: int) -> bool:
    numbers = [row.said.sequence for row in packet.rows if row.said.stream == stream]
    return bool(numbers) and min(numbers) <= at <= max(numbers)


def is_told_of_more(witness: Witness, last: Said) -> bool:
    """Whether the NOC was told of rows after this one."""
    return any(_is_after(last, each) for each in witness.checkpoints)


def _is_after(last: Said, each: Witnessed) -> bool:
    """Within a stream its numbers say so; a clock may have been set back."""
    if each.statement.stream == last.stream:
        return each.statement.at > last.sequence
    return each.time > last.time
