"""What the record tells of incidents, of a room that lived through them; read beside a daemon or after it."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edged.core.events import Channel, Event, Json
from edged.core.observations import Act, Reason
from edged.record.errors import RecordBroken, RecordMisused
from edged.record.incident_rows import incident, incidents, last_number
from probes.line_reading import DiesAt, PathReading
from probes.reading import Verdict
from tests.edged.core.room import Room, calm_room
from tests.edged.record.scene import open_store
from ups.reading import Power


def cut_and_healed() -> Room:
    """A fiber cut in a session: the phone is answered in time, the failover confirmed late."""
    room = calm_room().link("fiber", Verdict.DOWN).media(audio=False, video=False).wait(20)
    room.act(Act.PHONE_CONFIRMED).wait(2).act(Act.HELD, reason=Reason.LINE_FAILED)
    walked = {"dies_at": "provider", "why": "silent_after"}
    room._hear(PathReading("fiber", room.now, "192.0.2.1", DiesAt.PROVIDER, "198.51.100.1", None, None, None, walked))
    room.router("1").media().wait(45).act(Act.CONTINUITY_CONFIRMED).wait(70)
    return room.link("fiber").wait(70)


def still_open() -> Room:
    room = cut_and_healed()
    return room.ups("workstation", Power.BATTERY).wait(5)


async def recorded(directory: Path, room: Room) -> None:
    store = await open_store(directory)
    for at in range(0, len(room.events), 50):
        await store.append(room.events[at : at + 50])
    await store.close()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edged.record.envelope.fit", lambda kind, data: (data, []))
        asyncio.run(recorded(directory, still_open()))
    return directory


def one(directory: Path, number: int) -> dict[str, Any]:
    found: Any = incident(directory, number)
    return dict(found)


def test_the_list_is_newest_first_with_what_is_open_and_what_it_touched(kept: Path) -> None:
    second, first = incidents(kept)
    assert [second[key] for key in ("number", "state", "cause", "at")] == [2, "open", "power", "workstation"]
    assert (second["closed"], second["lasted_s"], second["worst_tier"]) == (None, None, 0)
    assert [first[key] for key in ("number", "state", "cause", "at")] == [1, "closed", "link_down", "fiber"]
    assert (first["worst_tier"], first["rooms"], first["sessions"]) == (3, ["room"], ["s-1"])
    rows = ("t2.switching", "t3.av", "t2.failover", "t3.unconfirmed")
    assert first["symptoms"] == ["link.down fiber", *(f"{row} room" for row in rows)]


async def test_the_highest_number_given_is_known_to_whoever_counts_on(kept: Path, tmp_path: Path) -> None:
    assert last_number(kept) == 2
    assert last_number(tmp_path / "none") == 0
    store = await open_store(tmp_path)
    assert await store.last_incident() == 0
    await store.append([Event(Channel.LOG, "wan.failover", 1, 5.0, {"previous": "0", "active": "1", "incident": 17})])
    assert await store.last_incident() == 17  # its opening may have made room for newer rows
    await store.close()


def test_only_so_many_are_listed(kept: Path) -> None:
    assert [each["number"] for each in incidents(kept, limit=1)] == [2]


def test_t6_an_incident_in_full_says_what_was_demanded_and_who_answered_how_fast(kept: Path) -> None:
    found = one(kept, 1)
    tiers = [(each["tier"], each["row"]) for each in found["tiers"]]
    assert tiers[0][0] == 2
    assert (3, "t3.av") in tiers
    assert tiers[-1] == (0, None)
    demand = next(each for each in found["responses"] if each["row"] == "t3.av")
    assert (demand["who"], demand["by_s"]) == ("technologist", 120.0)
    phone, held = demand["given"][:2]
    assert (phone["act"], phone["actor"], phone["role"], phone["late"]) == ("phone_confirmed", "tech", "operate", False)
    assert phone["within_s"] == pytest.approx(20 - demand["after_s"], abs=0.1)
    assert (held["act"], held["reason"]) == ("held", "line_failed")


def test_an_answer_past_its_deadline_is_late(kept: Path) -> None:
    given = [each for demand in one(kept, 1)["responses"] for each in demand["given"]]
    confirmed = next(each for each in given if each["act"] == "continuity_confirmed")
    assert confirmed["within_s"] > 0
    asked = next(d for d in one(kept, 1)["responses"] if confirmed in d["given"])
    assert confirmed["late"] == (confirmed["within_s"] > asked["by_s"])


def test_rule8_rule11_its_deadlines_are_told_though_they_began_before_it_was_opened(kept: Path) -> None:
    timers = {each["timer"]: each for each in one(kept, 1)["timers"]}
    assert timers["phone"]["after_s"] == pytest.approx(0.0, abs=0.3)
    assert (timers["phone"]["due_s"], timers["phone"]["expired"]) == (120.0, False)
    assert timers["phone"]["met_s"] == pytest.approx(20.0, abs=0.5)
    assert timers["mobile"]["met_s"] is None
    assert timers["confirm"]["expired"], "confirmed after 45 s"
    assert timers["confirm"]["met_s"] == pytest.approx(45.0, abs=0.5)


def test_the_look_at_the_path_the_move_and_the_media_are_part_of_it(kept: Path) -> None:
    found = one(kept, 1)
    assert [(each["at"], each["dies_at"]) for each in found["paths"]] == [("fiber", "provider")]
    assert [(each["previous"], each["active"]) for each in found["moves"]] == [("fiber", "cellular")]
    assert [each["av_compliant"] for each in found["media"]] == [False, True]


def test_symptoms_have_their_times(kept: Path) -> None:
    symptoms = {each["symptom"]: each for each in one(kept, 1)["symptoms"]}
    down = symptoms["link.down fiber"]
    assert (down["after_s"], down["times"]) == (0.0, 1)
    assert down["lasted_s"] == pytest.approx(20 + 2 + 45 + 70, abs=1)
    assert {each["symptom"] for each in one(kept, 2)["symptoms"]} == {"power.on_battery workstation"}


async def test_what_turned_out_to_be_one_is_told_as_one(tmp_path: Path) -> None:
    room = calm_room().phone(False).wait(3).link("cellular", Verdict.DOWN).wait(3).ups("network", Power.OFF).wait(3)
    await recorded(tmp_path, room)
    second, first = incidents(tmp_path)
    assert (second["state"], second["into"]) == ("merged", 1)
    assert (first["state"], first["cause"]) == ("open", "power")
    whole = one(tmp_path, 1)
    assert [each["cause"] for each in whole["causes"]] == ["phone", "power"]
    assert {"phone.unreachable phone", "link.down cellular", "power.off network"} <= {
        each["symptom"] for each in whole["symptoms"]
    }


async def test_numbers_that_begin_alike_are_kept_apart(tmp_path: Path) -> None:
    room = Room()
    for number in range(1, 12):
        opening: dict[str, Json] = {"number": number, "cause": "clock", "at": "box", "onset_s_ago": 0.0}
        room.events.append(Event(Channel.LOG, "incident.opened", 0, 10.0 * number, opening))
    await recorded(tmp_path, room)
    assert [each["number"] for each in incidents(tmp_path)] == list(range(11, 0, -1))
    assert [len(one(tmp_path, number)["causes"]) for number in (1, 10, 11)] == [1, 1, 1]


async def test_a_record_without_incidents_lists_none(tmp_path: Path) -> None:
    await recorded(tmp_path, calm_room().act(Act.SESSION_CLOSED))
    assert incidents(tmp_path) == []
    with pytest.raises(RecordMisused, match="incident 7"):
        incident(tmp_path, 7)


async def test_an_incident_whose_opening_is_no_longer_kept_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    room = cut_and_healed()
    opened = next(at for at, event in enumerate(room.events) if event.name == "incident.opened")
    room.events = room.events[opened + 5 :]
    await recorded(tmp_path, room)
    (listed,) = incidents(tmp_path)
    assert (listed["state"], listed["cause"], listed["since"]) == ("closed", "link_down", None)
    assert one(tmp_path, 1)["tiers"]


def test_where_there_is_no_ledger_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordBroken):
        incidents(tmp_path)
    (tmp_path / "ledger.sqlite3").write_bytes(b"no database at all" * 100)
    with pytest.raises(RecordBroken):
        incident(tmp_path, 1)


def test_the_reader_needs_neither_asyncio_nor_pydantic() -> None:
    heavy = "{'asyncio', 'pydantic', 'structlog', 'aiomqtt'}"
    code = f"import sys, edged.record.incident_rows; print(sorted({heavy} & sys.modules.keys()))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert run.stdout == "[]\n", run.stderr
