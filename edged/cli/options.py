"""What the commands of `edgectl` have in common: their options, the daemon's answer, and how they end.

Exit status: 0 done (and already done), 1 refused or nothing came of it, 2 used wrongly, 3 no daemon there. `ready`
and `verify` have their own.
"""

import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from edged.cli.client import NotRunning, ask, socket_path
from edged.control.protocol import ControlError, Refusal

NOT_RUNNING = 3
AWAY = "edged IS NOT RUNNING: nothing is watched."
STATE_DIR = Path("/var/lib/edged")
_ROLES = "roles are groups of this box: edged-view, edged-operate, edged-admin"


class Reason(StrEnum):
    """Why: a code, never free text, so that nothing about a patient can get in."""

    PROCEDURE = "procedure"
    LINE_FAILED = "line_failed"
    DEGRADED = "degraded"
    EMERGENCY = "emergency"
    DRILL = "drill"
    MAINTENANCE = "maintenance"
    COVERAGE = "coverage"
    SCHEDULING = "scheduling"
    CLINICAL = "clinical"
    NUISANCE = "nuisance"


Socket = Annotated[
    Path | None, typer.Option("--socket", help="Control socket (default $EDGED_SOCKET or /run/edged/control.sock)")
]
# readable=False: only the daemon and root may read it, and whoever asks the living daemon need not.
StateDir = Annotated[
    Path,
    typer.Option("--state-dir", envvar="EDGED_STATE_DIR", readable=False, help="Where to look when the daemon is dead"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program")]
Why = Annotated[Reason, typer.Option("--reason", help="Coded reason, for the audit")]
Room = Annotated[str | None, typer.Option("--room", help="Procedure room; needed where several can be meant")]
Session = Annotated[str | None, typer.Option("--session", help="Only if this is the session that is open")]


def told(socket: Path | None, do: str, args: dict[str, Any]) -> Any:
    """The data of the daemon's reply; without one the program ends, and says why."""
    try:
        return ask(socket_path(socket), do, args)
    except (NotRunning, Refusal, ControlError) as error:
        fail(error)


def fail(error: Exception) -> NoReturn:
    hint = " (is edged running?)" if isinstance(error, NotRunning) else ""
    hint = f" ({_ROLES})" if isinstance(error, Refusal) and error.code == "forbidden" else hint
    said = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
    typer.secho(f"edgectl: {said}{hint}", err=True, fg="red")
    raise typer.Exit(NOT_RUNNING if isinstance(error, NotRunning) else 1)


def show(data: Any, as_json: bool, render: Callable[[Any], list[Any]]) -> None:
    """As JSON, or as what `render` makes of the board's parts."""
    if as_json:
        typer.echo(json.dumps(data, indent=2))
        return
    from rich.console import Console

    from edged.cli import board

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 160
    for part in render(board):
        console.print(part)
