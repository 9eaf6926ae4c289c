"""What is held of each site, to read or to compute with."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from edge_noc.asking import Kind
from edge_noc.book import UNKNOWN_STREAM, StreamBook
from edge_noc.disk import DiskRefused, stored_books

Doc = dict[str, Any]


def report(path: Path) -> Doc:
    """{"sites": {"tenant/site": {"streams": {stream: {…}}}}}; a consumer may write meanwhile. Raises DiskRefused."""
    sites: Doc = {}
    if not path.exists():
        raise DiskRefused(f"{path}: no such file")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            for (tenant, site), name, kind, book in stored_books(base):
                sites.setdefault(f"{tenant}/{site}", {"streams": {}})["streams"][name] = _stream(kind, book)
    except sqlite3.Error as error:
        raise DiskRefused(f"{path}: {error}") from error
    return {"sites": sites}


def lines(found: Doc) -> Iterator[str]:
    """The same for people."""
    for site, held in found["sites"].items():
        yield site
        for name, each in held["streams"].items():
            gaps = ", ".join(f"{first}-{last}" for first, last in each["gaps"][:8]) or "none"
            yield (
                f"  {each['kind']:<9} {name}  {each['held']} of {each['last']}, gaps {gaps}, "
                f"acknowledged {each['watermark']}, duplicates {each['duplicates']}, will not come {each['gone']}"
            )


def _stream(kind: Kind, book: StreamBook) -> Doc:
    lost = book.lost()
    return {
        "kind": kind.value,
        "held": book.held.count,
        "last": book.known_last,
        "watermark": book.watermark,
        "duplicates": book.duplicates,
        "gaps": [list(hole) for hole in book.holes()],
        "tombstones": [{"first": a, "last": b, "why": why} for why, parts in lost.items() for a, b in parts],
        "lost": [list(part) for part in lost.get(UNKNOWN_STREAM, [])],
        "gone": sum(b - a + 1 for parts in lost.values() for a, b in parts),
    }
