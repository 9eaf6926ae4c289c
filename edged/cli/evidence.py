"""`edgectl evidence` and `edgectl verify`: the packet of one session is made, and checked without us.

Rows come from the living daemon, or from the state directory where it is dead or where we may read it all the same.
Exit status of `verify`: 0 proven, 1 changed, 2 nobody can tell.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edged.cli.client import NotRunning, ask, socket_path
from edged.cli.options import STATE_DIR, Socket, StateDir, fail
from edged.control.protocol import ControlError, Refusal

if TYPE_CHECKING:
    from edged.record.evidence_rows import ChainedRow

STATUS_OF = {"good": 0, "bad": 1, "cannot_tell": 2}
_COLOR = {"good": "green", "bad": "red", "cannot_tell": "yellow"}
_SAID = {"good": "GOOD", "bad": "BAD", "cannot_tell": "CANNOT TELL"}

OutDir = Annotated[Path, typer.Option("--out", file_okay=False, help="Where the two files go")]
ProtocolFile = Annotated[
    Path | None, typer.Option("--protocol", exists=True, dir_okay=False, help="The containment protocol of that day")
]


def evidence(
    session: Annotated[str, typer.Argument(help="Opaque id of the session")],
    out: OutDir = Path(),
    socket: Socket = None,
    state_dir: StateDir = STATE_DIR,
    protocol: ProtocolFile = None,
) -> None:
    """Write evidence-SESSION.json and evidence-SESSION.html: what was recorded of a session, and the proof of it.

    Also works with the daemon dead, for whoever may read its state directory.
    """
    from edged.config_error import ConfigError
    from edged.evidence.errors import EvidenceError
    from edged.evidence.packet import build, read
    from edged.evidence.page import page
    from edged.record.errors import RecordError

    try:
        rows = _rows(session, socket, state_dir)
        content = build(rows, session, _protocol(protocol))
        packet = read(content)
        files = {".json": content, ".html": page(packet).encode()}
        out.mkdir(parents=True, exist_ok=True)
        for suffix, held in files.items():
            (out / f"evidence-{session}{suffix}").write_bytes(held)
    except (EvidenceError, RecordError, NotRunning, Refusal, ControlError, ConfigError, OSError) as error:
        fail(error)
    for suffix in files:
        typer.echo(out / f"evidence-{session}{suffix}")
    named = packet.derived["software"]
    if protocol and packet.protocol is None and named:
        typer.secho(f"The rows name another protocol than {protocol}: it was left out.", err=True, fg="yellow")


def verify(
    packet: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="evidence-SESSION.json")],
    witness: Annotated[
        Path | None, typer.Option("--witness", exists=True, dir_okay=False, help="What the NOC holds: checkpoints.py")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="Fingerprint of the box's key, as the NOC knows it")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program")] = False,
) -> None:
    """Check a packet, and the page beside it, offline. Exit status 0 proven, 1 changed, 2 nobody can tell."""
    from edged.evidence.verifying import Asked
    from edged.evidence.verifying import verify as examined

    beside = packet.with_suffix(".html")
    try:
        asked = Asked(
            page=beside.read_bytes() if beside.exists() else None,
            witness=witness.read_bytes() if witness else None,
            key=key,
        )
        verdict = examined(packet.read_bytes(), asked)
    except OSError as error:
        typer.secho(f"edgectl: {error}", err=True, fg="red")
        raise typer.Exit(STATUS_OF["cannot_tell"]) from error
    level = verdict.level.name.lower()
    findings = [{"level": each.level.name.lower(), "text": each.text} for each in verdict.findings]
    _print(packet, level, findings, as_json, page=asked.page is not None)
    raise typer.Exit(STATUS_OF[level])


def _print(packet: Path, level: str, findings: list[dict[str, str]], as_json: bool, *, page: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"packet": str(packet), "verdict": level, "findings": findings}, indent=2))
        return
    typer.secho(f"{_SAID[level]}: {packet}", fg=_COLOR[level], bold=True)
    for each in findings:
        typer.secho(f"  {each['text']}", fg=None if each["level"] == "good" else _COLOR[each["level"]])
    if not page:
        typer.echo("  There is no page beside it to check.")


# ── where the rows are ─────────────────────────────────────────────────────────────────────────────────
Portion = Callable[[dict[str, Any]], dict[str, Any]]


def _rows(session: str, socket: Path | None, state_dir: Path) -> "list[ChainedRow]":
    """Raises NotRunning, Refusal, ControlError, RecordError."""
    from edged.record.evidence_rows import session_rows

    try:
        return _portions(session, lambda args: ask(socket_path(socket), "evidence", args))
    except NotRunning:
        if not (state_dir / "ledger.sqlite3").exists():
            raise
    return _portions(session, lambda args: session_rows(state_dir, **args).document())


def _portions(session: str, portion: Portion) -> "list[ChainedRow]":
    from edged.record.evidence_rows import ChainedRow

    args: dict[str, Any] = {"session": session}
    rows: list[ChainedRow] = []
    while True:
        found = portion(args)
        rows += (ChainedRow(row, bytes.fromhex(previous), body.encode()) for row, previous, body in found["rows"])
        if found["after"] is None:
            return rows
        args = {"session": session, "after": found["after"], "last": found["last"]}


def _protocol(path: Path | None) -> Mapping[str, Any]:
    """The text of the file, else the shipped one; left out where the rows name another. Raises ConfigError."""
    from edged.core.protocol import DEFAULT
    from edged.protocol_file import load_protocol

    return (load_protocol(path) if path else DEFAULT).content()
