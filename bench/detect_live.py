"""The real daemon on the lab's site while fiber is cut, slowed and made lossy: what it says, and when.

Both clocks are one: commands are timed, and the daemon's events stamped, with CLOCK_BOOTTIME. A cut counts from just
before the relay was told, so the figures are long rather than short by what telling it took, which is shown.
Links are trusted again a second after they answer, without a hold-down, so that many cuts fit in; what makes a link
down is as shipped.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bench.bounded import BenchFailed
from bench.site import Doc, command, daemon_with, status, until
from lab import plan
from lab.client import LabClient, start_lab
from lab.daemon_config import toml_for

LINK = "fiber"
_PIN = next(wan.pin for wan in plan.WANS if wan.link == LINK)
_UP_WITHIN_S, _DOWN_WITHIN_S, _GRAY_WITHIN_S = 30.0, 20.0, 60.0
_LEARNS_FIRST_S = 10.0
_LASTS_S = 1.0  # an outage; what heals at once is a burst, and teaches that bursts are long here
_PHASE_S = 1.0
_LOOKS_AFTER_S = 0.5
"""Not sooner, so that asking does not disturb what is measured."""
_EVENTS = 60
WIRE_S = 8.0


@dataclass(frozen=True, slots=True)
class LiveCut:
    took_s: float
    """From just before the relay was told to the moment the daemon's judge stamped "down"."""
    told_s: float
    """How long telling the relay took: by so much at most the figure above is too long."""
    misses: int
    seen_s: float | None = None
    """Until it was to be had at the control socket, where that was watched."""


@dataclass(frozen=True, slots=True)
class Wired:
    """Probes of the link on the wire, IP headers included."""

    up_bps: float
    down_bps: float
    packets_per_s: float
    """Up."""

    @property
    def worse_kbps(self) -> float:
        return max(self.up_bps, self.down_bps) / 1000


@dataclass(slots=True)
class Live:
    cuts: list[LiveCut] = field(default_factory=list)
    calm_cuts: list[LiveCut] = field(default_factory=list)
    delay_steps_s: list[float] = field(default_factory=list)
    grays_s: list[float] = field(default_factory=list)
    wire: dict[str, Wired] = field(default_factory=dict)
    """By pace: session and calm."""


@dataclass(frozen=True, slots=True)
class Wanted:
    cuts: int
    calm_cuts: int
    delay_steps: int
    grays: int
    seed: int

    @property
    def within_s(self) -> float:
        """Far more than it takes."""
        each = self.cuts + self.calm_cuts + self.delay_steps
        return 180 + 20 * each + 90 * self.grays


async def live(wanted: Wanted) -> Live:
    found, rng = Live(), Random(wanted.seed)
    async with start_lab(failover_s=60) as lab, daemon_with(lab, quick(toml_for(lab.directory))):
        await _until_up(lab)
        found.wire["calm"] = await _wire(lab)
        for number in range(wanted.calm_cuts):
            _say(f"calm cut {number + 1} of {wanted.calm_cuts}")
            found.calm_cuts.append(await _cut(lab, rng, watched=True))
        async with _session(lab):
            await asyncio.sleep(_LEARNS_FIRST_S)
            found.wire["session"] = await _wire(lab)
            for number in range(wanted.cuts):
                _say(f"cut {number + 1} of {wanted.cuts}")
                found.cuts.append(await _cut(lab, rng))
            for number in range(wanted.delay_steps):
                _say(f"step of delay {number + 1} of {wanted.delay_steps}")
                found.delay_steps_s.append(await _degrade(lab, rng, "lag", "100ms", cause="delay"))
            for number in range(wanted.grays):
                _say(f"gray failure {number + 1} of {wanted.grays}")
                await lab.do("loss", LINK, "1%")
                await asyncio.sleep(_LEARNS_FIRST_S)
                found.grays_s.append(await _degrade(lab, rng, "loss", "10%", cause="gray_loss"))
    return found


def quick(toml: str) -> str:
    """Links trusted again at once."""
    for role in ("primary", "backup"):
        line = f'role = "{role}"'
        if line not in toml:
            raise BenchFailed(f"the site's configuration has no link of role {role}")
        toml = toml.replace(line, f"{line}\nrecovery_window_s = 1\nhold_down_s = 0")
    return toml


@asynccontextmanager
async def _session(lab: LabClient) -> AsyncIterator[None]:
    act = {"reason": "procedure", "session": "bench-1"}
    await command(lab, "act", {"act": "session_opened", **act})
    yield
    await command(lab, "act", {"act": "session_closed", **act})


async def _cut(lab: LabClient, rng: Random, *, watched: bool = False) -> LiveCut:
    await _until_up(lab)
    await asyncio.sleep(rng.random() * _PHASE_S)
    before_s = _now_s()
    await lab.do("cut", LINK)
    told_s = _now_s() - before_s
    seen_s = await _seen_down(lab, before_s) if watched else None
    event = await _event(lab, "edge.link.down.raised.v1", before_s, within_s=_DOWN_WITHIN_S)
    await asyncio.sleep(_LASTS_S)
    await lab.do("heal", LINK)
    misses = (event["data"].get("evidence") or {}).get("misses", 0)
    return LiveCut(_stamp_s(event) - before_s, told_s, misses, seen_s)


async def _degrade(lab: LabClient, rng: Random, *order: str, cause: str) -> float:
    """Seconds from the order until the link is degraded for that cause."""
    do, value = order
    await _until_up(lab)
    await asyncio.sleep(rng.random() * _PHASE_S)
    before_s = _now_s()
    await lab.do(do, LINK, value)
    event = await _event(lab, "edge.link.degraded.raised.v1", before_s, within_s=_GRAY_WITHIN_S)
    await lab.do("heal", LINK)
    if (said := event["data"].get("cause")) != cause:
        raise BenchFailed(f"{do} {value}: degraded by {said}, not by {cause}")
    return _stamp_s(event) - before_s


async def _until_up(lab: LabClient) -> None:
    async def missing() -> str:
        verdicts = {link["link"]: link["verdict"] for link in (await status(lab))["links"]}
        return ", ".join(f"{name} is {verdict}" for name, verdict in verdicts.items() if verdict != "up")

    await until("the links are up", missing, within_s=_UP_WITHIN_S)


async def _seen_down(lab: LabClient, before_s: float) -> float:
    while _now_s() < before_s + _DOWN_WITHIN_S:
        if any(link["link"] == LINK and link["verdict"] == "down" for link in (await status(lab))["links"]):
            return _now_s() - before_s
        await asyncio.sleep(0.02)
    raise BenchFailed(f"{LINK} was not called down within {_DOWN_WITHIN_S:.0f} s")


async def _event(lab: LabClient, kind: str, since_s: float, *, within_s: float) -> Doc:
    """The first of its kind about the link since then."""
    await asyncio.sleep(max(0.0, since_s + _LOOKS_AFTER_S - _now_s()))
    while _now_s() < since_s + within_s:
        rows: Any = await command(lab, "events", {"limit": _EVENTS})
        events: list[Doc] = sorted((row["event"] for row in rows), key=_stamp_s)
        for event in events:
            # Stamps are whole milliseconds.
            if event["type"] == kind and event["data"].get("at") == LINK and _stamp_s(event) >= since_s - 0.001:
                return event
        await asyncio.sleep(0.1)
    raise BenchFailed(f"the daemon said no {kind} of {LINK} within {within_s:.0f} s")


def _stamp_s(event: Doc) -> float:
    return int(event["monoms"]) / 1000


def _now_s() -> float:
    """As the daemon's clock does."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


async def _wire(lab: LabClient) -> Wired:
    """On the cable to the router, both ways."""
    argv = [sys.executable, "-m", "bench.detect_wire", "wan0", _PIN, f"{WIRE_S:g}"]
    counting = await asyncio.create_subprocess_exec(
        *lab.node_command("edge", argv), stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    said, _ = await counting.communicate()
    if counting.returncode or not said:
        raise BenchFailed("the probes on the wire could not be counted")
    return wired(json.loads(said))


def wired(counted: Doc) -> Wired:
    seconds = counted["seconds"]
    up_bps, down_bps = (8 * counted["bytes"][way] / seconds for way in ("up", "down"))
    return Wired(up_bps, down_bps, counted["packets"]["up"] / seconds)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
