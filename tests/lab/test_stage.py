"""The demo's frame fits the screen it is drawn for, and shows what the audience must not miss."""

import io
from typing import Any

import pytest
from rich.console import Console

from edged.core.observations import Act
from lab.demo import HANDS_ON
from lab.stage import stage
from probes.reading import Verdict
from tests.edged.cli.test_board import AROUND
from tests.edged.core.room import Room, calm_room

ARRIVED: list[dict[str, Any]] = [
    {
        "sequence": n,
        "time": "2026-01-01T10:00:00.000Z",
        "tier": 3,
        "data": {"cause": "link_down", "cause_at": "fiber", "response": {"say": "Hold contrast and call."}},
    }
    for n in range(9)
]


def halted() -> Room:
    room = calm_room().act(Act.CONTRAST_STARTED).media(audio=False, video=False).wait(20)
    return room.act(Act.PHONE_FAILED).wait(2)


def drawn(room: Room, height: int, width: int = 112) -> list[str]:
    doc: dict[str, Any] = {**room.doc(), **AROUND}
    console = Console(file=io.StringIO(), width=width)
    said = ["lab cut fiber  → cut", "edgectl ack  → ok"]
    console.print(stage("The line is cut", said, doc, ARRIVED, height=height, width=width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().rstrip().splitlines()


@pytest.mark.parametrize("height", [44, 50])
@pytest.mark.parametrize("make", [calm_room, halted])
def test_a_frame_fits_the_screen(make: Any, height: int) -> None:
    lines = drawn(make(), height)
    assert len(lines) <= height
    assert any("tier events at the NOC" in line for line in lines)


def test_t5_the_audience_reads_the_script() -> None:
    shown = "\n".join(drawn(halted(), 44))
    assert "TIER 4 HALT" in shown
    assert "1. Stop the injector. technologist, NOW" in shown
    assert "7. Record at the box" in shown


@pytest.mark.parametrize("width", [80, 100, 112])
def test_the_map_is_not_wider_than_the_screen(width: int) -> None:
    shown = drawn(calm_room().link("cellular", Verdict.DEGRADED).wait(2), 44, width)
    assert [line.split()[0] for line in shown[3:7]] == ["workstation", "staff", "PACS", "direct"]
    assert shown[4].rstrip().endswith("├ radiologist, NOC" if width >= 100 else "├ radiologist")


def test_the_commands_to_try_fit_80_columns() -> None:
    assert max(map(len, HANDS_ON.splitlines())) <= 80
