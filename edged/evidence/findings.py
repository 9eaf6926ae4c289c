"""What was found of a packet, in plain words, and what it means for it."""

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """Also the exit status."""

    GOOD = 0
    BAD = 1
    CANNOT_TELL = 2


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    text: str


def good(text: str) -> Finding:
    return Finding(Level.GOOD, text)


def bad(text: str) -> Finding:
    return Finding(Level.BAD, text)


def unsure(text: str) -> Finding:
    return Finding(Level.CANNOT_TELL, text)
