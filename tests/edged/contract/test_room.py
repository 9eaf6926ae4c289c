"""Everything the judge can say fits: a room in which everything happens, told by every kind of observation."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import pytest

from edged.config import load
from edged.contract import KINDS, fit
from edged.contract.examples import STREAM
from edged.contract.kinds import Told
from edged.core import conditions
from edged.core.effects import Errand
from edged.core.events import Json
from edged.core.judge import judge
from edged.core.latch import Dwell
from edged.core.liveness import STREAMS
from edged.core.observations import (
    AccessRefused,
    Act,
    Asked,
    CertificateReading,
    ClockReading,
    ClockStepped,
    Commanded,
    DaemonPhase,
    LedgerSealed,
    Observation,
    Phase,
    PlatformSaid,
    Reason,
    RecordReading,
    SourceFailed,
    UplinkReading,
)
from edged.core.plan import DEFAULT_DWELLS, LinkRole, PhonePlan, Thresholds
from edged.core.protocol import DEFAULT
from edged.core.snapshot import snapshot
from edged.status import RETAINED, _ageless
from probes.line_reading import (
    CapacityReading,
    DiesAt,
    ExitReading,
    MeasureFailed,
    MeasureTrouble,
    Method,
    PathReading,
    StandbyReading,
)
from probes.path import Trouble
from probes.path_document import Document, Kind, MtuKind, Why
from probes.path_document import DscpFinding as DscpFound
from probes.path_document import Gateway as GatewayFound
from probes.path_document import Hop as HopFound
from probes.path_document import MtuFinding as MtuFound
from probes.path_document import Target as TargetFound
from probes.reading import (
    BudgetReading,
    Direction,
    Evidence,
    FarEnd,
    LinkCause,
    LinkReading,
    MediaReading,
    Protection,
    TargetReading,
    Verdict,
    WayReading,
)
from qos.reading import ClassReading, ShaperCause, ShaperReading, ShaperState
from tests.edged.core.room import SITE, Room, calm_room
from ups.reading import Contact, Power, UpsReading
from wan.reading import ActiveWanChanged, RouterCause, RouterReading, WanReading, WanState

CONFIG = Path(__file__).parents[3] / "config" / "edged.toml"
CELLULAR = "310-410"
PLAN = replace(
    SITE,
    links=tuple(
        replace(link, measurable=True, proven=True, standby=link.role is LinkRole.BACKUP, mcc_mnc=mcc_mnc)
        for link, mcc_mnc in zip(SITE.links, (None, CELLULAR), strict=True)
    ),
    has_mobile=True,
    certificates=("own", "ca", "broker"),
    thresholds=Thresholds(
        answer_best_s=2.0, answer_acceptable_s=4.0, answer_late_s=6.0, phone_within_s=20.0, mobile_within_s=25.0
    ),
    dwells={tier: Dwell(dwell.raise_s, min(5.0, dwell.clear_s)) for tier, dwell in DEFAULT_DWELLS.items()},
)
"""A site where everything is watched; its patience is short, so that the story is."""
SEAL = LedgerSealed(0.0, STREAM, 42, "5eed" * 16, "5eed" * 8, f"{'A' * 43}=", f"{'A' * 86}==")
EVIDENCE = Evidence("joint", 30.2, 20.1, 14, 0.0001, 0.31, 3, 3, 9, 0.4)


@dataclass
class Story:
    """A room, and the kinds of observations told in it."""

    room: Room
    said: list[tuple[str, dict[str, Json]]]
    heard: set[type[Observation]]

    def tell(self, *observations: Observation) -> None:
        for observation in observations:
            judged = judge(self.room.plan, self.room.state, observation, self.room.now)
            self.room.state = judged.state
            self.room.events += judged.events
            self.heard.add(type(observation))

    def wait(self, seconds: float) -> None:
        self.room.wait(seconds)
        self._look()

    def hush(self, seconds: float) -> None:
        """No instrument repeats itself meanwhile."""
        says, self.room._says = self.room._says, {}
        self.wait(seconds)
        self.room._says = says

    def sleep(self, seconds: float) -> None:
        """The box stands still for so long."""
        self.room.now += seconds
        self.wait(3)

    def _look(self) -> None:
        """What would be retained at the broker now."""
        document = snapshot(self.room.plan, self.room.state, self.room.now)
        for thing in RETAINED:
            looks = _ageless(document.get(thing))
            if looks is not None:
                self.said.append((f"snap.{thing}", looks if isinstance(looks, dict) else {thing: looks}))


def link(name: str, verdict: Verdict, cause: LinkCause, now: float, *, used_mb: int = 1) -> LinkReading:
    return LinkReading(
        *(name, now, verdict, now, cause, True, 0.02, 0.03, 0.001, 4.2, 20, 1),
        targets=(TargetReading("icmp 192.0.2.1", verdict, 0.02, 4.2, 0, 0.0, 20.1),),
        ways=tuple(WayReading(direction, 1.0, -0.0001, 0.001, True, False) for direction in Direction),
        evidence=EVIDENCE,
        budget=BudgetReading("2026-01", 20_000_000, used_mb * 1_000_000, True),
    )


def lines(story: Story) -> None:
    now = story.room.now
    for name in ("fiber", "cellular"):
        story.tell(link(name, Verdict.DEGRADED, LinkCause.REFLECTOR, now, used_mb=30))
        story.tell(link(name, Verdict.DEGRADED, LinkCause.GRAY_LOSS, now))
        for direction in Direction:
            story.tell(CapacityReading(name, now, direction, Method.TRAIN, 1e6, 0.9e6, 1.1e6, 0.95, 4000))
            story.tell(CapacityReading(name, now, direction, Method.RAMP, 90e6, 80e6, 99e6, 0.95, 4000))
        story.tell(MeasureFailed(name, now, Direction.UP, Method.RAMP, MeasureTrouble.USERS_HURT, 0))
        story.tell(StandbyReading(name, now, 1500, 46, 46, 20e6, None, now, True, ()))
        story.tell(StandbyReading(name, now, 1400, 46, 0, None, None, now, False, ("mtu", "dscp", "stale")))
        story.tell(StandbyReading(name, now, None, None, None, None, None, None, None, ()))
    story.tell(StandbyReading("cellular", now, 1500, 46, 46, 20e6, None, now, True, ()))
    shared = ("10.0.0.1", "203.0.113.1", "203.0.113.2")
    story.tell(*(ExitReading(name, now, "203.0.113.7", shared) for name in ("fiber", "cellular")))
    story.tell(ExitReading("fiber", now, "192.0.2.7", ("10.0.0.1", "192.0.2.1", None)))
    story.tell(ExitReading("cellular", now, "203.0.113.8", shared))
    story.tell(ExitReading("fiber", now, "203.0.113.8", shared))
    story.tell(ExitReading("fiber", now, "192.0.2.7", ("10.0.0.1", "192.0.2.1", None)))
    story.tell(ExitReading("fiber", now, "2001:db8::7", ("fe80::1%wan0", "2001:db8::1", None)))
    story.tell(PathReading("fiber", now, "192.0.2.9", DiesAt.UNKNOWN, None, None, None, Trouble.BUSY, {}))
    found = path().model_dump(mode="json")
    story.tell(PathReading("fiber", now, "192.0.2.9", DiesAt.FAR_END, "192.0.2.1", "192.0.2.1", 1400, None, found))
    for name in ("fiber", "cellular"):
        story.room.link(name)


def path() -> Document:
    return Document(
        link="fiber",
        source="10.0.0.2",
        interface="wan0",
        udp_port=862,
        dies_at=DiesAt.FAR_END,
        why=Why.USUAL_PATH_ANSWERS,
        gateway=GatewayFound(address="10.0.0.1", answers=None),
        hops=(HopFound(ttl=1, address="10.0.0.1", others=("10.0.0.9",), kind=Kind.TIME_EXCEEDED, rtt_ms=0.4),),
        target=TargetFound(address="192.0.2.9", answers=(Kind.ECHO_REPLY,), rtt_ms=None, hops=None),
        dscp=DscpFound(sent=46, seen_to=3, changed_at="192.0.2.1", changed_ttl=2, became=0, bits_lost=46),
        mtu=MtuFound(kind=MtuKind.TOLD, bytes=1400, wanted=1500, exact=True, told_by="192.0.2.1", told_bytes=1400),
        packets=90,
        bytes=12_000,
        took_s=3.204,
        complete=True,
        scapy="2.6.1",
    )


def house(story: Story) -> None:
    now = story.room.now
    about = ("0.1.0.dev3+g1234", "0123456789abcdef", "set_aside")
    story.tell(*(DaemonPhase(now, phase, *about, protocol) for phase in Phase for protocol in ("", DEFAULT.label)))
    story.tell(replace(SEAL, at_s=now))
    story.tell(SourceFailed(now, "upsd:[2001:db8::5]:3493", "ConnectionRefusedError", 10))
    story.tell(AccessRefused(now, "DOMAIN\\guest", "none", "act"))
    story.tell(ClockStepped(now, 1.8e9, "synced"), ClockReading(now, "unset", "chrony", 0.1, 0.2, "insert", False))
    story.tell(
        UplinkReading(now, False, now, "silent", "fiber", True), UplinkReading(now, True, now, None, "cellular", True)
    )
    story.tell(UplinkReading(now, False, now, "silent"))
    story.tell(RecordReading(now, False, "full", 4, 14, 95.0, second_copy=False, low_space=True))
    for which in PLAN.certificates:
        story.tell(CertificateReading(now, which, -1.0, "expired"))
    story.wait(70)
    story.tell(ClockReading(now, "synced"), UplinkReading(now, True, now, None, "fiber", False))
    story.tell(UplinkReading(now, True, now, None, "cellular", False), RecordReading(now, True, None, 4, 14))
    story.tell(*(CertificateReading(now, which, 400.0) for which in PLAN.certificates))
    story.wait(70)


def people(story: Story) -> None:
    room, now = story.room, story.room.now
    for act in Act:
        room.act(act, "s-1" if act is Act.SESSION_OPENED else None)
    for reason in Reason:
        room.act(Act.HALTED, reason=reason)
    room.act(Act.ACKNOWLEDGED).act(Act.SESSION_OPENED, "s-2").act(Act.SESSION_CLOSED, room="nowhere")
    room.act(Act.REACTION_MARKED, subject="m-17").act(Act.SESSION_CLOSED).act(Act.SESSION_CLOSED)
    for name in ("fiber", "nowhere"):
        story.tell(*(Asked(now, errand, name, "noc:noc-1", "operate") for errand in Errand))
    story.tell(Commanded(now, "c-1", "diagnose", "noc-1", "operate", None, repeated=True))
    story.tell(Commanded(now, "c-2", "unlock_everything", "noc-1", "operate", "not_allowed"))
    story.tell(Commanded(now, None, None, None, None, "more_refused"))


def sessions(story: Story) -> None:
    """Answered at once, late, never; contrast given and watched; the seconds in between."""
    room = story.room
    for name, waits_s in (("s-3", 1), ("s-4", 5), ("s-5", 7)):
        room.act(Act.SESSION_REQUESTED, name).wait(waits_s)
        room.act(Act.SESSION_JOINED).act(Act.SESSION_JOINED)
        story.wait(3)
        room.act(Act.CONTRAST_STARTED).act(Act.CONTRAST_STARTED).wait(3)
        room.act(Act.MONITORING_ENDED).act(Act.CONTRAST_ENDED).wait(3)
        room.act(Act.MONITORING_ENDED).act(Act.ESCALATED).wait(1).act(Act.SESSION_CLOSED)
    room.act(Act.SESSION_REQUESTED, "s-6").act(Act.CONTRAST_STARTED).wait(1).act(Act.SESSION_CLOSED).wait(1)
    room.act(Act.SESSION_OPENED, "s-7").link("fiber").link("cellular").media(video=False).wait(3)
    room.link("fiber", Verdict.DOWN).wait(3).media().wait(70).link("fiber").act(Act.SESSION_CLOSED).wait(1)


def ways_out(story: Story) -> None:
    """The phone loses its registration and shares its fate, the mobile workstation is on the backup's carrier."""
    room = story.room
    room.phone(False, registered=False).mobile(True, mcc_mnc=CELLULAR)
    room.plan = replace(PLAN, phones={"": PhonePlan(rides_on=("fiber",), fed_by=("network",))})
    story.wait(5)
    room.plan = PLAN
    room.phone(True, registered=True).mobile(False)
    story.wait(5)
    room.mobile(True, mcc_mnc="310-260", asn=64512)
    story.wait(5)


def drills(story: Story) -> None:
    """One that ends as it should, one that power ends, one that is refused; and a line that does not come back."""
    room = story.room
    room.act(Act.SESSION_CLOSED, "s-1").router("0").wait(10)
    room.act(Act.DRILL_STARTED).act(Act.DRILL_STARTED)
    story.wait(1)
    room.act(Act.DRILL_ABORTED).wait(1)
    room.act(Act.DRILL_STARTED).link("fiber", Verdict.DOWN).router("1")
    story.wait(5)
    room.ups("network", Power.BATTERY)
    story.wait(5)
    room.link("fiber").router("0").ups("network", Power.MAINS)
    story.wait(10)


def alarms(story: Story) -> None:
    """Acknowledged, put aside for a time and brought back; one comes and goes."""
    room = story.room
    room.link("fiber", Verdict.DOWN).link("cellular", Verdict.DEGRADED).wait(2)
    for subject in ("link.down fiber", "link.degraded cellular"):
        room.act(Act.ACKNOWLEDGED, subject=subject).act(Act.SHELVED, subject=subject, for_s=60.0)
    story.wait(5)
    room.act(Act.UNSHELVED, subject="link.down fiber")
    story.wait(60)
    for _ in range(6):
        room.link("fiber").wait(2).link("fiber", Verdict.DOWN)
        story.wait(2)
    room.link("fiber").link("cellular").wait(5)


def media(story: Story) -> None:
    """The platform speaks, the observer goes blind, and then sees media in clear text."""
    room, now = story.room, story.room.now
    story.tell(PlatformSaid(now, None, True, True, False, None))
    blind = MediaReading(now, observing=False, streams=(), far_end=FarEnd.SILENT)
    room._say("media:", blind)
    story.wait(20)
    room.streams(dict.fromkeys(STREAMS, True), protection=Protection.CLEAR)
    story.wait(5)


def devices(story: Story) -> None:
    room, now = story.room, story.room.now
    wans = (WanReading("0", "WAN 1", WanState.CONNECTED, True, -70, 1, 2, 3.0, 4.0),)
    known = RouterReading("router", now, True, now, RouterCause.NONE, "1", wans, "Balance 20X", "8.5.1 build 5432", 9.0)
    story.tell(ActiveWanChanged("router", now, "0", "1"), known)
    room.router("0").router(None)
    for power in Power:
        for name in ("network", "workstation"):
            flags = ("OB", "LB", "DISCHRG")
            story.tell(UpsReading(name, now, Contact.STALE, power, now, flags, 20.0, 60.5, 120.0, 11.9, "some model"))
    classes = (ClassReading("p1", 1, 2, 3, 4, None),)
    state, cause = ShaperState.FAILED, ShaperCause.REFUSED
    story.tell(ShaperReading("wan0", "up", now, state, cause, "fq_codel", 95_000_000, classes))


def told() -> Story:
    """Everything that can go wrong does, one after the other, and heals."""
    story = Story(calm_room(PLAN), [], set())
    room = story.room
    room.mobile(True, mcc_mnc="310-260")
    house(story)
    lines(story)
    story.wait(10)
    drills(story)
    people(story)
    sessions(story)
    alarms(story)
    ways_out(story)
    room.act(Act.SESSION_OPENED, "s-7")
    media(story)
    devices(story)
    story.hush(8)
    room.act(Act.CONTRAST_STARTED).phone(False).link("fiber", Verdict.DOWN)
    story.wait(10)
    room.link("cellular", Verdict.DOWN).media(audio=False, video=False)
    room.ups("network", Power.OFF)
    story.wait(30)
    story.hush(60)
    story.sleep(90_000)
    room.link("fiber").link("cellular", rtt_s=0.3).router("0").media().phone(True).shaper("wan0")
    room.ups("network", Power.MAINS).ups("workstation", Power.MAINS)
    story.wait(10)
    room.act(Act.ACKNOWLEDGED).act(Act.CONTINUITY_CONFIRMED).act(Act.PHONE_CONFIRMED)
    room.wait(10).act(Act.SESSION_CLOSED)
    story.sleep(700)
    story.wait(15)
    story.said += [(event.name, dict(event.data)) for event in room.events]
    story.heard |= {type(observation) for _, observation in room.heard}
    return story


@pytest.fixture(scope="module")
def story() -> Story:
    return told()


def test_every_kind_of_observation_is_told(story: Story) -> None:
    assert story.heard == set(get_args(Observation))


def test_every_event_and_every_snapshot_is_said(story: Story) -> None:
    judged = {kind for kind, message in KINDS.items() if message.told is Told.EVENT or kind.startswith("snap.")}
    assert {kind for kind, _ in story.said} == judged
    assert {f"{name}.raised" for name in conditions.BY_NAME} <= judged


def test_the_names_of_the_configuration_that_explains_every_key_fit() -> None:
    story = Story(Room(load(CONFIG).config.plan()), [], set())
    story.wait(1)
    assert {name for kind, data in story.said for name in fit(kind, data)[1]} == set()
    assert "snap.ups" in {kind for kind, _ in story.said}


def test_all_of_it_fits(story: Story) -> None:
    misfits = {(kind, name) for kind, data in story.said for name in fit(kind, data)[1]}
    assert misfits == set()
