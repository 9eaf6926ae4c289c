"""What is done to a real WebRTC session in the lab, and how soon the daemon says so.

A loss counts from the last new frame that crossed the in-line interface before it (`bench.media_wire`), so what the
command itself takes is not counted. The daemon's word is the stamp of its events; both clocks are CLOCK_BOOTTIME.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bench.bounded import BenchFailed
from bench.detect_live import quick
from bench.site import Doc, command, daemon_with, status, until
from edged.core.plan import DEFAULT_DWELLS
from lab import plan
from lab.client import LabClient, start_lab
from lab.daemon_config import toml_for

SILENCE_S = 1.0
"""How long the observer waits for the next packet of a medium, as shipped."""
DWELLS_S = {tier: dwell.raise_s for tier, dwell in DEFAULT_DWELLS.items()}
CALM_WITHIN_S, TOLD_WITHIN_S, BACK_WITHIN_S = 40.0, 20.0, 40.0
FAILOVER_S = 10.0
_PHASE_S = 1.0
_HANGS_UP_S = 6.0
"""An end that receives nothing for 3 s ends the call."""
_EVENTS = 300
_SOON_CALM = "\n[tiers]\n" + "".join(
    f"t{tier} = {{ raise_s = {DWELLS_S[tier]:g}, clear_s = 1 }}\n" for tier in (1, 2, 3)
)
"""How soon a tier is left is not measured here; how soon it is entered is as shipped."""

BOTH = ("audio", "video")
WAYS = ("from_room", "to_room")
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    do: tuple[Words, ...]
    media: tuple[str, ...]
    tier: int
    ways: tuple[str, ...] = WAYS
    """Those whose packets stop at the in-line interface. With a line cut, the room goes on sending."""
    fails_over: bool = False


_CUT = tuple(("cut", link) for link in plan.LINKS)
FAULTS = (
    Fault("video off", (("video", "off"),), ("video",), 2),
    Fault("video off, to the room only", (("video", "off", "to_room"),), ("video",), 2, ("to_room",)),
    Fault("video off, from the room only", (("video", "off", "from_room"),), ("video",), 2, ("from_room",)),
    Fault("video frozen", (("video", "freeze"),), ("video",), 2),
    Fault("audio off", (("audio", "off"),), ("audio",), 3),
    Fault("audio off, to the room only", (("audio", "off", "to_room"),), ("audio",), 3, ("to_room",)),
    Fault("audio off, from the room only", (("audio", "off", "from_room"),), ("audio",), 3, ("from_room",)),
    Fault("both off", (("media", "off"),), BOTH, 3),
    Fault("both lines cut", _CUT, BOTH, 3, ("to_room",)),
    Fault("fiber cut, failover after 10 s", _CUT[:1], BOTH, 2, ("to_room",), fails_over=True),
)


@dataclass(frozen=True, slots=True)
class Told:
    """Of one round. Seconds since the last new frame."""

    dead_s: float
    """`av.changed`: no live two-way audio and video any more."""
    tier_s: float
    back_s: float | None = None
    """Live again, where the router failed over."""

    @property
    def dead_beyond_s(self) -> float:
        return self.dead_s - SILENCE_S

    def tier_beyond_s(self, tier: int) -> float:
        return self.tier_s - SILENCE_S - DWELLS_S[tier]


class Wire:
    """When each medium last brought something new, as a tap of our own saw it."""

    def __init__(self) -> None:
        self._frames: list[tuple[float, str, str]] = []

    def take(self, line: str) -> None:
        at_s, way, medium = line.split()
        self._frames.append((float(at_s), way, medium))

    def last_s(self, media: tuple[str, ...], ways: tuple[str, ...], before_s: float) -> float:
        """Of these, the one that fell silent first. Raises BenchFailed where one never spoke."""
        lasts = [self._last_s(medium, way, before_s) for medium in media for way in ways]
        return min(lasts)

    def forget(self) -> None:
        self._frames.clear()

    def _last_s(self, medium: str, way: str, before_s: float) -> float:
        times = [at_s for at_s, *what in self._frames if what == [way, medium] and at_s <= before_s]
        if not times:
            raise BenchFailed(f"no {medium} {way.replace('_', ' ')} was seen at the in-line interface")
        return max(times)


async def rounds(count: int, failovers: int, seed: int) -> dict[str, list[Told]]:
    """Each fault `count` times, in turn; the one with a failover less often, each on a daemon of its own."""
    found: dict[str, list[Told]] = {fault.name: [] for fault in FAULTS}
    chance = Random(seed)
    async with start_lab(failover_s=600, failback_s=2, media="webrtc") as lab, tapped(lab) as wire:
        async with _daemon(lab, "calm"):
            for number in range(count):
                for fault in (each for each in FAULTS if not each.fails_over):
                    _say(f"{fault.name}, {number + 1} of {count}")
                    found[fault.name].append(await _play(lab, wire, fault, chance))
        await lab.do("failover", f"{FAILOVER_S:g}s")
        for number in range(failovers):
            await _call_anew(lab)
            async with _daemon(lab, f"failover-{number}"):
                for fault in (each for each in FAULTS if each.fails_over):
                    _say(f"{fault.name}, {number + 1} of {failovers}")
                    found[fault.name].append(await _play(lab, wire, fault, chance))
    return found


async def _call_anew(lab: LabClient) -> None:
    """A call that began on the backup line stays there when the router has gone home: cutting the fiber is no fault."""
    await until("the router is on its first WAN", lambda: _away(lab), within_s=CALM_WITHIN_S)
    await lab.do("media", "off")
    await asyncio.sleep(_HANGS_UP_S)
    await lab.do("media", "on")


async def _away(lab: LabClient) -> str:
    active = (await lab.status())["world"]["router"]["active"]
    return "" if active == plan.WANS[0].index else f"it is on {active}"


@asynccontextmanager
async def tapped(lab: LabClient) -> AsyncIterator[Wire]:
    """What crosses the in-line interface, for the length of a block."""
    argv = lab.node_command("edge", [sys.executable, "-m", "bench.media_wire", "lan0"])
    tap = await asyncio.create_subprocess_exec(*argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    if tap.stdout is None or tap.stdin is None or await tap.stdout.readline() != b"ready\n":
        raise BenchFailed("the in-line interface could not be watched")
    wire = Wire()
    reading = asyncio.create_task(_read(tap.stdout, wire))
    try:
        yield wire
    finally:
        reading.cancel()
        tap.stdin.close()
        await tap.wait()


async def _read(lines: asyncio.StreamReader, wire: Wire) -> None:
    async for line in lines:
        wire.take(line.decode())


@asynccontextmanager
async def _daemon(lab: LabClient, name: str) -> AsyncIterator[None]:
    """With a memory of its own, and a session open."""
    state = Path(lab.directory, f"state-{name}")
    toml = quick(toml_for(lab.directory, "webrtc")).replace(f"{lab.directory}/state", str(state))
    async with daemon_with(lab, toml + _SOON_CALM):
        act = {"reason": "procedure", "session": "bench-1"}
        await command(lab, "act", {"act": "session_opened", **act})
        yield


async def _play(lab: LabClient, wire: Wire, fault: Fault, chance: Random) -> Told:
    await until("the session lives", lambda: _missing(lab), within_s=CALM_WITHIN_S)
    wire.forget()
    await asyncio.sleep(_PHASE_S + chance.random() * _PHASE_S)
    before_s = _now_s()
    for words in fault.do:
        await lab.do(*words)
    dead = await _event(lab, "edge.av.changed.v1", before_s, TOLD_WITHIN_S, lambda e: not e["data"]["av_compliant"])
    entered = await _event(lab, "edge.tier.entered.v1", before_s, TOLD_WITHIN_S, lambda e: e["tier"] == fault.tier)
    last_s = wire.last_s(fault.media, fault.ways, _stamp_s(dead))
    back_s = None
    if fault.fails_over:
        back = await _event(
            lab, "edge.av.changed.v1", _stamp_s(dead), BACK_WITHIN_S, lambda e: e["data"]["av_compliant"]
        )
        back_s = _stamp_s(back) - last_s
    await lab.do("heal", "all")
    return Told(_stamp_s(dead) - last_s, _stamp_s(entered) - last_s, back_s)


async def _missing(lab: LabClient) -> str:
    doc = await status(lab)
    return not_ready(doc, (await lab.status())["world"]["router"]["active"])


def not_ready(doc: Doc, active: str) -> str:
    """What keeps a fault from being the only one; "" when nothing does. `active`: the WAN that carries the traffic."""
    lacks = {
        "live audio and video both ways": doc["tier"]["av_compliant"] is True,
        "tier 0": doc["tier"]["tier"] == 0,
        "links up": all(link["verdict"] == "up" for link in doc["links"]),
        "the router on its first WAN": active == plan.WANS[0].index,
    }
    return ", ".join(name for name, there in lacks.items() if not there)


async def _event(lab: LabClient, kind: str, since_s: float, within_s: float, wanted: Callable[[Doc], Any]) -> Doc:
    """The first such since then."""
    while _now_s() < since_s + within_s:
        rows: Any = await command(lab, "events", {"limit": _EVENTS})
        for event in sorted((row["event"] for row in rows), key=_stamp_s):
            if event["type"] == kind and _stamp_s(event) > since_s and wanted(event):
                found: Doc = event
                return found
        await asyncio.sleep(0.2)
    doc = json.dumps((await status(lab))["media"])
    raise BenchFailed(f"the daemon said no such {kind} within {within_s:.0f} s; it sees {doc}")


def _stamp_s(event: Doc) -> float:
    return int(event["monoms"]) / 1000


def _now_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
