"""The commands of the NOC this box has begun, known until they are too old to be obeyed. Pure."""

from dataclasses import dataclass

from edged.record.recorded import KeptCommand

MOST = 1000
"""Commands kept; the NOC gives a handful a day, and a flood of them must not fill the file."""
GRACE_S = 86_400.0
"""Kept this long after they expired: a wall clock that leaps ahead and comes back must not make an old command new."""


@dataclass(frozen=True, slots=True)
class KeptCommands:
    """Oldest first."""

    commands: tuple[KeptCommand, ...] = ()

    def find(self, identity: str) -> KeptCommand | None:
        return next((command for command in self.commands if command.id == identity), None)

    def full_for(self, command: KeptCommand, *, now_wall_s: float) -> bool:
        """Whether it would push out one that might come again, and then be done twice."""
        fresh = [c for c in self.commands if c.id != command.id and c.expires_wall_s + GRACE_S >= now_wall_s]
        return len(fresh) >= MOST

    def keeping(self, command: KeptCommand, *, now_wall_s: float) -> "KeptCommands":
        """With this one, in the place of an earlier one of the same id, and without those that expired."""
        others = (c for c in self.commands if c.id != command.id and c.expires_wall_s + GRACE_S >= now_wall_s)
        return KeptCommands((*others, command)[-MOST:])

    def with_later(self, later: "KeptCommands") -> "KeptCommands":
        """These, and `later` ones in the place of earlier ones of the same id."""
        if not later.commands:
            return self
        known = {command.id for command in later.commands}
        return KeptCommands((*(c for c in self.commands if c.id not in known), *later.commands)[-MOST:])
