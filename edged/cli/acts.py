"""What the technologist says and does, a command an act: two seconds of work, and an audit event with role and time.

Most acts differ in their name and their words only: they are rows. An act that was recorded before is answered so and
is no failure.
"""

import json
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from edged.cli.act_words import answer
from edged.cli.options import AsJson, Reason, Room, Session, Socket, Why, told
from edged.core.opaque import made_up

session = typer.Typer(help="The course of a supervised procedure.", no_args_is_help=True)
contrast = typer.Typer(help="When contrast is given.", no_args_is_help=True)
monitoring = typer.Typer(
    help="The time after contrast, until nothing is to be expected any more.", no_args_is_help=True
)
drill = typer.Typer(help="The primary line offline on purpose, once a month.", no_args_is_help=True)
top = typer.Typer()
"""Commands of one word; `edgectl` takes them in."""


def record(socket: Path | None, as_json: bool, act: str, reason: Reason, **about: Any) -> None:
    """Tell the daemon, and print its answer in one line."""
    done = told(socket, "act", {"act": act, "reason": reason.value, **about})
    typer.echo(json.dumps(done) if as_json else answer(done, about.get("subject")))


# ── acts in a room ─────────────────────────────────────────────────────────────────────────────────────
def in_room(app: typer.Typer, name: str, act: str, help: str, reason: Reason = Reason.PROCEDURE) -> None:
    """A command for an act that needs no more than its room."""

    def command(
        room: Room = None, session: Session = None, reason: Why = reason, socket: Socket = None, as_json: AsJson = False
    ) -> None:
        record(socket, as_json, act, reason, room=room, session=session)

    app.command(name, help=help)(command)


def caused(app: typer.Typer, name: str, act: str, help: str) -> None:
    """One whose reason is what it is recorded for: it has to be said."""

    def command(
        reason: Why, room: Room = None, session: Session = None, socket: Socket = None, as_json: AsJson = False
    ) -> None:
        record(socket, as_json, act, reason, room=room, session=session)

    app.command(name, help=help)(command)


in_room(session, "close", "session_closed", "The procedure is over; nobody is to be supervised any more.")
in_room(contrast, "start", "contrast_started", "Contrast is being given.")
in_room(contrast, "end", "contrast_ended", "All contrast is given: the monitoring time begins.")
in_room(monitoring, "end", "monitoring_ended", "The monitoring time is over.")
in_room(top, "escalate", "escalated", "Document that a late answer was escalated.", Reason.COVERAGE)
in_room(top, "continuity", "continuity_confirmed", "The radiologist was heard to confirm that supervision continues.")
in_room(top, "onsite", "onsite_present", "A supervisor is present in the room.")
caused(top, "hold", "held", "Contrast is held back; why, is counted.")
caused(top, "halt", "halted", "The examination is halted; why, is counted.")
caused(top, "reschedule", "rescheduled", "The examination is put off; why, is counted.")

Id = Annotated[
    str | None, typer.Argument(help="Opaque id of the session, nothing about the patient; none: one is made up")
]


def _with_id(name: str, act: str, help: str) -> None:
    def command(
        id: Id = None, room: Room = None, reason: Why = Reason.PROCEDURE, socket: Socket = None, as_json: AsJson = False
    ) -> None:
        record(socket, as_json, act, reason, room=room, session=id or made_up())

    session.command(name, help=help)(command)


_with_id("request", "session_requested", "A radiologist is asked for: the time until somebody joins is measured.")
_with_id("open", "session_opened", "Supervision begins, and nobody said when it was asked for.")


@session.command("join")
def session_join(
    id: Annotated[str | None, typer.Argument(help="Only if this is the session that was requested")] = None,
    room: Room = None,
    reason: Why = Reason.PROCEDURE,
    socket: Socket = None,
    as_json: AsJson = False,
) -> None:
    """The radiologist is there: supervision begins."""
    record(socket, as_json, "session_joined", reason, room=room, session=id)


# ── drills: of the site ────────────────────────────────────────────────────────────────────────────────
def _of_the_site(name: str, act: str, help: str) -> None:
    def command(reason: Why = Reason.DRILL, socket: Socket = None, as_json: AsJson = False) -> None:
        record(socket, as_json, act, reason)

    drill.command(name, help=help)(command)


_of_the_site("start", "drill_started", "Begin: refused where it could hurt. Then take the primary line offline.")
_of_the_site("end", "drill_ended", "It went well: put the primary line back now.")
_of_the_site("abort", "drill_aborted", "Give it up: put the primary line back now.")


# ── with a subject ─────────────────────────────────────────────────────────────────────────────────────
@top.command()
def ack(
    alarms: Annotated[
        list[str] | None, typer.Argument(help='Alarms by name, "link.down fiber"; none: the tier')
    ] = None,
    room: Room = None,
    session: Session = None,
    reason: Why = Reason.PROCEDURE,
    socket: Socket = None,
    as_json: AsJson = False,
) -> None:
    """Acknowledge the tier in force, or single alarms: somebody knows and acts."""
    about: Sequence[str | None] = alarms or [None]
    for alarm in about:
        record(socket, as_json, "acknowledged", reason, room=room, session=session, subject=alarm)


@top.command()
def reaction(
    marker: Annotated[str, typer.Argument(help="Opaque id in the system that keeps reactions; nothing of the patient")],
    room: Room = None,
    session: Session = None,
    reason: Why = Reason.CLINICAL,
    socket: Socket = None,
    as_json: AsJson = False,
) -> None:
    """Mark the moment, so that later anybody can ask how the line was then."""
    record(socket, as_json, "reaction_marked", reason, room=room, session=session, subject=marker)


_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """30m, 2h, 1h30m, 90s; what is none of these is no time."""
    if not re.fullmatch(r"([0-9]{1,4}[smh])+", text):
        raise typer.BadParameter(f"{text!r} is not a time like 30m, 2h or 1h30m")
    return sum(float(number) * _UNITS_S[unit] for number, unit in re.findall(r"([0-9]+)([smh])", text))


Alarm = Annotated[str, typer.Argument(help='Alarm by name and what it is about: "link.degraded cellular"')]


@top.command()
def shelve(
    alarm: Alarm,
    reason: Why,
    within: Annotated[
        float, typer.Option("--for", parser=seconds, metavar="TIME", help="30m, 2h; eight hours at most")
    ],
    socket: Socket = None,
    as_json: AsJson = False,
) -> None:
    """Take an alarm off the list for a time. It goes on being recorded, and tiers do not care."""
    record(socket, as_json, "shelved", reason, subject=alarm, for_s=within)


@top.command()
def unshelve(alarm: Alarm, reason: Why = Reason.MAINTENANCE, socket: Socket = None, as_json: AsJson = False) -> None:
    """Put it back."""
    record(socket, as_json, "unshelved", reason, subject=alarm)


# ── the older spelling, as protocols and docs have it ──────────────────────────────────────────────────
class Confirmation(StrEnum):
    CONTINUITY = "continuity"
    PHONE = "phone"
    PHONE_FAILED = "phone-failed"
    ONSITE = "onsite"
    ACK = "ack"


_CONFIRMED = {
    Confirmation.CONTINUITY: "continuity_confirmed",
    Confirmation.PHONE: "phone_confirmed",
    Confirmation.PHONE_FAILED: "phone_failed",
    Confirmation.ONSITE: "onsite_present",
    Confirmation.ACK: "acknowledged",
}


@top.command()
def confirm(
    what: Confirmation,
    room: Room = None,
    session: Session = None,
    reason: Why = Reason.PROCEDURE,
    socket: Socket = None,
    as_json: AsJson = False,
) -> None:
    """The same by one word: continuity (heard by voice), phone, phone-failed, onsite, ack."""
    record(socket, as_json, _CONFIRMED[what], reason, room=room, session=session)
