"""Any day of a site, and beside the judge a second opinion: only what was said to it, kept apart from its own tables.

Times of the opinion are real ones, which go on over restarts and reboots; the judge's are its monotonic clock's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from edged.core.checkpoint import Moment, dump, load
from edged.core.events import Event
from edged.core.judge import judge
from edged.core.observations import Act, Observation, PersonActed, PlatformSaid, Reason, Tick
from edged.core.plan import Plan
from edged.core.state import State
from probes.reading import (
    LinkCause,
    LinkReading,
    MediaReading,
    Medium,
    PhoneCause,
    PhoneReading,
    StreamReading,
    Verdict,
    Way,
)
from wan.reading import RouterCause, RouterReading

TICK_S = 0.5
STREAMS = tuple((medium, way) for medium in Medium for way in Way)
Stream: TypeAlias = tuple[Medium, Way]
LANES: Mapping[str, Stream] = {
    "audio_to": (Medium.AUDIO, Way.TO_ROOM),
    "audio_from": (Medium.AUDIO, Way.FROM_ROOM),
    "video_to": (Medium.VIDEO, Way.TO_ROOM),
    "video_from": (Medium.VIDEO, Way.FROM_ROOM),
}
Four: TypeAlias = tuple[bool | None, bool | None, bool | None, bool | None]
USABLE = (Verdict.UP, Verdict.DEGRADED)
BEFORE = float("-inf")


@dataclass
class Heard:
    """What has been said in this life of the daemon."""

    links: dict[str, tuple[Verdict, float]] = field(default_factory=dict)
    """Verdict and p95 of the round trip."""
    seen: dict[str, tuple[float, Four]] = field(default_factory=dict)
    told: dict[str, tuple[float, Four]] = field(default_factory=dict)


@dataclass
class Day:
    plan: Plan
    now: float = 1000.0
    real_s: float = 1000.0
    boots: int = 1
    state: State = field(default_factory=lambda: State(started_s=1000.0))
    lives: list[tuple[State, list[tuple[float, Observation]], list[Event]]] = field(default_factory=list)
    heard: Heard = field(default_factory=Heard)
    media: dict[str, Four] = field(default_factory=dict)
    """Said by each room's observer every 1.5 s, as long as it talks."""
    platform: dict[str, Four] = field(default_factory=dict)
    acted: dict[tuple[str, Act], float] = field(default_factory=dict)
    """When somebody's word was taken, by room; real time."""
    raised: dict[tuple[str, str], float] = field(default_factory=dict)
    """Since when each row of each room is up; real time."""
    failing: dict[tuple[str, str], float] = field(default_factory=dict)
    """When each row's clear rule last did not hold, as the second opinion sees it; real time."""
    silent: dict[str, float] = field(default_factory=dict)
    """Since when the sound of each room is lost beyond doubt; real time."""
    moved: float = BEFORE
    carrier: str | None = None
    looks: list[tuple[float, dict[str, dict[Stream, bool]]]] = field(default_factory=list)
    """Each tick, and what could be called live then; real time."""
    timed: list[tuple[float, Event]] = field(default_factory=list)
    """Every event, by real time."""
    _due_s: float = 0.0

    def __post_init__(self) -> None:
        self.lives.append((self.state, [], []))

    # ── what happens ──
    def link(self, name: str, verdict: Verdict, rtt_s: float) -> None:
        cause = {Verdict.DOWN: LinkCause.LOSS, Verdict.DEGRADED: LinkCause.GRAY_LOSS}.get(verdict, LinkCause.NONE)
        self.heard.links[name] = (verdict, rtt_s)
        for changed in (True, False, False, False):  # its verdict, and the seconds after it
            reading = LinkReading(
                name, self.now, verdict, self.now, cause, changed, rtt_s, rtt_s, 0.001, 0.0, 10, 0, ()
            )
            self.hear(reading)

    def router(self, active: str | None) -> None:
        link = self.plan.link_of_wan(active)
        if link is not None and link != self.carrier:
            self.moved = BEFORE if self.carrier is None else self.real_s
            self.carrier = link
        cause = RouterCause.NO_ANSWER if active is None else RouterCause.NONE
        self.hear(RouterReading("router", self.now, active is not None, self.now, cause, active, (), None, None, None))

    def phone(self, reachable: bool | None) -> None:
        self.hear(PhoneReading(self.now, reachable, self.now, PhoneCause.NONE, 0.01, 200))

    def act(self, act: Act, room: str, session: str | None, reason: Reason) -> None:
        before = self.state
        events = self._judged(PersonActed(self.now, act, "tech", "operate", reason, session, room, "x-1", 60.0))
        if act in (Act.SESSION_OPENED, Act.SESSION_JOINED, Act.SESSION_CLOSED):
            self.silent.clear()  # another session is another loss
        if any(event.name == f"act.{act.value}" for event in events):
            self.acted[room, act] = self.real_s
        self._compare(before)

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK_S)):
            self.pass_by(TICK_S)
            if self.now >= self._due_s:
                self._due_s = self.now + 1.5
                self.say()
            self.hear(Tick(self.now))

    def say(self) -> None:
        """What the media are, by those who talk."""
        for room, lives in self.media.items():
            self.heard.seen[room] = (self.real_s, lives)
            streams = tuple(StreamReading(*s, live, 0.0, 50.0, 0.0) for s, live in zip(STREAMS, lives, strict=True))
            self.hear(MediaReading(self.now, True, streams, room))
        for room, lives in self.platform.items():
            self.heard.told[room] = (self.real_s, lives)
            self.hear(PlatformSaid(self.now, room, *lives))

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.real_s += seconds

    def restart(self, away_s: float, *, boot_age_s: float | None = None, wall_off_s: float = 0.0) -> None:
        """Killed, and back on the same boot; or on another one, with the wall clock off by so much."""
        written = Moment(f"boot-{self.boots}", self.now, self.real_s)
        blob = dump(self.state, written)
        self.pass_by(away_s)
        if boot_age_s is not None:
            self.boots, self.now = self.boots + 1, boot_age_s
            self.real_s += boot_age_s
        self.state = load(blob, Moment(f"boot-{self.boots}", self.now, self.real_s + wall_off_s))
        self.lives.append((self.state, [], []))
        self.heard = Heard()
        self._due_s = self.now
        for room in self.plan.rooms:
            for row in list(self.state.room(room).tiers):
                self.failing[room, row] = self.real_s

    def hear(self, observation: Observation) -> None:
        before = self.state
        self._judged(observation)
        if isinstance(observation, Tick):
            live = {room: {stream: self.may_live(room, stream) for stream in STREAMS} for room in self.plan.rooms}
            self.looks.append((self.real_s, live))
            for room in self.plan.rooms:
                self._compare_loss(room)
        self._compare(before)

    def _judged(self, observation: Observation) -> tuple[Event, ...]:
        judged = judge(self.plan, self.state, observation, self.now)
        self.state = judged.state
        self.lives[-1][1].append((self.now, observation))
        self.lives[-1][2].extend(judged.events)
        self.timed += [(self.real_s, event) for event in judged.events]
        return judged.events

    # ── the second opinion ──
    def may_live(self, room: str, stream: Stream) -> bool:
        """Somebody whose word is not old says so: the platform's for 6 s, the observer's for 3."""
        at = STREAMS.index(stream)
        words = ((self.heard.seen, 3.0), (self.heard.told, 6.0))
        found = ((held[room], within_s) for held, within_s in words if room in held)
        return any(lives[at] is True and self.real_s - said_s <= within_s for (said_s, lives), within_s in found)

    def _live(self, room: str, medium: Medium) -> bool:
        return all(self.may_live(room, (medium, way)) for way in Way)

    def _verdict(self, link: str) -> Verdict:
        return self.heard.links.get(link, (Verdict.UNKNOWN, 0.0))[0]

    def _carrier(self) -> tuple[Verdict, float]:
        return self.heard.links.get(self.carrier or self.plan.primary.name, (Verdict.UNKNOWN, 9.9))

    def _a_line(self) -> bool:
        return any(self._verdict(link.name) in USABLE for link in self.plan.links)

    def _in_session(self, room: str) -> bool:
        return self.state.room(room).supervised

    def _restored(self, room: str) -> bool:
        if not self._in_session(room):
            return self._a_line()
        return self._live(room, Medium.AUDIO) and self._live(room, Medium.VIDEO)

    def _confirmed(self, room: str) -> bool:
        return not self._in_session(room) or self.acted.get((room, Act.CONTINUITY_CONFIRMED), BEFORE) >= self.moved

    def _released(self, room: str, row: str) -> bool:
        """Rule 9, in the words of the requirements."""
        since_s = self.raised.get((room, row), BEFORE)
        acknowledged = self.acted.get((room, Act.ACKNOWLEDGED), BEFORE) >= since_s
        on_site = self.acted.get((room, Act.ONSITE_PRESENT), BEFORE) >= since_s
        session = self.state.room(room).session
        script_over = row.startswith("t5.") and not (session and session.phase.contrast_given)
        return on_site or script_over or (acknowledged and self._restored(room))

    def may_clear(self, room: str, row: str) -> bool:
        """Whether the requirements let this row begin to clear now."""
        rules: dict[str, Callable[[], bool]] = {
            "t1.latency": lambda: self._carrier()[1] < 0.120,
            "t1.loss": lambda: self._carrier()[0] is Verdict.UP,
            "t1.media": lambda: True,
            "t1.video": lambda: True,
            "t2.switching": lambda: self._carrier()[0] in USABLE,
            "t2.failover": lambda: self._confirmed(room) and self._carrier()[0] is Verdict.UP,
            "t2.video": lambda: not self._in_session(room) or self._live(room, Medium.VIDEO),
            "t3.av": lambda: self._live(room, Medium.AUDIO) if self._in_session(room) else self._a_line(),
            "t3.audio": lambda: not self._in_session(room) or self._live(room, Medium.AUDIO),
            "t3.unconfirmed": lambda: self._confirmed(room),
            "t3.links": self._a_line,
        }
        return rules[row]() if row in rules else self._released(room, row)

    def _is_silent(self, room: str) -> bool:
        """Somebody whose word is not old calls the sound dead one way, and nobody calls it live."""
        words = ((self.heard.seen, 3.0), (self.heard.told, 6.0))
        fresh = [held[room][1] for held, within_s in words if room in held and self.real_s - held[room][0] <= within_s]
        ways = [at for at, (medium, _) in enumerate(STREAMS) if medium is Medium.AUDIO]
        return any(not self.may_live(room, STREAMS[at]) and any(said[at] is False for said in fresh) for at in ways)

    def _compare_loss(self, room: str) -> None:
        """T3 and T4 as the requirements have them (rules 5, 6 and 8): nobody may wait longer than this."""
        if not (self._in_session(room) and self._is_silent(room)):
            self.silent.pop(room, None)
            return
        lost_s, tier = self.real_s - self.silent.setdefault(room, self.real_s), self.state.room(room).tier
        assert lost_s < 15.0 or tier >= 3, f"{lost_s} s without sound in {room}, and it is tier {tier}"
        reached = any((room, act) in self.acted for act in (Act.PHONE_CONFIRMED, Act.ONSITE_PRESENT))
        assert lost_s < 120.0 or reached or tier == 4, f"{lost_s} s without sound or contact in {room}: tier {tier}"

    def quiet_s(self, row: str) -> float:
        """How long it must have been so."""
        own = {"t2.switching": 1.0, "t3.unconfirmed": 0.0}
        return own.get(row, {1: 30.0, 2: 60.0, 3: 30.0}.get(int(row[1]), 0.0))

    def _compare(self, before: State) -> None:
        for room in self.plan.rooms:
            self._compare_in(before, room)

    def _compare_in(self, before: State, room: str) -> None:
        was, held = before.room(room), self.state.room(room)
        for row in held.tiers.keys() | was.tiers.keys():
            if held.is_up(row) and not was.is_up(row):
                self.raised[room, row] = self.real_s
            if not self.may_clear(room, row):
                self.failing[room, row] = self.real_s
            if was.is_up(row) and not held.is_up(row):
                assert self.may_clear(room, row), f"{row} of {room} cleared against its rule"
                well_s = self.real_s - self.failing.get((room, row), BEFORE)
                assert well_s >= self.quiet_s(row), f"{row} of {room} cleared after {well_s} s of what clears it"
        up = [4 if row.startswith("t5") else int(row[1]) for row in held.tiers if held.is_up(row)]
        assert held.tier == max(up, default=0)

    # ── what it all must come to ──
    def replayed(self) -> None:
        for state, heard, events in self.lives:
            again: list[Event] = []
            for now, observation in heard:
                judged = judge(self.plan, state, observation, now)
                state = judged.state
                again += judged.events
            assert again == events
        assert state == self.state

    def with_session(self) -> "Day":
        for name in self.plan.rooms:
            self.media[name] = (True, True, True, True)
        for link in self.plan.links:
            self.link(link.name, Verdict.UP, 0.02)
        self.router(self.plan.primary.wan)
        self.phone(True)
        self.wait(1)
        return self


def in_two_rooms(plan: Plan) -> Plan:
    return replace(plan, rooms=("angio", "ct"))
