"""The tables behind tombstones and commands: small, each held in memory as one value, of which only what differs is
written.
"""

import json
import sqlite3
from dataclasses import dataclass, field

from edged.record.kept_commands import KeptCommands
from edged.record.recorded import Gone, KeptCommand, Tombstone
from edged.record.tombstones import Grave, Tombstones


@dataclass(frozen=True, slots=True)
class Versions:
    tombstones: Tombstones = field(default_factory=Tombstones)
    commands: KeptCommands = field(default_factory=KeptCommands)

    def replace(self, old: "Versions", connection: sqlite3.Connection) -> None:
        """Within a transaction. Raises sqlite3.Error."""
        if self.tombstones is not old.tombstones:
            _bury(connection, {*old.tombstones.graves}, {*self.tombstones.graves})
        if self.commands is not old.commands:
            _command(connection, {*old.commands.commands}, self.commands)


def read(connection: sqlite3.Connection) -> Versions:
    """Raises sqlite3.Error. A file of the first version, read after its daemon died, has none."""
    if not connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'tombstone'").fetchone()[0]:
        return Versions()
    return Versions(_tombstones(connection), _commands(connection))


def _tombstones(connection: sqlite3.Connection) -> Tombstones:
    found = connection.execute("SELECT stream, first, last, why, tiers, told FROM tombstone ORDER BY stream, first")
    return Tombstones(tuple(_grave(*columns) for columns in found))


def _commands(connection: sqlite3.Connection) -> KeptCommands:
    found = connection.execute("SELECT id, expires_wall_s, answer FROM command ORDER BY number")
    return KeptCommands(tuple(KeptCommand(*columns) for columns in found))


def _grave(stream: str, first: int, last: int | None, why: str, tiers: str, told: int) -> Grave:
    counts = tuple((tier, events) for tier, events in json.loads(tiers))
    return Grave(Tombstone(stream, first, last, Gone(why), counts), bool(told))


def _bury(connection: sqlite3.Connection, old: set[Grave], new: set[Grave]) -> None:
    connection.executemany(
        "DELETE FROM tombstone WHERE stream = ? AND first = ?", [(g.stone.stream, g.stone.first) for g in old - new]
    )
    connection.executemany(
        "INSERT OR REPLACE INTO tombstone VALUES (?, ?, ?, ?, ?, ?)",
        [
            (g.stone.stream, g.stone.first, g.stone.last, g.stone.why, json.dumps(g.stone.tiers), g.told)
            for g in new - old
        ],
    )


def _command(connection: sqlite3.Connection, old: set[KeptCommand], kept: KeptCommands) -> None:
    connection.executemany("DELETE FROM command WHERE id = ?", [(c.id,) for c in old - {*kept.commands}])
    connection.executemany(
        "INSERT OR REPLACE INTO command (id, expires_wall_s, answer) VALUES (?, ?, ?)",
        [(c.id, c.expires_wall_s, c.answer) for c in kept.commands if c not in old],
    )
