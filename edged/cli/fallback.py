"""The direct phone and the mobile workstation: how they are, and what people attest of them."""

from typing import Any

import typer

from edged.cli.acts import in_room
from edged.cli.options import AsJson, Room, Socket, show, told

phone = typer.Typer(help="The direct phone line; alone: how it is.", invoke_without_command=True)
mobile = typer.Typer(help="The mobile workstation; alone: how it is.", invoke_without_command=True)

in_room(phone, "confirm", "phone_confirmed", "The radiologist answered on the direct phone: stops the two minutes.")
in_room(phone, "failed", "phone_failed", "Nobody was reached by phone: tier 4 at once.")
in_room(mobile, "up", "mobile_up", "The session goes on over the mobile workstation.")


@phone.callback()
def phone_line(context: typer.Context, room: Room = None, socket: Socket = None, as_json: AsJson = False) -> None:
    """The direct phone line; alone: how it is."""
    if context.invoked_subcommand is None:
        doc = told(socket, "status", {})
        rooms = rooms_of(doc, room)
        lines = {each["room"]: each["phone"] for each in rooms}
        show(lines, as_json, lambda board: [board.phone_of(each, doc, named=len(rooms) > 1) for each in rooms])


@mobile.callback()
def mobile_workstation(context: typer.Context, socket: Socket = None, as_json: AsJson = False) -> None:
    """The mobile workstation; alone: how it is."""
    if context.invoked_subcommand is None:
        doc = told(socket, "status", {})
        show(doc["mobile"], as_json, lambda board: [board.mobile(doc)])


def rooms_of(doc: Any, room: str | None) -> list[Any]:
    """That one, or all; ends the program with 2 where there is no such room."""
    found = [each for each in doc["rooms"] if room in (None, each["room"])]
    if not found:
        names = ", ".join(each["room"] for each in doc["rooms"])
        raise typer.BadParameter(f"there is no room {room!r}; there are {names}")
    return found
