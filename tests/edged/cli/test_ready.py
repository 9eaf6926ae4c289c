"""`edgectl ready`: the exit status is the lamp, and nothing unclear is ever green."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edged.cli.edgectl import app
from edged.control.roles import Role
from edged.core.observations import Act, ClockReading, RecordReading
from tests.edged.cli.site_desk import site
from tests.edged.core.room import SITE, Room, calm_room
from ups.reading import Power


def quite_ready() -> Room:
    room = calm_room().wait(5)
    room._hear(ClockReading(room.now, "synced"))
    room._hear(RecordReading(room.now, True, None))
    return room


def asked(room: Room, directory: Path, *words: str) -> tuple[int, str]:
    with site(room, directory) as ctl:
        return ctl("ready", *words)


def test_green_is_0(tmp_path: Path) -> None:
    assert asked(quite_ready(), tmp_path) == (0, "● GREEN room: The next injection may begin.\n")


def test_amber_is_1_with_every_reason(tmp_path: Path) -> None:
    code, said = asked(quite_ready().ups("network", Power.BATTERY).phone(False).wait(2), tmp_path)
    assert code == 1
    assert said.splitlines() == [
        "● AMBER room: Have mains power restored: the equipment runs on battery.",
        "        Get another phone into the room: the direct phone is dead.",
    ]


def test_red_is_2_and_its_reasons_come_first(tmp_path: Path) -> None:
    room = quite_ready().ups("network", Power.BATTERY).act(Act.SESSION_CLOSED)
    code, said = asked(room, tmp_path)
    assert code == 2
    assert said.startswith("● RED   room: Request a radiologist first: no session is open in this room.\n")


def test_no_daemon_is_3(tmp_path: Path) -> None:
    for words in ((), ("--json",)):
        done = CliRunner().invoke(app, ["ready", "--socket", str(tmp_path / "none"), *words])
        assert done.exit_code == 3
        assert "green" not in done.output.lower()


@pytest.mark.parametrize("words", [("--room", "angio"), ("--nonsense",)])
def test_what_is_asked_wrongly_is_never_green(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert asked(quite_ready(), tmp_path, *words)[0] == 2


def test_a_program_gets_codes_and_sentences_of_every_room(tmp_path: Path) -> None:
    room = calm_room(replace(SITE, rooms=("ct-1", "mr-2")), session=False).wait(5)
    with site(room, tmp_path) as ctl:
        code, said = ctl("ready", "--json")
        told = json.loads(said)
        assert (code, told["level"], [each["room"] for each in told["rooms"]]) == (2, "red", ["ct-1", "mr-2"])
        assert told["rooms"][0]["reasons"][0]["code"] == "no_session"
        assert [each["room"] for each in json.loads(ctl("ready", "--json", "--room", "mr-2")[1])["rooms"]] == ["mr-2"]


def test_the_worst_room_gives_the_status(tmp_path: Path) -> None:
    room = quite_ready()
    room.plan = replace(room.plan, rooms=("room", "other"))
    room.wait(1)
    with site(room, tmp_path) as ctl:
        assert (ctl("ready", "--room", "room")[0], ctl("ready")[0]) == (0, 2)


def test_h2_who_has_no_role_gets_no_green_light(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edged.control.roles.role_of", lambda *_: Role.NONE)
    code, said = asked(quite_ready(), tmp_path)
    assert (code, "needs view" in said) == (2, True)
