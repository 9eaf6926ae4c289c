"""`edgectl`: what a field engineer or a technologist types. Every command takes --json; the exit status tells."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from edged.cli import acts, client, evidence, fallback, incidents, ready
from edged.cli.client import NotRunning, ask, follow, socket_path
from edged.cli.options import AWAY, NOT_RUNNING, STATE_DIR, AsJson, Socket, StateDir, fail, show, told
from edged.control.protocol import ControlError, Refusal

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("ready")(ready.ready)
app.command("incidents")(incidents.incidents)
app.command("incident")(incidents.incident)
app.command("alarms")(incidents.alarms)
app.command("evidence")(evidence.evidence)
app.command("verify")(evidence.verify)
app.add_typer(acts.session, name="session")
app.add_typer(acts.contrast, name="contrast")
app.add_typer(acts.monitoring, name="monitoring")
app.add_typer(fallback.phone, name="phone")
app.add_typer(fallback.mobile, name="mobile")
app.add_typer(acts.drill, name="drill")
app.add_typer(acts.top)

_MOST_EVENTS = 1000


@app.command()
def status(
    socket: Socket = None,
    as_json: AsJson = False,
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Everything at a glance. Also works with the daemon dead: then it says so, and shows what was last recorded."""
    try:
        doc = ask(socket_path(socket), "status")
    except NotRunning as error:
        _show_dead(error, state_dir, as_json)
        raise typer.Exit(NOT_RUNNING) from error
    except (Refusal, ControlError) as error:
        fail(error)
    show(doc, as_json, lambda board: [board.board(doc)])


@app.command()
def links(socket: Socket = None, as_json: AsJson = False) -> None:
    """Both lines and the targets they are judged by."""
    _section("links", socket, as_json, key="links", more="targets")


@app.command()
def ups(socket: Socket = None, as_json: AsJson = False) -> None:
    """Power: mains or battery, charge, runtime."""
    _section("ups", socket, as_json, key="ups", more="covers")


@app.command()
def wan(socket: Socket = None, as_json: AsJson = False) -> None:
    """The router's WANs and which one is active."""
    _section("wan", socket, as_json, key="router")


@app.command()
def qos(socket: Socket = None, as_json: AsJson = False) -> None:
    """The four classes on each in-line interface."""
    _section("qos", socket, as_json, key="qos", more="classes")


@app.command()
def events(
    socket: Socket = None,
    as_json: AsJson = False,
    last: Annotated[int, typer.Option("--last", "-n", min=1, max=1000, help="How many")] = 30,
    all_of_them: Annotated[
        bool, typer.Option("--all", help="Also the proof that is written every few seconds")
    ] = False,
) -> None:
    """What was recorded, newest last; in JSON all of it."""
    if all_of_them or as_json:
        listed = told(socket, "events", {"limit": last})
    else:
        from edged.cli.event_list import ROUTINE, name

        found = told(socket, "events", {"limit": min(_MOST_EVENTS, 10 * last)})
        listed = [each for each in found if name(each) not in ROUTINE][-last:]
    show(listed, as_json, lambda board: [board.events(listed)])


@app.command()
def watch(socket: Socket = None, as_json: AsJson = False) -> None:
    """The board, live. Ctrl-C ends it. Without a terminal: one line at each change of tier.

    Goes on through restarts of the daemon, and says while it is away.
    """
    path = socket_path(socket)
    try:
        if as_json:
            _watch_lines(path, lambda doc: json.dumps(doc or {"running": False}))
        elif sys.stdout.isatty():
            _watch_board(path)
        else:
            _watch_lines(path, _tier_line)
    except KeyboardInterrupt:
        return
    except (NotRunning, Refusal, ControlError) as error:
        fail(error)


Link = Annotated[str, typer.Argument(help="Name of the link, as in edged.toml")]


@app.command()
def diagnose(link: Link, socket: Socket = None, as_json: AsJson = False) -> None:
    """Walk the link's path: where it dies, what it does to priority marks and to large packets. Takes some seconds."""
    _errand(socket, "diagnose", link, as_json)


@app.command()
def prove(link: Link, socket: Socket = None, as_json: AsJson = False) -> None:
    """By which door the link leaves: our address as seen from outside, and the first routers."""
    _errand(socket, "prove", link, as_json)


@app.command()
def measure(
    link: Link,
    socket: Socket = None,
    as_json: AsJson = False,
    ramp: Annotated[
        bool, typer.Option("--ramp", help="Fill the line for seconds: exact, and refused while a session is open")
    ] = False,
) -> None:
    """The link's bandwidth, both directions: by short packet trains, or exactly with --ramp."""
    _errand(socket, "ramp" if ramp else "train", link, as_json)


@app.command()
def reload(socket: Socket = None) -> None:
    """Read the configuration again; a bad one is refused and the old one stays. Returns when edged lives with it."""
    try:
        typer.echo(client.reload(socket_path(socket)))
    except (NotRunning, Refusal, ControlError) as error:
        fail(error)


# ── below ──────────────────────────────────────────────────────────────────────────────────────────────
def _section(section: str, socket: Path | None, as_json: bool, *, key: str, more: str | None = None) -> None:
    doc = told(socket, "status", {})
    names = [section, *([more] if more else [])]
    show(doc[key], as_json, lambda board: [getattr(board, name)(doc) for name in names])


def _show_dead(error: NotRunning, state_dir: Path, as_json: bool) -> None:
    """The daemon is dead: that nothing is being watched, and what the record says."""
    from edged.cli.postmortem import RecordBroken, last_words

    try:
        said, unread = last_words(state_dir), None
    except RecordBroken as broken:
        said, unread = None, str(broken)
    if as_json:
        typer.echo(json.dumps({"running": False, "error": str(error), "record": said, "record_error": unread}))
        return
    typer.secho(AWAY, fg="red", bold=True)
    typer.echo(f"  {error}")
    if said is None:
        typer.echo(f"  {unread}")
        return
    typer.echo(f"Last recorded tier {said['tier']}, {said['age']} ago. The end of the record in {said['path']}:")
    show(None, False, lambda board: [board.events(said["events"])])


def _watch_board(path: Path) -> None:
    from rich.live import Live

    from edged.cli import board

    with Live(screen=True, auto_refresh=False) as screen:
        for doc in follow(path, every_s=0.5):
            screen.update(board.board(doc) if doc else f"[bold red]{AWAY}[/]", refresh=True)


def _watch_lines(path: Path, line: Callable[[Any], str]) -> None:
    shown = None
    for doc in follow(path, every_s=1.0):
        text = line(doc)
        if text != shown:
            wall = doc["clock"]["wall"] if doc else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            print(text if text.startswith("{") else f"{wall} {text}", flush=True)
            shown = text


def _tier_line(doc: Any) -> str:
    if not doc:
        return AWAY
    tier = doc["tier"]
    verdicts = " ".join(f"{link['link']}={link['verdict']}" for link in doc["links"])
    room = f" room={tier['room']}" if len(doc["rooms"]) > 1 else ""
    drill = " DRILL" if doc["drill"] else ""
    return f"tier={tier['tier']}{room}{drill} cause={tier['cause']} {verdicts} {tier['say'] or ''}".rstrip()


def _errand(socket: Path | None, errand: str, link: str, as_json: bool) -> None:
    from edged.cli import errands

    try:
        found = errands.run(socket_path(socket), errand, link)
    except (NotRunning, Refusal, ControlError, errands.NoResult) as error:
        fail(error)
    typer.echo(json.dumps(found, indent=2) if as_json else "\n".join(errands.said(errand, found)))
    if errands.in_vain(errand, found):
        raise typer.Exit(1)


def main() -> None:
    app()
