"""Speaks snmpd's pass_persist protocol on stdin and stdout; serves the table in the file named by the first argument.

Each line of the table is `OID TYPE VALUE`. It is read anew at every request, so a test changes the router by
rewriting it.
"""

import sys
from pathlib import Path


def table(path: Path) -> list[tuple[tuple[int, ...], str, str]]:
    rows = [line.split(" ", 2) for line in path.read_text().splitlines() if line.strip()]
    return sorted((tuple(map(int, oid.split("."))), kind, value) for oid, kind, value in rows)


def answer(path: Path, command: str, asked: tuple[int, ...]) -> str:
    for oid, kind, value in table(path):
        if (command == "get" and oid == asked) or (command == "getnext" and oid > asked):
            return f".{'.'.join(map(str, oid))}\n{kind}\n{value}\n"
    return "NONE\n"


def main() -> None:
    path = Path(sys.argv[1])
    while command := sys.stdin.readline().strip().lower():
        if command == "ping":
            reply = "PONG\n"
        else:
            reply = answer(path, command, tuple(map(int, sys.stdin.readline().strip().strip(".").split("."))))
        sys.stdout.write(reply)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
