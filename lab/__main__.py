"""`lab`: bring a site up, and command the one that runs. `lab --help` lists the commands."""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import NoReturn, get_args

from lab import entry
from lab.client import LabClient
from lab.commands import COMMANDS
from lab.errors import LabError, LabMisuse
from lab.failover import Timing
from lab.nodes import node_command
from lab.place import claim, default_directory
from lab.quantity import duration_s
from lab.service import Media
from lab.status_text import render


def main() -> NoReturn:
    options = _parser().parse_args()
    try:
        sys.exit(_run(options))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, LabMisuse) else 1)


def _run(options: argparse.Namespace) -> int:
    directory: Path = options.dir.absolute()
    words: list[str] = options.words
    match options.command:
        case "up":
            _up(directory, words)
        case "exec":
            _exec(directory, words)
        case "status":
            return asyncio.run(_status(LabClient(directory), words))
        case "down":
            print(asyncio.run(LabClient(directory).down()))
        case command:
            print(asyncio.run(LabClient(directory).do(command, *words)))
    return 0


def _up(directory: Path, words: list[str]) -> NoReturn:
    parser = argparse.ArgumentParser(prog="lab up")
    parser.add_argument("--dir", type=Path, default=directory, help="where the site keeps its files (%(default)s)")
    parser.add_argument("--no-daemon", action="store_true", help="do not run edged on the edge box")
    parser.add_argument("--no-services", action="store_true", help="the network alone")
    parser.add_argument("--failover", type=_seconds, default=10.0, metavar="TIME", help="as `lab failover` (10s)")
    parser.add_argument("--failback", type=_seconds, default=10.0, metavar="TIME", help="as `lab failback` (10s)")
    kinds = get_args(Media)
    parser.add_argument("--media", choices=kinds, default=kinds[0], help="of the session (%(default)s, the cheap kind)")
    parser.add_argument("--user-namespace", action="store_true", help="as for an ordinary user, also when root")
    options = parser.parse_args(words)
    try:
        Timing(options.failover, options.failback)
    except ValueError as error:
        raise LabMisuse(str(error)) from error
    place = options.dir.absolute()
    inside = [f"--dir={place}", f"--failover={options.failover}", f"--failback={options.failback}"]
    inside += [f"--media={options.media}"]
    flags = {"--no-daemon": options.no_daemon, "--no-services": options.no_services}
    inside += [flag for flag, is_set in flags.items() if is_set]
    claim(place)  # the lock is inherited by what we become
    entry.enter(inside, user_namespace=options.user_namespace)


def _exec(directory: Path, words: list[str]) -> NoReturn:
    if not words:
        raise LabMisuse("the node is missing. Usage: lab exec NODE [--] [COMMAND…]")
    node, *argv = words
    argv = argv[1:] if argv[:1] == ["--"] else argv
    command = node_command(directory, node, argv or [os.environ.get("SHELL", "/bin/sh")])
    try:
        os.execvpe(command[0], command, {**os.environ, "EDGED_LAB_DIR": str(directory)})
    except FileNotFoundError:
        raise LabMisuse("exec needs nsenter, of util-linux") from None


async def _status(client: LabClient, words: list[str]) -> int:
    """1 when something of the site died, for scripts."""
    if words not in ([], ["--json"]):
        raise LabMisuse("Usage: lab status [--json]")
    status = await client.status()
    print(json.dumps(status) if words else render(status))
    return 0 if status["ok"] else 1


def _seconds(text: str) -> float:
    """`lab up --failover` takes plain seconds, too."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return duration_s(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    rows = [("up [--no-daemon] [--failover 3s] …", "build the site and stay in front of it; see lab up --help")]
    rows += [("exec NODE [--] [COMMAND…]", "run a command, or a shell, inside a node")]
    rows += [(command.usage, command.does) for command in COMMANDS.values()]
    width = max(len(usage) for usage, _ in rows)
    table = "\n".join(f"  {usage:{width}}  {does}" for usage, does in rows)
    parser = argparse.ArgumentParser(
        prog="lab",
        description="A whole imaging site in network namespaces.",
        epilog=f"commands:\n{table}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dir", type=Path, default=default_directory(), help="the lab's directory (%(default)s)")
    parser.add_argument("command")
    parser.add_argument("words", nargs=argparse.REMAINDER)
    return parser


if __name__ == "__main__":
    main()
