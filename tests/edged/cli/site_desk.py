"""A room on a fake clock behind a real control socket, and `edgectl` asking there."""

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from edged.cli.edgectl import app
from edged.control.desk import Desk
from edged.control.server import ControlSettings, serve
from edged.core.events import Channel, Event, Json
from edged.core.judge import judge
from edged.core.observations import Observation
from edged.record.recorded import Recorded
from tests.edged.cli.test_board import AROUND
from tests.edged.core.room import Room
from tests.edged.test_judging import SetClock


@dataclass
class Judged:
    """The room's judge; its events are kept in the room."""

    room: Room

    def tell(self, observation: Observation) -> None:
        judged = judge(self.room.plan, self.room.state, observation, self.room.now)
        self.room.state = judged.state
        self.room.events += judged.events

    async def submit(self, observation: Observation) -> tuple[Event, ...]:
        before = len(self.room.events)
        self.tell(observation)
        return tuple(self.room.events[before:])

    def document(self) -> dict[str, Json]:
        found: Any = {**self.room.doc(), **AROUND}
        return dict(found)


@dataclass
class Ctl:
    socket: Path
    room: Room

    def __call__(self, *words: str) -> tuple[int, str]:
        """Exit status and everything said."""
        done = CliRunner().invoke(app, [*words, "--socket", str(self.socket)], env={"COLUMNS": "160"})
        return done.exit_code, done.output

    def acts(self) -> list[dict[str, Any]]:
        """What the judge was told by people and took."""
        told: list[Any] = [event.data for event in self.room.events if event.name.startswith("act.")]
        return told


@contextmanager
def site(room: Room, directory: Path, *, recorded: Sequence[dict[str, Any]] = ()) -> Iterator[Ctl]:
    """The daemon's side runs in a thread: `edgectl` blocks. `recorded`: the events it will tell, oldest first."""
    room.events.clear()
    socket, ready = directory / "control.sock", threading.Event()
    loop = asyncio.new_event_loop()
    held: list[asyncio.Task[None]] = []

    async def live() -> None:
        held.append(asyncio.ensure_future(serve(ControlSettings(socket=socket), _desk(room, directory, recorded))))
        while not socket.exists() or socket.stat().st_mode & 0o777 != 0o666:
            await asyncio.sleep(0.005)
        ready.set()
        await asyncio.gather(*held, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield Ctl(socket, room)
    finally:
        loop.call_soon_threadsafe(held[0].cancel)
        thread.join()
        loop.close()


def _desk(room: Room, directory: Path, recorded: Sequence[dict[str, Any]]) -> Desk:
    judged = Judged(room)

    async def recent(limit: int) -> list[Recorded]:
        bodies = [json.dumps(each).encode() for each in recorded[-limit:]]
        return [Recorded(row, "s", row, Channel.LOG, 0, body, True) for row, body in enumerate(bodies, start=1)]

    clock = SetClock()
    return Desk(judged, clock, document=judged.document, recent=recent, reload=lambda: None, state_dir=directory)
