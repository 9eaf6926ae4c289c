"""What this NOC holds of the signed checkpoints of a site's record: the witness `edgectl verify --witness` asks for.

    python checkpoints.py --db noc.db --site clinic/room-1 > witness.json
    python checkpoints.py --db noc.db --keys

A checkpoint says which hash the record had at one row. The box cannot change any row before it any more without this
file showing it, so hand it out from here, never from the box. Reads the consumer's database, also while it runs.

Exit status: 0 done, 1 nothing is held of that site, 2 used wrongly, or the database cannot be read.
"""

import argparse
import json
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FORMAT = "edged-witness-1"
KIND = "ledger.checkpoint"
SAID = ("stream", "at", "row_hash", "key", "public_key", "signature")
_OF_SITE = (
    "SELECT time, arrived_s, body FROM event WHERE type = ? AND tenant = ? AND site = ? ORDER BY arrived_s, sequence"
)
_ALL = "SELECT tenant, site, time, body FROM event WHERE type = ? ORDER BY tenant, site, arrived_s, sequence"

Doc = dict[str, Any]


def main(words: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(words)
    try:
        with closing(_open(options.db)) as base:
            if options.keys:
                return _print_keys(base)
            found = witness(base, options.site)
    except (OSError, ValueError, sqlite3.Error) as error:
        print(f"checkpoints: {options.db}: {error}", file=sys.stderr)
        return 2
    print(json.dumps(found, indent=1))
    if not found["checkpoints"]:
        print(f"checkpoints: nothing is held of {options.site}", file=sys.stderr)
    return 0 if found["checkpoints"] else 1


def witness(base: sqlite3.Connection, site: str) -> Doc:
    """All of one site, "tenant/site", in the order they came. Raises sqlite3.Error."""
    tenant, _, name = site.partition("/")
    rows = base.execute(_OF_SITE, (KIND, tenant, name))
    found = [
        {"time": time, "arrived": _rfc3339(arrived_s), **said} for time, arrived_s, body in rows for said in _said(body)
    ]
    return {"format": FORMAT, "site": site, "checkpoints": found}


def keys(base: sqlite3.Connection) -> Iterator[tuple[str, str, str, str]]:
    """(site, fingerprint, time of its first checkpoint, of its last). Two of one site: its key was lost, ask why."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for tenant, site, time, body in base.execute(_ALL, (KIND,)):
        for each in _said(body):
            first, _ = found.get((f"{tenant}/{site}", each["key"]), (time, time))
            found[f"{tenant}/{site}", each["key"]] = (first, time)
    for (site, key), (first, last) in found.items():
        yield site, key, first, last


def _print_keys(base: sqlite3.Connection) -> int:
    listed = list(keys(base))
    for each in listed:
        print("  ".join(each))
    return 0 if listed else 1


def _said(body: str) -> Iterator[Doc]:
    """Nothing, if it is not what a box says: it proves nothing then."""
    data = json.loads(body).get("data")
    if isinstance(data, dict) and data.keys() >= {*SAID}:
        yield {name: data[name] for name in SAID}


def _rfc3339(wall_s: float) -> str:
    """By this NOC's clock."""
    return datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise FileNotFoundError("no such file")
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", type=Path, required=True, metavar="FILE", help="the consumer's database")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--site", metavar="TENANT/SITE")
    chosen.add_argument("--keys", action="store_true", help="print every site's signing keys: fingerprint, first, last")
    return parser


if __name__ == "__main__":
    sys.exit(main())
