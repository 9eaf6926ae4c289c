"""Puts segments on the disk, in a thread of its own: a slow disk must not hold up the judge.

What waits is bounded in bytes. A disk that refuses ends the segment, never the daemon; the next one may try again.
"""

import errno
import threading
import zlib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from edged.blackbox.segment import path_of, segments, sum_line

WAITING_BYTES = 1 << 20
"""About five minutes of a busy site, uncompressed: a disk that stands still longer loses the rest of a segment."""
_GIVE_UP_S = 2.0


@dataclass(frozen=True, slots=True)
class _Piece:
    part: int
    data: bytes
    steps: int
    begins: bool
    ends: bool


class SegmentWriter:
    """`put` is called from the event loop and only queues. `failed` and `full` name the part they speak of."""

    def __init__(self, directory: Path, *, keep_bytes: int, segment_bytes: int) -> None:
        self.failed: tuple[int, str] | None = None
        """The part that could not be written, and the errno's name."""
        self.full: int | None = None
        """The part that has reached its size."""
        self.dropped_steps = 0
        """Handed over and not written, since the start."""
        self._directory, self._keep_bytes, self._segment_bytes = directory, keep_bytes, segment_bytes
        self._pieces: deque[_Piece | None] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._file: FileIO | None = None
        self._pack = _packer()
        self._size = 0
        self._no_room = False
        self._thread = threading.Thread(target=self._run, name="black box", daemon=True)
        self._thread.start()

    def put(self, part: int, data: bytes, *, steps: int, begins: bool = False, ends: bool = False) -> bool:
        """Queue whole lines of a part; False when too much waits already. A part that begins while another is open
        ends that one as it is.
        """
        with self._changed:
            if self._waiting_bytes + len(data) > WAITING_BYTES:
                return False
            self._waiting_bytes += len(data)
            self._pieces.append(_Piece(part, data, steps, begins, ends))
            self._changed.notify()
        return True

    def close(self) -> None:
        """Write what waits, for two seconds at most."""
        with self._changed:
            self._pieces.append(None)
            self._changed.notify()
        self._thread.join(_GIVE_UP_S)

    # ── in the thread ──────────────────────────────────────────────────────────────────────────────────
    def _run(self) -> None:
        while (piece := self._next()) is not None:
            try:
                self._write(piece)
            except OSError as error:
                self.dropped_steps += piece.steps
                self.failed = piece.part, errno.errorcode.get(error.errno or 0, "EIO")
                self._no_room = error.errno in (errno.ENOSPC, errno.EDQUOT)
                self._let_go(holds_nothing=piece.begins)
        self._let_go()

    def _next(self) -> _Piece | None:
        with self._changed:
            self._changed.wait_for(lambda: self._pieces)
            piece = self._pieces.popleft()
            self._waiting_bytes -= len(piece.data) if piece else 0
            return piece

    def _write(self, piece: _Piece) -> None:
        if piece.begins:
            self._let_go()
            self._begin()
        if self._file is None:  # the segment has failed: what is left of it is dropped
            self.dropped_steps += piece.steps
            return
        packed = self._pack.compress(piece.data if piece.ends else piece.data + sum_line(piece.data))
        packed += self._pack.flush(zlib.Z_FINISH if piece.ends else zlib.Z_SYNC_FLUSH)
        self._put(self._file, packed)
        if piece.ends:
            self._let_go()
        elif self._size >= self._segment_bytes:
            self.full = piece.part

    def _begin(self) -> None:
        self._directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        number = self._make_room()
        self._pack = _packer()
        self._size = 0
        self._file = FileIO(path_of(self._directory, number), "xb")

    def _make_room(self) -> int:
        """Delete the oldest segments; returns the number of the next.

        After the disk was full no more room is taken than is had already, down to half of the ring: the record needs
        the rest more.
        """
        held = [(number, path, path.stat().st_size) for number, path in segments(self._directory)]
        total = sum(size for _, _, size in held)
        bound = max(self._keep_bytes // 2, min(self._keep_bytes, total)) if self._no_room else self._keep_bytes
        self._no_room = False
        for _, path, size in held:
            if total <= bound - 2 * self._segment_bytes:  # twice: a segment ends a little late
                break
            path.unlink(missing_ok=True)
            total -= size
        return held[-1][0] + 1 if held else 1

    def _put(self, file: FileIO, packed: bytes) -> None:
        rest = memoryview(packed)
        while rest:  # a disk that fills up takes a part first
            taken = file.write(rest) or 0
            self._size += taken
            rest = rest[taken:]

    def _let_go(self, *, holds_nothing: bool = False) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()
                if holds_nothing:  # a disk that stays full would be littered with one each minute
                    Path(file.name).unlink()


def _packer() -> "zlib._Compress":
    """96 KiB instead of 268 with the usual settings, and the files are no larger: what repeats does so within 8 KiB."""
    return zlib.compressobj(wbits=13, memLevel=7)
