"""A room's story told to a real black box, and what lies on the disk afterwards."""

import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from edged.blackbox.readback import Recording, Step, files, read
from edged.blackbox.recorder import BlackBox
from edged.core.events import Event
from edged.core.judge import judge
from edged.core.observations import Observation
from edged.core.plan import Plan
from edged.core.state import State
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room, calm_room

Heard = list[tuple[float, Observation]]
WALL_S = 1_795_000_000.0


def black_box(directory: Path, **own: Any) -> BlackBox:
    usual: dict[str, Any] = {
        "keep_mib": 64,
        "plan": SITE,
        "software": "0.1.0",
        "config_hash": "c0ffee",
        "protocol_hash": "facade",
        "boot_id": "boot",
        "wall": lambda: WALL_S,
    }
    return BlackBox(directory, **usual | own)


@cache
def a_bad_day() -> Heard:
    """A session, its media lost in both directions, the primary line down, and all of it back."""
    room = calm_room()
    room.media(audio=False, video=False).wait(4)
    room.link("fiber", Verdict.DOWN).wait(6)
    room.link("fiber").media().wait(33)
    return room.heard


def first_state() -> State:
    return Room().state


def tell(box: BlackBox, heard: Iterable[tuple[float, Observation]], *, plan: Plan = SITE, state: State) -> State:
    """As the judge's shell does; returns the state it comes to."""
    for now, observation in heard:
        judged = judge(plan, state, observation, now)
        box.step(state, observation, now, judged.events)
        state = judged.state
    return state


def written(box: BlackBox) -> None:
    """Waits until the writer has taken what there is, as it always has where the judge rests most of the time: a thread
    that never does keeps another one from running.
    """
    while box._writer._waiting_bytes:
        time.sleep(0.0005)


@cache
def judged_day() -> list[tuple[State, Observation, float, tuple[Event, ...]]]:
    """Judged once for all tests."""
    state, steps = first_state(), []
    for now, observation in a_bad_day():
        judged = judge(SITE, state, observation, now)
        steps.append((state, observation, now, judged.events))
        state = judged.state
    return steps


def recorded(directory: Path, steps: int | None = None) -> Path:
    """The one segment that the bad day makes, or its first steps."""
    box = black_box(directory)
    for step in judged_day()[:steps]:
        box.step(*step)
    box.close()
    (path,) = files(directory)
    return path


def whole(path: Path) -> tuple[Recording, list[Step]]:
    found = read(path)
    assert found is not None, f"{path} has no header"
    recording, steps = found
    return recording, list(steps)
