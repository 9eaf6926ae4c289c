"""The Peplink subtree for real snmpd, in net-snmp's pass_persist protocol: two lines in (get or getnext, an OID), three
lines out.

snmpd starts this as its own child and talks to its stdin and stdout; it ends when snmpd does. Source: snmpd.conf(5).
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from lab.services import interfaces
from lab.services.snmp_tree import PEPLINK, Oid, Tree, Value, dotted, peplink
from lab.services.world import Truth

FRESH_S = 0.5  # byte counts move on their own; the tree is built again when older than this


def answer(tree: Tree, command: str, oid: Oid) -> str:
    """The reply to one request; NONE also for what we do not understand or may not change."""
    found: tuple[Oid, Value] | None = None
    match command:
        case "get":
            value = tree.get(oid)
            found = (oid, value) if value else None
        case "getnext":
            found = tree.after(oid)
        case "set":
            return "not-writable\n"
    if found is None or found[0][: len(PEPLINK)] != PEPLINK:
        return "NONE\n"
    return f"{dotted(found[0])}\n{found[1].kind}\n{found[1].value}\n"


def parse_oid(text: str) -> Oid:
    """Dotted text taken apart; an empty tuple where it is no OID."""
    parts = text.strip().strip(".").split(".")
    return tuple(map(int, parts)) if all(part.isascii() and part.isdigit() for part in parts) else ()


def serve(requests: TextIO, replies: TextIO, tree: Callable[[], Tree]) -> None:
    """Answer until the other side closes."""
    for line in requests:
        command = line.strip()
        if command == "PING":
            replies.write("PONG\n")
        elif command in ("get", "getnext", "set"):
            oid = parse_oid(requests.readline())
            if command == "set":
                requests.readline()
            replies.write(answer(tree(), command, oid))
        elif command:
            replies.write("NONE\n")
        replies.flush()


class Current:
    """The tree of this moment."""

    def __init__(self, directory: Path, *, device_branch: bool) -> None:
        self._truth = Truth(directory)
        self._device_branch = device_branch
        self._built_s = float("-inf")
        self._tree = Tree({})

    def __call__(self) -> Tree:
        now_s = time.monotonic()
        if self._truth.refresh() or now_s - self._built_s > FRESH_S:
            router = self._truth.world.router
            self._tree = Tree(peplink(router, interfaces.read(), device_branch=self._device_branch))
            self._built_s = now_s
        return self._tree


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--device-branch", action="store_true")
    chosen = parser.parse_args()
    serve(sys.stdin, sys.stdout, Current(chosen.dir, device_branch=chosen.device_branch))


if __name__ == "__main__":
    main()
