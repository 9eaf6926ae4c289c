"""A made-up session of ten minutes with three gaps and some seconds nobody observed, recorded by the real store with
real envelopes and signed by the real instrument.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edged.clock import ClockQuality
from edged.contract.examples import DATA
from edged.core.events import Channel, Event, Json
from edged.core.observations import LedgerSealed
from edged.core.protocol import DEFAULT
from edged.record.envelope import Origin
from edged.record.evidence_rows import ChainedRow, session_rows
from edged.record.settings import RecordSettings
from edged.record.store import Store
from edged.record.witness_key import WitnessKey, load_or_make
from edged.record.witness_sealing import Sealing

SESSION, ROOM, SITE = "s-0817", "room", "clinic/room-1"
JOINED_S, CLOSED_S = 24, 624
SOFTWARE: dict[str, Json] = {
    "version": "0.5.0",
    "config_hash": "9f2c41d07a6b",
    "protocol": DEFAULT.version,
    "protocol_hash": DEFAULT.hash,
}
LOST = {
    **dict.fromkeys(range(150, 158), "LLDL"),  # no video to the room
    **dict.fromkeys(range(330, 351), "DDDD"),  # everything
    **dict.fromkeys(range(470, 473), "LDLL"),  # no audio from the room
    **dict.fromkeys(range(540, 546), "UUUU"),
}
"""By second since the request: the four lanes."""
FIBER_DOWN: dict[str, Json] = {"verdict": "down", "cause": "loss", "rtt_ms": None, "loss_pct": 100.0, "rests_on": None}
FIBER_UP: dict[str, Json] = {"verdict": "up", "cause": "none", "rtt_ms": 21.4, "loss_pct": 0.0, "rests_on": None}
CELLULAR: dict[str, Json] = {"verdict": "up", "cause": "none", "rtt_ms": 48.2, "loss_pct": 0.1, "rests_on": None}


@dataclass
class HandClock:
    """Both clocks, moved by hand."""

    monotonic_s: float = 5000.3
    wall_s: float = 1_795_341_600.0  # 2026-11-22T10:00:00Z
    began_s: float = field(default=5000.3)

    def monotonic(self) -> float:
        return self.monotonic_s

    def wall(self) -> float:
        return self.wall_s

    def quality(self) -> ClockQuality:
        return ClockQuality.SYNCED

    def go_to(self, second: float) -> None:
        """Since the beginning."""
        step_s = self.began_s + second - self.monotonic_s
        self.monotonic_s += step_s
        self.wall_s += step_s


class Site:
    """Whoever records: the judge, as far as evidence sees it."""

    def __init__(self, store: Store, clock: HandClock, key: WitnessKey) -> None:
        self.store, self.clock, self.tier = store, clock, 0
        self._sealed: list[LedgerSealed] = []
        self._sealing = Sealing(store, key, clock, self._sealed.append, every_s=3600.0)
        self._waiting: list[int] = []
        self.phase = "pre"

    async def say(self, name: str, data: Mapping[str, Json], channel: Channel = Channel.LOG) -> None:
        await self.store.append([Event(channel, name, self.tier, self.clock.monotonic(), data)])

    async def enter_phase(self, phase: str, act: str) -> None:
        await self.tell_seconds()
        self.phase = phase
        await self.act(act)

    async def act(self, act: str, reason: str = "procedure", subject: str | None = None, **more: Json) -> None:
        person: dict[str, Json] = {"actor": "tech", "role": "operate", "reason": reason}
        about: dict[str, Json] = {"session": SESSION, "room": ROOM, "subject": subject, "for_s": None}
        await self.say(f"act.{act}", {"act": act, **person, **about, **more})

    async def enter(self, tier: int, row: str | None, cause: str, links: Mapping[str, Json], incident: int) -> None:
        await self.tell_seconds()
        previous, self.tier = self.tier, tier
        response = DEFAULT.responses[row] if row else None
        demanded: Json = None
        if response is not None:
            demanded = {"say": response.say, "who": response.who, "by_s": response.by_s}
        data: dict[str, Json] = {
            **{"previous": previous, "previous_lasted_s": 12.5, "row": row, "rows": [row] if row else []},
            **{"cause": cause, "cause_at": "fiber" if cause == "link_down" else None, "response": demanded},
            **{"session": SESSION, "room": ROOM, "av_compliant": tier == 0, "incident": incident},
            **{"phase": self.phase, "drill": False},
            "evidence": {
                **{"links": links, "carrier": "fiber", "router_answering": True, "audio": True, "video": tier == 0},
                **{"phone": True, "power": {"network": "mains"}, "lost_for_s": None},
            },
        }
        await self.say("tier.entered", data, Channel.TIER)
        if tier >= 3:
            await self.seal()

    async def see(self, second: int) -> None:
        """The whole second before is complete."""
        self._waiting.append(second - 1)
        if len(self._waiting) >= 10:
            await self.tell_seconds()

    async def tell_seconds(self) -> None:
        if not self._waiting:
            return
        words = [LOST.get(second, "LLLL") for second in self._waiting]
        lanes: dict[str, Json] = {
            name: "".join(word[at] for word in words)
            for at, name in enumerate(("audio_to", "audio_from", "video_to", "video_from"))
        }
        av = "".join("N" if "D" in word else "U" if "U" in word else "Y" for word in words)
        ended_s = self.clock.began_s // 1 + self._waiting[-1] + 1
        said: dict[str, Json] = {
            **{"room": ROOM, "session": SESSION, "phase": self.phase, "seconds": len(words), "tier": self.tier},
            **{"ended_s_ago": round(self.clock.monotonic() - ended_s, 3), "av": av, "source": "observer"},
            "protection": "encrypted",
        }
        self._waiting.clear()
        await self.say("av.seconds", {**said, **lanes})

    async def seal(self) -> None:
        sealed = await self._sealing.seal()
        if sealed:
            said: dict[str, Json] = {"stream": sealed.stream, "at": sealed.sequence, "row_hash": sealed.row_hash}
            signed: dict[str, Json] = {
                **{"key": sealed.key, "public_key": sealed.public_key, "signature": sealed.signature}
            }
            await self.say("ledger.checkpoint", {**said, **signed})


Step = Callable[[Site], Awaitable[None]]


async def play(directory: Path, *, until: int = CLOSED_S + 40) -> None:
    """The whole session, and a minute around it."""
    clock = HandClock()
    store = await Store.open(directory, origin=Origin(*SITE.split("/")), clock=clock, settings=RecordSettings())
    site = Site(store, clock, load_or_make(directory))
    clock.go_to(-40)
    await site.say("clock.leap_announced", {"leap": "insert"})
    await site.seal()
    await site.say("daemon.started", {"record": "fresh", **SOFTWARE})
    for second in range(until):
        clock.go_to(second + 0.1)
        if JOINED_S < second <= CLOSED_S:
            await site.see(second)
        if step := SCRIPT.get(second):
            await step(site)
        if second % 60 == 59:
            await site.seal()
    await store.close()


async def _request(site: Site) -> None:
    await site.act("session_requested")


async def _join(site: Site) -> None:
    await site.act("session_joined")
    answered: dict[str, Json] = {"response_s": 24.0, "response_class": "best", "needs_escalation": False}
    await site.say("session.answered", {"room": ROOM, "session": SESSION, **answered})


async def _incident(site: Site, word: str, number: int, cause: str, at: str | None = None) -> None:
    own: dict[str, Json] = {"number": number, "cause": cause, "at": at}
    await site.say(f"incident.{word}", {**DATA[f"incident.{word}"], **own})


async def _video_lost(site: Site) -> None:
    await _incident(site, "opened", 1, "remote_or_application", None)
    await site.enter(2, "t2.video", "remote_or_application", {"fiber": FIBER_UP, "cellular": CELLULAR}, 1)


async def _video_back(site: Site) -> None:
    await site.enter(0, None, "none", {"fiber": FIBER_UP, "cellular": CELLULAR}, 1)
    await _incident(site, "closed", 1, "remote_or_application", None)


async def _line_cut(site: Site) -> None:
    await _incident(site, "opened", 2, "link_down", "fiber")
    await site.enter(2, "t2.switching", "link_down", {"fiber": FIBER_DOWN, "cellular": CELLULAR}, 2)


async def _timer(site: Site, word: str) -> None:
    about: dict[str, Json] = {"timer": "phone", "room": ROOM, "session": SESSION}
    await site.say(f"timer.{word}", {**about, "ran_s": 0.0, "due_in_s": 105.0})


async def _both_lost(site: Site) -> None:
    await site.enter(3, "t3.av", "link_down", {"fiber": FIBER_DOWN, "cellular": CELLULAR}, 2)
    await _timer(site, "started")


async def _phoned(site: Site) -> None:
    await site.act("phone_confirmed", "line_failed")
    await _timer(site, "met")


async def _moved(site: Site) -> None:
    await site.say("wan.failover", {"previous": "fiber", "active": "cellular"})
    await site.say("path.diagnosed", {**DATA["path.diagnosed"], "at": "fiber", "incident": 2})


async def _line_back(site: Site) -> None:
    await site.act("continuity_confirmed", "line_failed")
    await site.enter(0, None, "none", {"fiber": FIBER_DOWN, "cellular": CELLULAR}, 2)


async def _audio_lost(site: Site) -> None:
    await site.enter(3, "t3.audio", "remote_or_application", {"fiber": FIBER_DOWN, "cellular": CELLULAR}, 3)


async def _calm(site: Site) -> None:
    await site.enter(0, None, "none", {"fiber": FIBER_UP, "cellular": CELLULAR}, 3)


async def _close(site: Site) -> None:
    await site.tell_seconds()
    await site.act("session_closed")


def _enters(phase: str, act: str) -> Step:
    return lambda site: site.enter_phase(phase, act)


def _does(act: str, reason: str = "procedure", subject: str | None = None, **more: Json) -> Step:
    async def step(site: Site) -> None:
        await site.act(act, reason, subject, **more)

    return step


SCRIPT: dict[int, Step] = {
    0: _request,
    JOINED_S: _join,
    120: _enters("injecting", "contrast_started"),
    152: _video_lost,
    155: _does("continuity_confirmed", "degraded"),
    162: _video_back,
    300: _enters("monitoring", "contrast_ended"),
    331: _line_cut,
    335: _does("held", "line_failed", by_connectivity=True),
    345: _both_lost,
    347: _phoned,
    349: _moved,
    357: _line_back,
    400: _does("reaction_marked", subject="marker-4711"),
    474: _audio_lost,
    480: _calm,
    600: _enters("pre", "monitoring_ended"),
    CLOSED_S: _close,
}


def all_rows(directory: Path) -> list[ChainedRow]:
    part = session_rows(directory, SESSION)
    rows = [*part.rows]
    while part.after is not None:
        part = session_rows(directory, SESSION, after=part.after, last=part.last)
        rows += part.rows
    return rows
