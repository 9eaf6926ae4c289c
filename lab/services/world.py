"""The lab's truth, as services read it from DIR/world.json.

The lab rewrites the file atomically; a missing file, and every missing key, means the calm day below. A file that is
not what it should be leaves the last good truth standing. Standard library only: the SNMP pass_persist child imports
this and must start fast.
"""

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from lab.services.errors import PeerError

POLL_S = 0.1
WAN_STATES = range(9)  # 0 unknown … 8 standby, as the router's wanState has them


class UpsdTruth(StrEnum):
    """What the UPS server is doing."""

    OK = "ok"
    STALE = "stale"  # upsd answers, its drivers stand still
    DEAD = "dead"  # no upsd at all


class Flow(StrEnum):
    """What an end of the session sends of one medium."""

    ON = "on"
    OFF = "off"
    FROZEN = "frozen"  # packets go on, and bring nothing new


class Way(StrEnum):
    TO_ROOM = "to_room"
    FROM_ROOM = "from_room"


@dataclass(frozen=True, slots=True)
class Wan:
    name: str
    state: int
    health: int
    """1 the router's health check passes, 0 it fails."""
    ifname: str


@dataclass(frozen=True, slots=True)
class Router:
    active: str
    """Index of the WAN that carries the traffic."""
    wans: Mapping[str, Wan]


def _calm_router() -> Router:
    fiber = Wan(name="Fiber", state=3, health=1, ifname="wan0")
    cellular = Wan(name="Cellular", state=8, health=1, ifname="wan1")
    return Router(active="0", wans={"0": fiber, "1": cellular})


@dataclass(frozen=True, slots=True)
class World:
    mains: bool = True
    phone: bool = True
    phone_registered: bool = True
    """The registrar has a binding for the direct line."""
    mobile: bool = True
    """The mobile workstation is switched on."""
    audio_to_room: Flow = Flow.ON
    audio_from_room: Flow = Flow.ON
    video_to_room: Flow = Flow.ON
    video_from_room: Flow = Flow.ON
    clear: bool = False
    """The media are plain RTP with plain RTCP, also where the session is WebRTC otherwise."""
    upsd: UpsdTruth = UpsdTruth.OK
    snmp: bool = True
    router: Router = field(default_factory=_calm_router)

    def flow(self, medium: str, way: Way) -> Flow:
        """Of `medium`, "audio" or "video"."""
        flows = {
            ("audio", Way.TO_ROOM): self.audio_to_room,
            ("audio", Way.FROM_ROOM): self.audio_from_room,
            ("video", Way.TO_ROOM): self.video_to_room,
            ("video", Way.FROM_ROOM): self.video_from_room,
        }
        return flows[medium, way]


CALM = World()


def parse(text: str | bytes) -> World:
    """The world `text` (JSON) describes. Raises PeerError naming the key that is not what it should be."""
    try:
        raw = json.loads(text)
    except ValueError as error:  # UnicodeDecodeError is one too
        raise PeerError(f"world.json is no JSON: {error}") from error
    table = _mapping(raw, "world.json")
    return World(
        mains=_switch(table, "mains"),
        phone=_switch(table, "phone"),
        phone_registered=_switch(table, "phone_registered"),
        mobile=_switch(table, "mobile"),
        audio_to_room=_flow(table, "audio_to_room"),
        audio_from_room=_flow(table, "audio_from_room"),
        video_to_room=_flow(table, "video_to_room"),
        video_from_room=_flow(table, "video_from_room"),
        clear=_switch(table, "clear", calm=False),
        upsd=_upsd(table.get("upsd", CALM.upsd)),
        snmp=_switch(table, "snmp"),
        router=_router(_mapping(table["router"], "router")) if "router" in table else CALM.router,
    )


def read(directory: Path) -> World:
    """The world in `directory` right now; CALM where there is no file. Raises PeerError for a file that is garbage."""
    try:
        return parse((directory / "world.json").read_bytes())
    except FileNotFoundError:
        return CALM


class Truth:
    """Follows DIR/world.json. `world` is the last good one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stamp: tuple[int, int, int] | None = None
        self.world = CALM
        self.refresh()

    def refresh(self) -> bool:
        """Look again; True if the world is another one now."""
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        before = self.world
        try:
            self.world = read(self._directory)
        except PeerError as error:
            logging.getLogger(__name__).warning("kept the last world: %s", error)
        return self.world != before

    async def changes(self, poll_s: float = POLL_S) -> AsyncIterator[World]:
        """The world now, then every other one, for ever; also what somebody else's `refresh` saw first."""
        while True:
            shown = self.world
            yield shown
            while self.world == shown:
                await asyncio.sleep(poll_s)
                self.refresh()

    def _look(self) -> tuple[int, int, int] | None:
        try:
            stat = (self._directory / "world.json").stat()
        except FileNotFoundError:
            return None
        return stat.st_mtime_ns, stat.st_ino, stat.st_size


def _mapping(raw: object, where: str) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise PeerError(f"{where} is {type(raw).__name__}, not an object")
    return raw


def _switch(table: Mapping[str, object], key: str, *, calm: bool = True) -> bool:
    value = table.get(key, calm)
    if not isinstance(value, bool):
        raise PeerError(f"world.json: {key} is {value!r}, not true or false")
    return value


def _upsd(value: object) -> UpsdTruth:
    try:
        return UpsdTruth(str(value))
    except ValueError as error:
        raise PeerError(f"world.json: upsd is {value!r}, not one of {', '.join(UpsdTruth)}") from error


def _flow(table: Mapping[str, object], key: str) -> Flow:
    value = table.get(key, Flow.ON)
    try:
        return Flow(str(value))
    except ValueError as error:
        raise PeerError(f"world.json: {key} is {value!r}, not one of {', '.join(Flow)}") from error


def _router(table: Mapping[str, object]) -> Router:
    active = str(table.get("active", CALM.router.active))
    if "wans" not in table:
        return Router(active=active, wans=CALM.router.wans)
    wans = _mapping(table["wans"], "router.wans")
    return Router(active=active, wans={_index(key): _wan(key, value) for key, value in wans.items()})


def _index(key: str) -> str:
    if not (key.isascii() and key.isdigit()):
        raise PeerError(f"world.json: WAN index {key!r} is no number")
    return str(int(key))


def _wan(key: str, raw: object) -> Wan:
    table = _mapping(raw, f"router.wans[{key!r}]")
    return Wan(
        name=str(table.get("name", f"WAN {key}")),
        state=_whole(table.get("state", 3), WAN_STATES, f"wans[{key!r}].state"),
        health=_whole(table.get("health", 1), range(2), f"wans[{key!r}].health"),
        ifname=str(table.get("ifname", f"wan{key}")),
    )


def _whole(value: object, allowed: range, where: str) -> int:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or value not in allowed
    ):
        raise PeerError(f"world.json: {where} is {value!r}, not within {allowed.start}–{allowed.stop - 1}")
    return int(value)
