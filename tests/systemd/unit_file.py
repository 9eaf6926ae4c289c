"""Reads a unit as systemd does where it matters here: a key may come again, and adds."""

from pathlib import Path

SYSTEMD = Path(__file__).parents[2] / "systemd"

Unit = dict[tuple[str, str], list[str]]
"""(section, key): values in order."""


def read(path: Path) -> Unit:
    """Raises ValueError for a line that is neither section, key, comment nor empty."""
    unit: Unit = {}
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith(("#", ";")):
            continue
        if line.startswith("["):
            section = line.strip("[]")
            continue
        key, equals, value = line.partition("=")
        if not equals or key != key.strip() or line.endswith("\\"):
            raise ValueError(f"{path}: {line!r}")
        unit.setdefault((section, key), []).append(value)
    return unit


def table(path: Path) -> list[list[str]]:
    """The columns of a sysusers.d or tmpfiles.d file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]
