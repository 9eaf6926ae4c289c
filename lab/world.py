"""The lab's truth about the site, as its services read it: DIR/world.json, replaced whole at each change."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

WORLD_FILE = "world.json"

Upsd = Literal["ok", "stale", "dead"]
Flow = Literal["on", "off", "frozen"]
"""Of a medium in one way. Frozen: packets go on, and bring nothing new (video only)."""


@dataclass(frozen=True, slots=True)
class WanTruth:
    """`state` and `health` are the numbers of the router's own MIB."""

    name: str
    state: int
    health: int
    ifname: str


@dataclass(frozen=True, slots=True)
class RouterTruth:
    """`active`: index of the WAN by which unpinned traffic leaves, also while no WAN works."""

    active: str
    wans: dict[str, WanTruth]


@dataclass(frozen=True, slots=True)
class World:
    router: RouterTruth
    mains: bool = True
    phone: bool = True
    phone_registered: bool = True
    """The registrar knows where the direct line is."""
    mobile: bool = True
    """The mobile workstation is switched on."""
    audio_to_room: Flow = "on"
    audio_from_room: Flow = "on"
    video_to_room: Flow = "on"
    video_from_room: Flow = "on"
    clear: bool = False
    """The media are plain RTP with plain RTCP: nothing is encrypted, and everybody on the way can tell."""
    upsd: Upsd = "ok"
    snmp: bool = True


@dataclass(slots=True)
class Truth:
    """Keeps the world and its file the same."""

    directory: Path
    world: World
    _written: World | None = field(default=None, repr=False)

    def change(self, **fields: Any) -> None:
        """Set fields of World by name; the file is written when something changed."""
        self.world = replace(self.world, **fields)
        if self.world == self._written:
            return
        fresh = self.directory / f".{WORLD_FILE}.new"
        fresh.write_text(json.dumps(self.as_json()) + "\n")
        fresh.rename(self.directory / WORLD_FILE)
        self._written = self.world

    def as_json(self) -> dict[str, Any]:
        return asdict(self.world)
