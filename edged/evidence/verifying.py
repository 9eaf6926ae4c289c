"""Is this packet what the box recorded? Decided offline, and said in plain words with what is not proven. Pure.

Good is only what a key or a witness vouches for, from the session's beginning to its closing. A packet that merely
agrees with itself proves nothing: anybody can make a key.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edged.evidence import packet as packets
from edged.evidence import witnessed
from edged.evidence.derived import derived
from edged.evidence.errors import EvidenceError
from edged.evidence.findings import Finding, Level, bad, good, unsure
from edged.evidence.packet import Packet
from edged.evidence.page import page
from edged.evidence.proof import SignedPlace, breaks, covered, keys, signed_places
from edged.evidence.testimony import against, is_told_of_more
from edged.evidence.witnessed import Witness
from edged.record.canonical import canonical
from edged.record.witness import FINGERPRINT_CHARS

_FINGERPRINT = f"[0-9a-f]{{{FINGERPRINT_CHARS}}}"


@dataclass(frozen=True, slots=True)
class Verdict:
    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        found = {each.level for each in self.findings}
        return next((level for level in (Level.BAD, Level.CANNOT_TELL) if level in found), Level.GOOD)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to hold a packet against. Without a key or a witness its signatures are anybody's."""

    page: bytes | None = None
    """The HTML beside it."""
    witness: bytes | None = None
    key: str | None = None


def verify(content: bytes, asked: Asked) -> Verdict:
    """Never raises for what is in a file: it is the verdict."""
    try:
        packet = packets.read(content)
    except EvidenceError as error:
        return Verdict((bad(f"This is not a packet as it was written: {error}."),))
    try:
        witness = witnessed.read(asked.witness) if asked.witness is not None else None
    except EvidenceError as error:
        return Verdict((unsure(f"{str(error).capitalize()}."),))
    wrong = tuple(_wrong(packet, content, asked))
    if wrong:
        return Verdict(wrong)
    signed = [each for each in signed_places(packet.rows) if each.covers is not None]
    return Verdict(tuple(_proven(packet, signed, asked, witness)))


# ── against itself ─────────────────────────────────────────────────────────────────────────────────────
def _wrong(packet: Packet, content: bytes, asked: Asked) -> Iterator[Finding]:
    """The first kind of thing that is wrong; what rests on it need not be looked at."""
    for look in (_chain, _signatures, _contents):
        found = [bad(text) for text in look(packet)]
        if found:
            yield from found
            return
    if asked.page is not None and asked.page != page(packet).encode():
        yield bad("The page is not the page of this packet: it was changed, or belongs to another.")


def _chain(packet: Packet) -> Iterator[str]:
    rows = packet.rows
    if not rows:
        yield "There are no rows in it."
        return
    for at in sorted(set(breaks(rows)) ^ set(packet.holes)):
        if at >= len(rows) or at in packet.holes:
            yield f"Row {at + 1} follows the one before it, and the packet says that rows are missing there."
        else:
            yield f"Row {at + 1} does not follow row {at}: one was changed, or rows between them are missing."
    if rows[-1].hash.hex() != packet.head:
        yield "The last row is not the one the packet was made with: it was changed, or rows after it are missing."


def _signatures(packet: Packet) -> Iterator[str]:
    try:
        places = signed_places(packet.rows)
    except EvidenceError as error:
        yield f"{str(error).capitalize()}."
        return
    for each in places:
        if each.fault:
            yield f"The checkpoint in row {each.row + 1} does not hold: {each.fault}."
    if tuple(keys(places)) != packet.keys:
        yield "The keys it names are not those its rows were signed with."


def _contents(packet: Packet) -> Iterator[str]:
    try:
        said = derived([row.said for row in packet.rows], packet.session)
        site = packets.site_of(packet.rows)
    except EvidenceError as error:
        yield f"What the rows say cannot be read: {error}."
        return
    if site != packet.site:
        yield "The rows are of another site than the packet says."
    if canonical(said) != canonical(packet.derived):  # to Python, 1 is true
        yield "What the packet says is not what its rows say: one of them was changed."
    if packet.protocol is not None and not packets.is_named(packet.protocol, said):
        yield "The protocol in it is not the one the rows name."


# ── against a key or a witness ─────────────────────────────────────────────────────────────────────────
def _proven(packet: Packet, signed: list[SignedPlace], asked: Asked, witness: Witness | None) -> Iterator[Finding]:
    rows = len(packet.rows)
    yield good(
        f"The packet of session {packet.session} at {packet.site} agrees with itself: {rows} rows in one chain,"
        f" {len(signed)} signed checkpoints."
    )
    if asked.page is not None:
        yield good("The page says what the packet says.")
    if any(not row.said.known for row in packet.rows):
        count = sum(not row.said.known for row in packet.rows)
        yield unsure(f"{count} rows are of a kind this version does not know; they are chained, and were not read.")
    for hole in packet.holes:
        yield unsure(f"Before row {hole + 1} rows are missing: the box says that it had lost or deleted them.")
    if again := packet.derived["session"]["again"]:
        yield unsure(
            f"The id was used for another procedure at {again['time']}; that one is in the rows, and not told."
        )
    ends, findings = _trusted(packet, signed, asked, witness)
    yield from findings
    yield from _reach(packet, ends, asked, witness)


def _trusted(
    packet: Packet, signed: list[SignedPlace], asked: Asked, witness: Witness | None
) -> tuple[list[int], list[Finding]]:
    """The rows that are vouched for, and what was found on the way."""
    ends = {each.covers for each in signed if each.covers is not None}
    findings: list[Finding] = []
    if asked.key is not None:
        wanted = "".join(asked.key.split()).lower()
        if not re.fullmatch(_FINGERPRINT, wanted):
            return [], [unsure("What was given as a key is no fingerprint: it has 32 digits, 0 to 9 and a to f.")]
        mine = {each.covers for each in signed if each.key == wanted and each.covers is not None}
        findings.append(
            good(f"{len(mine)} checkpoints are signed with the key {spaced(wanted)}, as asked.")
            if mine
            else bad(f"Nothing in it is signed with the key {spaced(wanted)}: another box made it, or somebody else.")
        )
        ends &= mine
    if witness is not None:
        held, more = against(packet, witness)
        findings += more
        ends = held if asked.key is None else ends & held  # the NOC's own word needs no second one
    if asked.key is None and witness is None:
        names = ", ".join(spaced(key) for key, _ in packet.keys) or "none"
        findings.append(
            unsure(
                "Neither a witness nor a key was given, so nobody vouches for the signatures. Compare this fingerprint"
                f" with the one the NOC holds of the site: {names}."
            )
        )
    return sorted(ends), findings


def _reach(packet: Packet, ends: list[int], asked: Asked, witness: Witness | None) -> Iterator[Finding]:
    """To which moment it is proven, and what is not."""
    own = [at for at, row in enumerate(packet.rows) if row.said.data.get("session") == packet.session]
    proven = covered(ends, packet.holes, len(packet.rows))
    vouched = asked.key is not None or witness is not None
    session = packet.derived["session"]
    if vouched and ends and all(proven[at] for at in own):
        yield good(f"Proven: every row of the session, to {packet.rows[ends[-1]].said.time}.")
    elif vouched and ends:
        yield unsure(
            f"Proven up to row {ends[-1] + 1}, {packet.rows[ends[-1]].said.time}. Of the session's {len(own)} rows"
            f" {sum(not proven[at] for at in own)} are not covered by a checkpoint that is vouched for."
        )
    elif ends:
        yield good(f"Whoever holds that key signed rows up to row {ends[-1] + 1}, {packet.rows[ends[-1]].said.time}.")
    elif vouched:
        yield unsure("Nothing in it is proven.")
    after = len(packet.rows) - 1 - (ends[-1] if ends else -1)
    if after:
        yield good(f"Not proven: the last {after} of {len(packet.rows)} rows, the last checkpoint's own among them.")
    if session["requested"] is None and (session["opened"] is None or session["response"]["took_s"] is not None):
        yield unsure("The packet does not show how the session began: rows before its first are missing.")
    yield from _ending(packet, session["closed"] is not None and all(proven[at] for at in own), witness)


def _ending(packet: Packet, whole: bool, witness: Witness | None) -> Iterator[Finding]:
    """Whether it was cut off."""
    if whole:
        yield good("What was recorded of the session after the packet was made is not in it.")
        return
    last = packet.rows[-1].said
    if witness and witness.site == packet.site and is_told_of_more(witness, last):
        yield bad(
            f"The packet ends at {last.time}, before the session's end is proven, and the NOC was told of later rows:"
            " rows are missing. If it was made while the session ran, make it again."
        )
    elif packet.derived["session"]["closed"] is None:
        yield unsure(f"The packet ends at {last.time}, and the session was still open.")


def spaced(fingerprint: str) -> str:
    """In groups of four, to be read out on the phone."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))
