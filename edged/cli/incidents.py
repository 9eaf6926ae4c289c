"""`edgectl incidents`, `edgectl incident N`, `edgectl alarms`: what went wrong, who answered, and what is owed now.

Told by the living daemon; incidents also by the record in the state directory where it is dead. Plain text that fits
80 columns.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from edged.cli.client import NotRunning, ask, socket_path
from edged.cli.incident_text import alarm_lines, incident_lines, list_lines
from edged.cli.options import AWAY, NOT_RUNNING, STATE_DIR, AsJson, Socket, StateDir, fail, told
from edged.control.protocol import ControlError, Refusal

Last = Annotated[int, typer.Option("--last", "-n", min=1, max=500, help="How many")]


def incidents(socket: Socket = None, as_json: AsJson = False, last: Last = 20, state_dir: StateDir = STATE_DIR) -> None:
    """What went wrong, newest first: one line a root cause. Also works with the daemon dead."""
    from edged.record import incident_rows

    found, alive = _found(socket, "incidents", {"limit": last}, lambda: incident_rows.incidents(state_dir, limit=last))
    _say(found, list_lines(found), as_json, alive=alive)


def incident(
    number: Annotated[int, typer.Argument(min=1, help="Its number, as `edgectl incidents` lists it")],
    socket: Socket = None,
    as_json: AsJson = False,
    state_dir: StateDir = STATE_DIR,
) -> None:
    """One incident from onset to closure: what was demanded, who answered, how fast; with the daemon dead too."""
    from edged.record import incident_rows

    found, alive = _found(socket, "incident", {"number": number}, lambda: incident_rows.incident(state_dir, number))
    _say(found, incident_lines(found), as_json, alive=alive)


def alarms(socket: Socket = None, as_json: AsJson = False) -> None:
    """What somebody has to answer now, in the order to read it; and how well the alarms are kept."""
    doc = told(socket, "status", {})
    found = {"alarms": doc["alarms"], "kpi": doc["kpi"]}
    _say(found, alarm_lines(doc["alarms"], doc["kpi"]), as_json, alive=True)


def _found(socket: Path | None, do: str, args: dict[str, Any], read: Callable[[], Any]) -> tuple[Any, bool]:
    """The daemon's answer, else what its record says; and whether it lives."""
    from edged.record.errors import RecordBroken, RecordMisused

    try:
        return ask(socket_path(socket), do, args), True
    except (Refusal, ControlError) as error:
        fail(error)
    except NotRunning as error:
        away = error
    try:
        return read(), False
    except RecordMisused as error:
        fail(error)
    except RecordBroken as error:
        typer.secho(f"{AWAY}\n  {away}\n  {error}", err=True, fg="red")
        raise typer.Exit(NOT_RUNNING) from error


def _say(found: Any, lines: list[str], as_json: bool, *, alive: bool) -> None:
    """Exit status 3 where nobody watches, as for `status`."""
    if not alive:
        typer.secho(AWAY, fg="red", bold=True, err=True)
    typer.echo(json.dumps(found, indent=2) if as_json else "\n".join(lines))
    if not alive:
        raise typer.Exit(NOT_RUNNING)
