"""A procedure room on a fake clock: says what its instruments say once a second, and keeps what the judge said."""

from dataclasses import dataclass, field, replace

from edged.core.checkpoint import Moment, dump, load
from edged.core.effects import Effect
from edged.core.events import Channel, Event
from edged.core.judge import judge
from edged.core.observations import Act, Observation, PersonActed, PlatformSaid, Reason, Tick
from edged.core.plan import LinkPlan, LinkRole, Plan, UpsPlan
from edged.core.rooms import RoomState
from edged.core.snapshot import snapshot
from edged.core.state import State
from probes.reading import (
    LinkCause,
    LinkReading,
    MediaReading,
    Medium,
    MobileReading,
    PhoneCause,
    PhoneReading,
    Protection,
    StreamReading,
    Verdict,
    Way,
)
from qos.reading import ShaperCause, ShaperReading, ShaperState
from ups.reading import Contact, Power, UpsReading
from wan.reading import RouterCause, RouterReading

TICK_S = 0.25

SITE = Plan(
    links=(
        LinkPlan("fiber", LinkRole.PRIMARY, "north", "0", 100e6, 100e6),
        LinkPlan("cellular", LinkRole.BACKUP, "south", "1", 20e6, 20e6),
    ),
    ups=(UpsPlan("network", "network", ("router",)), UpsPlan("workstation", "workstation")),
    has_router=True,
    has_media=True,
    has_phone=True,
    has_broker=True,
    shapers=("wan0",),
)


@dataclass
class Room:
    plan: Plan = SITE
    now: float = 1000.0
    state: State = field(default_factory=lambda: State(started_s=1000.0))
    events: list[Event] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    heard: list[tuple[float, Observation]] = field(default_factory=list)
    _says: dict[str, Observation] = field(default_factory=dict)
    _due_s: float = 0.0

    # ── what the instruments say, from now on ──
    def link(self, name: str, verdict: Verdict = Verdict.UP, *, rtt_s: float | None = 0.02) -> "Room":
        down = verdict is Verdict.DOWN
        cause = {Verdict.DOWN: LinkCause.LOSS, Verdict.DEGRADED: LinkCause.GRAY_LOSS}.get(verdict, LinkCause.NONE)
        rtt_s = None if down else rtt_s
        reading = LinkReading(
            name, self.now, verdict, self.now, cause, True, rtt_s, rtt_s, 0.001, 100.0 if down else 0.0, 10, 0, ()
        )
        self._says[f"link:{name}"] = replace(reading, changed=False)
        self._hear(reading)
        return self

    def router(self, active: str | None) -> "Room":
        cause = RouterCause.NO_ANSWER if active is None else RouterCause.NONE
        return self._say(
            "router",
            RouterReading("router", self.now, active is not None, self.now, cause, active, (), None, None, None),
        )

    def media(
        self, *, audio: bool | None = True, video: bool | None = True, loss_pct: float = 0.0, room: str = ""
    ) -> "Room":
        lives = {Medium.AUDIO: audio, Medium.VIDEO: video}
        both = {(medium, way): live for medium, live in lives.items() for way in Way}
        return self.streams(both, loss_pct=loss_pct, room=room)

    def streams(
        self,
        lives: dict[tuple[Medium, Way], bool | None],
        *,
        loss_pct: float = 0.0,
        room: str = "",
        frame_rate_hz: float | None = 30.0,
        protection: Protection = Protection.ENCRYPTED,
    ) -> "Room":
        streams = tuple(
            StreamReading(m, w, live, 0.0, 50.0, loss_pct, frame_rate_hz if m is Medium.VIDEO else None)
            for (m, w), live in lives.items()
        )
        reading = MediaReading(self.now, True, streams, room, protection=protection)
        return self._say(f"media:{room}", reading)

    def phone(self, reachable: bool | None, *, room: str = "", registered: bool | None = None) -> "Room":
        reading = PhoneReading(self.now, reachable, self.now, PhoneCause.NONE, 0.01, 200, room, registered)
        return self._say(f"phone:{room}", reading)

    def ups(self, name: str, power: Power) -> "Room":
        reading = UpsReading(name, self.now, Contact.OK, power, self.now, (), 100.0, 1800.0, 25.0, None, None)
        return self._say(f"ups:{name}", reading)

    def shaper(self, interface: str) -> "Room":
        state, cause = ShaperState.ACTIVE, ShaperCause.NONE
        return self._say(
            f"qos:{interface}", ShaperReading(interface, "up", self.now, state, cause, "pfifo", 95_000_000, ())
        )

    def act(
        self,
        act: Act,
        session: str | None = None,
        *,
        reason: Reason = Reason.DRILL,
        room: str | None = None,
        subject: str | None = None,
        for_s: float | None = None,
    ) -> "Room":
        self._hear(PersonActed(self.now, act, "tech", "operate", reason, session, room, subject, for_s))
        return self

    def mobile(self, heard: bool | None = True, *, mcc_mnc: str | None = "310-410", asn: int | None = None) -> "Room":
        return self._say("mobile", MobileReading(self.now, heard, self.now, mcc_mnc, asn, heard))

    def platform(self, live: bool | None = True, *, room: str | None = None, **streams: bool | None) -> "Room":
        """`live` for every stream but those named ("audio_to_room")."""
        lives = dict.fromkeys(("audio_to_room", "audio_from_room", "video_to_room", "video_from_room"), live)
        return self._say(f"platform:{room}", PlatformSaid(self.now, room, **{**lives, **streams}))

    def hear(self, observation: Observation) -> "Room":
        """Said once, by whatever has no word of its own above."""
        self._hear(observation)
        return self

    def silence(self, source: str) -> "Room":
        """This instrument says nothing more ("media:", "phone:room-2"); what it said last stays as it is."""
        del self._says[source]
        return self

    # ── restarts ──
    def restarted(
        self, *, away_s: float, boot_age_s: float | None = None, wall_away_s: float | None = None, talking: bool = True
    ) -> "Room":
        """The daemon dies and comes back knowing nothing but its checkpoint. `boot_age_s`: the box itself was started
        anew so long before; `wall_away_s`: what its wall clock then says of the time away. `talking`: the instruments
        say at once what they said before.
        """
        wall_s = 1_700_000_000 + self.now
        blob = dump(self.state, Moment("boot-1", self.now, wall_s))
        now = self.now + away_s if boot_age_s is None else boot_age_s
        boot = "boot-1" if boot_age_s is None else "boot-2"
        after = Room(self.plan, now=now)
        after.state = load(blob, Moment(boot, now, wall_s + (away_s if wall_away_s is None else wall_away_s)))
        if talking:
            after._says = {source: replace(said, at_s=now) for source, said in self._says.items()}
            for said in after._says.values():
                after._hear(said)
        return after

    # ── time ──
    def wait(self, seconds: float) -> "Room":
        end_s = self.now + seconds
        while self.now < end_s - 1e-9:
            self.now = min(self.now + TICK_S, end_s)
            if self.now >= self._due_s:
                self._due_s = self.now + 1.0
                for said in list(self._says.values()):
                    self._hear(replace(said, at_s=self.now))
            self._hear(Tick(self.now))
        return self

    def seconds_to(self, tier: int, *, within_s: float) -> float:
        """How long until `tier` is in force; fails the test when it does not come."""
        began_s = self.now
        while self.state.tier != tier:
            assert self.now - began_s <= within_s, f"tier is still {self.state.tier} after {within_s} s, not {tier}"
            self.wait(TICK_S)
        return self.now - began_s

    # ── what came of it ──
    @property
    def tiers(self) -> list[int]:
        return [event.tier for event in self.events if event.channel is Channel.TIER]

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    @property
    def room(self) -> RoomState:
        """The only one, or the first."""
        return self.state.room(self.plan.rooms[0])

    def doc(self) -> dict[str, object]:
        return dict(snapshot(self.plan, self.state, self.now))

    def last(self, name: str) -> Event:
        return next(event for event in reversed(self.events) if event.name == name)

    def _say(self, source: str, observation: Observation) -> "Room":
        self._says[source] = observation
        self._hear(observation)
        return self

    def _hear(self, observation: Observation) -> None:
        self.heard.append((self.now, observation))
        judged = judge(self.plan, self.state, observation, self.now)
        self.state = judged.state
        self.events += judged.events
        self.effects += judged.effects


def calm_room(plan: Plan = SITE, *, session: bool = True) -> Room:
    """Both lines up, media live both ways, phone answering, on mains; tier 0."""
    room = Room(plan).link("fiber").link("cellular", rtt_s=0.06).router("0").phone(True)
    room.media() if session else room.media(audio=None, video=None)
    room.ups("network", Power.MAINS).ups("workstation", Power.MAINS)
    for interface in plan.shapers:
        room.shaper(interface)
    if session:
        room.act(Act.SESSION_OPENED, "s-1")
    room.wait(5)
    assert room.state.tier == 0, room.room.tiers
    room.events.clear()
    room.effects.clear()
    return room
