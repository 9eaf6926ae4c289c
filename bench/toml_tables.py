"""Takes tables out of a TOML file without touching the rest of its text. Pure."""

import re

_HEADER = re.compile(r"^\s*\[\[?\s*([A-Za-z0-9_-]+)")


def without(text: str, table: str) -> str:
    """`text` less [table], its subtables and its arrays of tables. Only for tables with headers of their own."""
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        if header := _HEADER.match(line):
            inside = header.group(1) == table
        if not inside:
            kept.append(line)
    return "".join(kept)
