"""What one transaction changes in the file."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edged.record.database import Value, keep
from edged.record.numbering import Row
from edged.record.retention import Victims, delete
from edged.record.spans import Spans
from edged.record.versions import Versions


@dataclass(frozen=True, slots=True)
class Streams:
    """All streams as they are now."""

    spans: Spans
    continues: bool
    """Whether a next life may continue the last one."""

    def rows(self) -> Iterator[tuple[str, int, int, int, bool]]:
        for span in self.spans.spans:
            yield span.stream, span.start, span.length, span.acknowledged, self.continues


@dataclass(frozen=True, slots=True)
class Change:
    rows: Sequence[Row]
    values: Mapping[str, Value]
    streams: Streams | None
    victims: Victims
    old: Versions
    """As the file has them."""
    new: Versions

    @property
    def vital(self) -> bool:
        """Whether somebody acts on it once it is written."""
        return bool(self.rows) or self.new.commands is not self.old.commands

    def make(self, connection: sqlite3.Connection) -> None:
        """Within a transaction. Raises sqlite3.Error."""
        connection.executemany(
            "INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?)",
            ((r.recorded.row, r.recorded.channel, r.recorded.tier, r.previous, r.recorded.body) for r in self.rows),
        )
        keep(connection, self.values)
        if self.streams:
            connection.execute("DELETE FROM stream")
            connection.executemany("INSERT INTO stream VALUES (?, ?, ?, ?, ?)", self.streams.rows())
        delete(connection, self.victims)
        self.new.replace(self.old, connection)
