"""What a person reads: words for every state, ages, and UNKNOWN for what nobody knows."""

import io
import re
from typing import Any

import pytest
from rich.console import Console

from edged.cli import board
from edged.cli.words import STYLES, rate, span
from edged.core.observations import Act
from edged.core.state import State
from probes.reading import Verdict
from qos.reading import ShaperState
from tests.edged.core.room import Room, calm_room
from ups.reading import Contact, Power
from wan.reading import WanState

AROUND: dict[str, Any] = {
    "site": {"tenant": "clinic", "site": "room-1"},
    "daemon": {"version": "0.1.0", "uptime_s": 61.0},
    "clock": {"wall": "2026-01-01T10:00:00.000Z", "quality": "synced"},
    "broker": None,
    "record": {"durable": True, "head": 3, "tier_pending": 0},
}


def seen(room: Room, *, width: int = 80, **around: Any) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(board.board({**room.doc(), **AROUND, **around}))
    text = console.file
    assert isinstance(text, io.StringIO)
    return text.getvalue()


def test_a_calm_room_says_so() -> None:
    shown = seen(calm_room())
    assert "TIER 0 ALL WELL" in shown
    assert "two-way A/V live" in shown
    assert "◀ carries" in shown
    assert "UNKNOWN" not in shown


def test_what_was_never_heard_is_unknown_and_not_good() -> None:
    room = Room(state=State(started_s=1000.0))
    shown = seen(room)
    assert shown.count("UNKNOWN") >= 4  # two links, two UPSes
    assert "UP" not in shown.split()
    assert "ROUTER unknown yet" in shown
    assert "ALL WELL" not in shown


def test_tier_3_shows_the_sentence_who_and_how_long_is_left() -> None:
    room = calm_room().media(audio=False, video=False).wait(13)
    shown = seen(room)
    assert "TIER 3 HOLD AND CALL" in shown
    assert "Hold contrast and call the radiologist on the direct phone:" in shown
    assert "technologist, 1m 47s left" in shown
    assert "NOT COMPLIANT" in shown


def test_a_confirmed_failover_waits_for_nothing_but_time() -> None:
    room = calm_room().router("1").wait(2)
    assert "waits for: continuity confirmed" in seen(room)
    shown = seen(room.act(Act.CONTINUITY_CONFIRMED).wait(10))
    assert "waits for" not in shown
    assert re.search(r"clears: t2\.failover in (49|50) s", shown)
    assert "Carry on and keep watching" in shown


def test_a_blind_source_and_an_unwatched_part_are_named() -> None:
    room = calm_room()
    del room._says["link:fiber"]
    assert "BLIND  link:fiber" in seen(room.wait(12))


def test_what_requires_nothing_of_anybody_is_a_note() -> None:
    note = {"name": "certificate.expires_30d", "at": "own", "for_s": 9.0, "severity": "info"}
    alarm = {"name": "power.off", "at": "network", "for_s": 9.0, "severity": "alarm"}
    assert " NOTE   certificate.expires_30d own\n" in seen(calm_room(), conditions=[note, alarm])


def test_events_kept_in_memory_only_are_shouted() -> None:
    shown = seen(calm_room(), record={"durable": False, "head": 3, "tier_pending": 1})
    assert "NOT ON DISK: kept in memory" in " ".join(shown.split())


def test_a_router_in_trouble_fits_80_columns() -> None:
    doc: dict[str, Any] = {**calm_room().doc(), **AROUND}
    wan = {"state": "connected", "healthy": False, "signal_dbm": -71.0, "rx_bps": 285.5e3, "tx_bps": 285.5e3}
    names = (("Fiber", "fiber", "0", "health_check_failed"), ("Cellular", "cellular", "1", "connected"))
    doc["router"]["wans"] = [
        {**wan, "name": name, "link": on, "wan": index, "state": state} for name, on, index, state in names
    ]
    doc["router"]["active"] = "cellular"
    console = Console(file=io.StringIO(), width=80)
    console.print(board.wan(doc))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "HEALTH CHECK FAILED" in shown
    assert "CONNECTED, fails" in shown
    assert "…" not in shown


@pytest.mark.parametrize(("pending", "said"), [(0, "0 tier events wait, 3"), (1, "1 tier event waits, 3")])
def test_what_waits_for_the_nocs_word_is_counted(pending: int, said: str) -> None:
    assert said in seen(calm_room(), record={"durable": True, "head": 3, "tier_pending": pending})


@pytest.mark.parametrize("width", [80, 100, 160])
def test_nothing_of_a_calm_room_is_cut_off(width: int) -> None:
    assert "…" not in seen(calm_room(), width=width)


@pytest.mark.parametrize("states", [Verdict, Power, WanState, ShaperState, Contact])
def test_every_state_has_a_colour_or_is_unknown(states: Any) -> None:
    assert {state.value for state in states} - {"unknown"} <= STYLES.keys()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.4, "0 s"), (59.4, "59 s"), (125, "2m 05s"), (7260, "2h 01m"), (200_000, "2d 7h")],
)
def test_spans_read_as_people_say_them(seconds: float | None, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(("bps", "text"), [(None, "–"), (0, "0"), (999, "999"), (8_900, "8.9k"), (95e6, "95.0M")])
def test_rates_are_short(bps: float | None, text: str) -> None:
    assert rate(bps) == text
