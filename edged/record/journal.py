"""The tier journal: every tier event a second time, in a file that needs no more room than it has.

Two halves take turns. Entries are appended to one; when it is full, what is still needed is written into the other
under the next generation number, ended by `Whole`, and only then is the first one written over. A reader takes the
newest whole generation, the one before and a later one that was never finished: numbers are never given twice and what
is settled stays settled, so the order of entries does not matter. Blocking; a disk that refuses is told by `works`.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from edged.record.journal_content import Content, read_content
from edged.record.journal_entry import END, Entry, Kept, Settled, Whole, encode, entries
from edged.record.numbering import Row

FILE_NAME = "tier.journal"
HALF_BYTES = 1 << 20
_PAGE = 4096
_HEADER = b"edged tier journal 1\n".ljust(_PAGE, b"\0")
_FILE_BYTES = len(_HEADER) + 2 * HALF_BYTES
_ROOMY = HALF_BYTES // 2
"""What the database has too is copied up to this size, the newest first: a half is not copied again too soon."""
_TIGHT = HALF_BYTES * 7 // 8
"""What nobody else has is copied up to this size; beyond it the journal is full."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event lies in the file."""

    offset: int
    length: int
    alone: bool
    """The database does not have it, as far as is known."""


class Journal:
    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME
        self._file: int | None = None
        self._generation, self._end = 0, 0  # of the half written to; the end counts from its beginning
        self._places: dict[tuple[str, int], Place] = {}  # in the order they came
        self._streams: dict[str, int] = {}
        self._trouble = ""

    @property
    def is_open(self) -> bool:
        return self._file is not None

    @property
    def works(self) -> bool:
        """Whether the latest write reached the disk."""
        return self.is_open and not self._trouble

    @property
    def streams(self) -> dict[str, int]:
        """Every stream it knows, and up to which sequence nobody waits for it."""
        return dict(self._streams)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    # ── life ───────────────────────────────────────────────────────────────────────────────────────────
    def open(self) -> None:
        """Reads what an earlier life left; makes the file if there is none. Does nothing if it is open."""
        if self._file is not None:
            return
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            content = self._read()
            self._begin(content)
        except OSError as error:
            self._fails(error)
            if self._file is not None and not self._places:
                self.close()

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def _read(self) -> Content:
        data = _whole_file(self._open)
        content = read_content(data[len(_HEADER) :], HALF_BYTES)
        self._generation, self._end, self._streams = content.generation, content.end, dict(content.streams)
        self._places = {
            kept.name: Place(len(_HEADER) + offset, length, alone=True) for kept, offset, length in content.events
        }
        if data and (len(data) != _FILE_BYTES or data[: len(_HEADER)] != _HEADER):
            return replace(content, damage=content.damage or "its header or its size")
        return content

    def _begin(self, content: Content) -> None:
        self._make_room()
        if content.damage:
            log.error(
                "tier journal damaged, rewritten", file=self._path.name, why=content.damage, left=len(self._places)
            )
        if (content.whole and not content.damage) or self._compact():
            self._trouble = ""

    def _make_room(self) -> None:
        """Zeros are written over what is allocated: a write into blocks never written before would change the file
        system's own tables with every event.
        """
        size = os.fstat(self._open).st_size
        if size < _FILE_BYTES:
            try:
                os.posix_fallocate(self._open, 0, _FILE_BYTES)
            except OSError:
                if not size:
                    self._path.unlink(missing_ok=True)
                raise
            _write(self._open, bytes(_FILE_BYTES - size), size)
        _write(self._open, _HEADER, 0)
        os.fsync(self._open)
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    # ── writing ────────────────────────────────────────────────────────────────────────────────────────
    def take(self, rows: Iterable[Row], *, alone: bool) -> set[int]:
        """Writes these tier rows, as many as there is room for. The numbers of those that are on the disk now."""
        left = [_kept(row) for row in rows]
        taken: set[int] = set()
        while left and self._file is not None:
            coded = self._fitting(left)
            if not coded or not self._append(coded, alone=alone):
                break
            taken |= {kept.row for kept in left[: len(coded)]}
            left = left[len(coded) :]
        return taken

    def settle(self, stream: str, first: int, last: int) -> None:
        """Nobody waits for these sequences any more. Not synced: what a power cut brings back is sent again, that is
        all.
        """
        for name in [n for n in self._places if n[0] == stream and first <= n[1] <= last]:
            del self._places[name]
        if first == 1:
            self._streams[stream] = max(self._streams.get(stream, 0), last)
        self._note(Settled(stream, first, last))
        if last == END:
            del self._streams[stream]

    def begin(self, stream: str) -> None:
        """There is such a stream: if all of it is lost, that can be said."""
        if stream not in self._streams:
            self.settle(stream, 1, 0)

    def forget_all_but(self, streams: Collection[str]) -> None:
        for stream in [s for s in self._streams if s not in streams]:
            self.settle(stream, 1, END)

    def vouched(self, names: Iterable[tuple[str, int]]) -> None:
        """The database has these too."""
        for name in names:
            if name in self._places:
                self._places[name] = replace(self._places[name], alone=False)

    def left_alone(self) -> None:
        """The database is lost."""
        self._places = {name: replace(place, alone=True) for name, place in self._places.items()}

    def read(self, names: Iterable[tuple[str, int]] | None = None) -> Iterator[Kept]:
        """The events nobody has settled, or those of them that are named, in the order they came."""
        for name in [n for n in names if n in self._places] if names is not None else [*self._places]:
            if kept := self._load(self._places[name]):
                yield kept

    # ── details ────────────────────────────────────────────────────────────────────────────────────────
    @property
    def _open(self) -> int:
        if self._file is None:
            raise OSError(f"{self._path} is not open")
        return self._file

    def _at(self, end: int) -> int:
        return len(_HEADER) + self._generation % 2 * HALF_BYTES + end

    def _fitting(self, kept: Sequence[Kept]) -> list[tuple[Kept, bytes]]:
        """As many of the first ones as the half has room for, or the other one if it has none, spelled."""
        coded = _fitting(kept, HALF_BYTES - self._end, self._generation)
        return coded or (_fitting(kept, HALF_BYTES - self._end, self._generation) if self._compact() else [])

    def _append(self, coded: Sequence[tuple[Kept, bytes]], *, alone: bool) -> bool:
        if not self._put(b"".join(data for _, data in coded), sync=True):
            return False
        self._places |= _places(coded, self._at(self._end), alone=alone)
        self._streams |= {kept.stream: 0 for kept, _ in coded if kept.stream not in self._streams}
        self._end += sum(len(data) for _, data in coded)
        return True

    def _note(self, entry: Entry) -> None:
        data = encode(entry, self._generation)
        if self._file is not None and (self._end + len(data) <= HALF_BYTES or self._compact()):
            data = encode(entry, self._generation)
            self._end += len(data) if self._put(data, sync=False) else 0

    def _put(self, data: bytes, *, sync: bool) -> bool:
        try:
            _write(self._open, data, self._at(self._end))
            if sync:
                os.fdatasync(self._open)
        except OSError as error:
            self._fails(error)
            return False
        self._trouble = ""
        return True

    def _compact(self) -> bool:
        """Writes what is needed into the other half. False if that would leave too little room, or the disk fails."""
        if sum(place.length for place in self._places.values() if place.alone) > _TIGHT:
            self._fails(OSError("full of events the database does not have"))
            return False
        generation = self._generation + 1
        coded = [(kept, encode(kept, generation)) for kept in self.read(self._chosen())]
        known: list[Entry] = [Settled(stream, 1, last) for stream, last in self._streams.items()]
        tail = b"".join(encode(entry, generation) for entry in (*known, Whole()))
        start = len(_HEADER) + generation % 2 * HALF_BYTES
        try:
            _write(self._open, b"".join(data for _, data in coded) + tail, start)
            os.fdatasync(self._open)
        except OSError as error:
            self._fails(error)
            return False
        old = self._places
        places = _places(coded, start, alone=True)
        self._places = {name: replace(place, alone=old[name].alone) for name, place in places.items()}
        self._generation, self._end = generation, sum(len(data) for _, data in coded) + len(tail)
        return True

    def _chosen(self) -> list[tuple[str, int]]:
        """All that nobody else has; of the rest the newest, while there is room."""
        room = _ROOMY - sum(place.length for place in self._places.values() if place.alone)
        chosen: list[tuple[str, int]] = []
        for name, place in reversed(self._places.items()):
            room -= 0 if place.alone else place.length
            if place.alone or room >= 0:
                chosen.append(name)
        return chosen[::-1]

    def _load(self, place: Place) -> Kept | None:
        try:
            data = os.pread(self._open, place.length, place.offset)
        except OSError as error:
            self._fails(error)
            return None
        found = next(entries(data), None)
        return found.entry if found and isinstance(found.entry, Kept) else None

    def _fails(self, error: OSError) -> None:
        if self._trouble != str(error):
            log.error("the tier journal cannot be used", file=self._path.name, why=str(error))
        self._trouble = str(error)


def _kept(row: Row) -> Kept:
    r = row.recorded
    return Kept(r.row, r.stream, r.sequence, r.tier, row.previous, r.body)


def _fitting(kept: Sequence[Kept], room: int, generation: int) -> list[tuple[Kept, bytes]]:
    """As many of the first ones as there is room for, spelled."""
    fitting: list[tuple[Kept, bytes]] = []
    for one in kept:
        data = encode(one, generation)
        room -= len(data)
        if room < 0:
            break
        fitting.append((one, data))
    return fitting


def _places(coded: Sequence[tuple[Kept, bytes]], offset: int, *, alone: bool) -> dict[tuple[str, int], Place]:
    places: dict[tuple[str, int], Place] = {}
    for kept, data in coded:
        places[kept.name] = Place(offset, len(data), alone)
        offset += len(data)
    return places


def _whole_file(file: int) -> bytes:
    parts: list[bytes] = []
    while part := os.pread(file, _FILE_BYTES + 1 - sum(map(len, parts)), sum(map(len, parts))):
        parts.append(part)
    return b"".join(parts)


def _write(file: int, data: bytes, offset: int) -> None:
    """Page by page: what is written at once Linux may hold, and count as written, as one piece from then on (ext4 since
    6.16: 2 MiB for each event).
    """
    left = memoryview(data)
    while left:
        written = os.pwrite(file, left[: _PAGE - offset % _PAGE], offset)
        left, offset = left[written:], offset + written
