"""Incidents and alarms at the command line: with the daemon alive, with it dead, and 80 columns wide."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edged.cli.edgectl import app
from edged.cli.incident_text import WIDTH, alarm_lines, incident_lines, list_lines
from edged.core.observations import Act, Reason
from edged.record.incident_rows import incident, incidents
from probes.reading import Verdict
from tests.edged.cli.site_desk import site
from tests.edged.core.room import Room, calm_room
from tests.edged.record.test_incident_rows import recorded, still_open
from ups.reading import Power


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edged.record.envelope.fit", lambda kind, data: (data, []))
        asyncio.run(recorded(directory, still_open()))
    return directory


def dead(directory: Path, *words: str) -> tuple[int, str, str]:
    """Exit status, what was said, and what was said besides."""
    nowhere = ["--socket", str(directory / "nobody.sock"), "--state-dir", str(directory)]
    done = CliRunner().invoke(app, [*words, *nowhere])
    return done.exit_code, done.stdout, done.stderr


def test_t6_incidents_are_listed_with_the_daemon_dead(kept: Path) -> None:
    status, said, besides = dead(kept, "incidents")
    assert status == 3
    assert "NOT RUNNING" in besides
    _, second, first, felt = said.rstrip().split("\n")
    assert second.split()[0] == "2"
    assert "power (workstation)" in second
    assert "link down (fiber)" in first
    assert felt.strip() == "room room; session s-1"


def test_one_incident_is_told_in_full_with_the_daemon_dead(kept: Path) -> None:
    status, said, _ = dead(kept, "incident", "1")
    assert status == 3
    for words in (
        *("INCIDENT 1: link down (fiber)", "worst tier 3", "t3.av", "Hold contrast and call the radiologist"),
        *("after 5 s: phone confirmed, by tech (operate)", "confirm in 30 s, MISSED, met after 45 s"),
        *("link.down fiber, lasted 2m 17s", "from fiber to cellular", "fiber: provider"),
    ):
        assert words in said, words


def test_programs_get_what_the_record_says(kept: Path) -> None:
    assert json.loads(dead(kept, "incidents", "--json")[1]) == incidents(kept)
    assert json.loads(dead(kept, "incident", "2", "--json")[1]) == incident(kept, 2)


def test_an_incident_nobody_recorded_is_an_error(kept: Path) -> None:
    status, said, besides = dead(kept, "incident", "77")
    assert (status, said) == (1, "")
    assert "incident 77" in besides


def test_without_a_daemon_and_without_a_record_both_are_said(tmp_path: Path) -> None:
    status, said, besides = dead(tmp_path, "incidents")
    assert (status, said) == (3, "")
    assert besides.startswith("edged IS NOT RUNNING: nothing is watched.\n")
    assert "nobody.sock" in besides
    assert "ledger.sqlite3" in besides


def test_where_the_record_is_may_be_said_once_for_all_commands(kept: Path) -> None:
    nobody = {"EDGED_STATE_DIR": str(kept), "EDGED_SOCKET": str(kept / "nobody.sock")}
    assert "link down (fiber)" in CliRunner().invoke(app, ["incidents"], env=nobody).stdout
    assert "Last recorded tier" in CliRunner().invoke(app, ["status"], env=nobody).stdout


def test_alarms_are_told_by_the_living_daemon(tmp_path: Path) -> None:
    room = calm_room().link("cellular", Verdict.DOWN).wait(3)
    with site(room, tmp_path) as ctl:
        status, said = ctl("alarms")
        _, listed = ctl("alarms", "--json")
    assert status == 0
    assert said.startswith("ALARM   link.down cellular, incident 1\n        Call the provider of this line. (NOC")
    found: Any = json.loads(listed)
    assert (found["kpi"]["a_day"], found["alarms"][0]["alarm"]) == (1, "link.down cellular")


def test_no_alarm_is_said() -> None:
    doc: Any = calm_room().doc()
    assert alarm_lines(doc["alarms"], doc["kpi"])[0] == "No alarm."


def test_no_incident_is_said() -> None:
    assert list_lines([]) == ["No incident is on record."]


def busy() -> Room:
    room = calm_room().link("cellular", Verdict.DOWN).ups("workstation", Power.BATTERY).phone(False).wait(2)
    for _ in range(3):
        room.phone(True).wait(2).phone(False).wait(2)
    room.act(Act.SHELVED, subject="link.down cellular", for_s=7200, reason=Reason.NUISANCE)
    return room.act(Act.ACKNOWLEDGED, subject="power.on_battery workstation")


def test_alarms_say_what_is_shelved_acknowledged_and_flapping() -> None:
    doc: Any = busy().doc()
    said = "\n".join(alarm_lines(doc["alarms"], doc["kpi"]))
    for words in ("SHELVED, back in 2h 00m", "workstation, acknowledged", "FLAPPING", "1 flap"):
        assert words in said, words
    assert said.index("phone.unreachable") < said.index("power.on_battery") < said.index("link.down")


def test_nothing_is_wider_than_80_columns(kept: Path) -> None:
    doc: Any = busy().doc()
    whole: Any = incident(kept, 1)
    whole["sessions"] = whole["rooms"] = [f"a-long-name-{number}" for number in range(20)]
    whole["responses"][0]["say"] *= 3
    lines = [*incident_lines(whole), *list_lines([whole]), *alarm_lines(doc["alarms"], doc["kpi"])]
    assert [line for line in lines if len(line) > WIDTH] == []


def test_an_incident_of_which_little_is_left_can_still_be_told() -> None:
    lacking: Any = {
        **{"number": 9, "state": "merged", "into": 4, "cause": None, "at": None, "since": None, "closed": None},
        **{"lasted_s": None, "worst_tier": 0, "rooms": [], "sessions": [], "symptoms": [], "causes": [], "tiers": []},
        **{"responses": [], "acts": [], "timers": [], "moves": [], "media": [], "paths": []},
    }
    assert "in 4" in list_lines([lacking])[1]
    assert incident_lines(lacking)[2] == "  part of incident 4"


def test_a_cause_too_long_for_the_line_is_seen_to_be_cut() -> None:
    each: Any = {"number": 3, "state": "open", "into": None, "since": None, "worst_tier": 2, "lasted_s": None}
    each |= {"cause": "remote_or_application", "at": "a-room-of-long-name", "rooms": [], "sessions": []}
    assert list_lines([each])[1].endswith("remote or application (a-r…")
