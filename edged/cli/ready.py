"""`edgectl ready`: may the next injection begin? The exit status says it too, and nothing unclear is ever green."""

import json
from enum import IntEnum
from typing import Any, NoReturn

import typer

from edged.cli.client import NotRunning, ask, socket_path
from edged.cli.fallback import rooms_of
from edged.cli.options import AWAY, AsJson, Room, Socket
from edged.control.protocol import ControlError, Refusal

Doc = dict[str, Any]


class Level(IntEnum):
    """The exit status; the worst room's."""

    GREEN = 0
    AMBER = 1
    RED = 2
    """Also what cannot be asked: no such room, no role, no reply."""
    NOT_RUNNING = 3


_COLOURS = {Level.GREEN: "green", Level.AMBER: "yellow", Level.RED: "red"}
_ANSWER_WITHIN_S = 1.5


def ready(room: Room = None, socket: Socket = None, as_json: AsJson = False) -> None:
    """May the next injection begin? Green, amber, red, and why. Exit status 0, 1, 2; 3: edged is not running."""
    try:
        doc = ask(socket_path(socket), "status", timeout_s=_ANSWER_WITHIN_S)
    except NotRunning as error:
        _end(Level.NOT_RUNNING, f"NOT READY  {AWAY} ({error})", as_json)
    except (Refusal, ControlError) as error:
        _end(Level.RED, f"NOT READY  {error}", as_json)
    rooms = rooms_of(doc, room)
    level = max(Level[each["ready"]["level"].upper()] for each in rooms)
    if as_json:
        told = [{"room": each["room"], **each["ready"]} for each in rooms]
        typer.echo(json.dumps({"level": level.name.lower(), "rooms": told}, indent=2))
    else:
        for each in rooms:
            _say(each)
    raise typer.Exit(level)


def _say(room: Doc) -> None:
    level = Level[room["ready"]["level"].upper()]
    lamp = typer.style(f"● {level.name:<5}", fg=_COLOURS[level], bold=True)
    reasons = [each["say"] for each in room["ready"]["reasons"]] or ["The next injection may begin."]
    typer.echo(f"{lamp} {room['room']}: {reasons[0]}")
    for sentence in reasons[1:]:
        typer.echo(f"        {sentence}")


def _end(level: Level, text: str, as_json: bool) -> NoReturn:
    if as_json:
        typer.echo(json.dumps({"level": "red", "rooms": [], "error": text}))
    else:
        typer.secho(text, fg="red", bold=True)
    raise typer.Exit(level)
