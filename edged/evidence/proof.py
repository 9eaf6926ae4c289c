"""What the chain and its signed checkpoints prove of some rows. Pure.

A checkpoint covers the row it names and all rows before it, back to the last hole. What no checkpoint covers is said,
and proven by nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edged.evidence import forms
from edged.evidence.errors import EvidenceBroken
from edged.evidence.reading import Said, said
from edged.record.chain import link
from edged.record.witness import Statement, check, fingerprint

CHECKPOINT = "ledger.checkpoint"


@dataclass(frozen=True, slots=True)
class ProofRow:
    previous: bytes
    body: bytes
    said: Said
    hash: bytes
    """What the row after it must carry."""

    @property
    def place(self) -> tuple[str, int]:
        return self.said.stream, self.said.sequence


@dataclass(frozen=True, slots=True)
class SignedPlace:
    """A checkpoint as it is recorded."""

    row: int
    """Where in the packet it stands, from 0."""
    statement: Statement
    key: str
    public_key: str
    covers: int | None
    """The row of the packet it is about; None: one that is not here."""
    fault: str | None
    """Why it proves nothing, as a sentence."""


def proof_row(previous: bytes, body: bytes) -> ProofRow:
    """Raises EvidenceBroken."""
    return ProofRow(previous, body, said(body), link(previous, body))


def breaks(rows: Sequence[ProofRow]) -> list[int]:
    """The rows that do not follow the one before them, from 0."""
    return [at for at in range(1, len(rows)) if rows[at].previous != rows[at - 1].hash]


def signed_places(rows: Sequence[ProofRow]) -> list[SignedPlace]:
    places = {row.place: at for at, row in enumerate(rows)}
    return [_signed(at, rows, places) for at, row in enumerate(rows) if row.said.kind == CHECKPOINT]


def _signed(at: int, rows: Sequence[ProofRow], places: dict[tuple[str, int], int]) -> SignedPlace:
    data = rows[at].said.data
    statement = Statement(_text(data, "stream"), _number(data, "at"), _text(data, "row_hash"))
    key, public_key, signature = (_text(data, name) for name in ("key", "public_key", "signature"))
    covers = places.get((statement.stream, statement.at))
    return SignedPlace(
        row=at,
        statement=statement,
        key=key,
        public_key=public_key,
        covers=covers,
        fault=_fault(rows, at, covers, statement)
        or ("its key has another fingerprint" if not _is_of(key, public_key) else None)
        or (None if check(public_key, statement, signature) else "its signature is not by the key it names"),
    )


def _fault(rows: Sequence[ProofRow], at: int, covers: int | None, statement: Statement) -> str | None:
    if covers is not None:
        if covers >= at:
            return "it speaks of a row that was not there yet"
        return None if rows[covers].hash.hex() == statement.row_hash else "the row it names is another one now"
    is_just_before = at == 0 and rows[0].place == (statement.stream, statement.at + 1)
    if is_just_before and rows[0].previous.hex() != statement.row_hash:
        return "the row before the first is another one now"
    return None


def covered(signed: Iterable[int], holes: Sequence[int], length: int) -> list[bool]:
    """Of each row, whether one of the `signed` rows vouches for it. `holes`: rows before which some are missing."""
    found = [False] * length
    for end in sorted(signed, reverse=True):
        if found[end]:
            continue
        begin = max((hole for hole in holes if hole <= end), default=0)
        found[begin : end + 1] = [True] * (end + 1 - begin)
    return found


def keys(places: Iterable[SignedPlace]) -> list[tuple[str, str]]:
    """(fingerprint, public key), in the order of their first use."""
    return list(dict.fromkeys((each.key, each.public_key) for each in places))


def _is_of(key: str, public_key: str) -> bool:
    try:
        return fingerprint(public_key) == key
    except ValueError:
        return False


def _text(data: forms.Data, name: str) -> str:
    found = forms.token(data, name)
    if found is None:
        raise EvidenceBroken(f"a checkpoint without its {name}")
    return found


def _number(data: forms.Data, name: str) -> int:
    found = forms.whole(data, name)
    if found is None:
        raise EvidenceBroken(f"a checkpoint without its {name}")
    return found
