"""Whatever happens on a day, and however often the box restarts in it: rules that hold in every step of it."""

from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import Phase as Part
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edged.core.events import Event
from edged.core.observations import Act, DaemonPhase, Phase, Reason, Tick
from probes.reading import Verdict
from tests.edged.core.day import LANES, Day, Four, in_two_rooms
from tests.edged.core.room import SITE

LOOKS_APART_S = 0.6
FOURS: list[Four] = [
    (True, True, True, True),
    (True, True, False, False),
    (False, False, True, True),
    (False, False, False, False),
    (True, False, True, True),
    (True, True, True, False),
    (True, True, None, None),
    (None, None, None, None),
    (None, None, False, None),
]
COURSE = (Act.SESSION_OPENED, Act.SESSION_CLOSED, Act.CONTRAST_STARTED, Act.CONTRAST_ENDED, Act.MONITORING_ENDED)
WORDS = (Act.ACKNOWLEDGED, Act.CONTINUITY_CONFIRMED, Act.PHONE_CONFIRMED, Act.PHONE_FAILED, Act.ONSITE_PRESENT)


class AnyDay(RuleBasedStateMachine):
    @initialize(rooms=st.sampled_from([1, 1, 2]))
    def morning(self, rooms: int) -> None:
        self.day = Day(SITE if rooms == 1 else in_two_rooms(SITE)).with_session()
        for name in self.day.plan.rooms:
            self.day.act(Act.SESSION_OPENED, name, f"s-{name}", Reason.PROCEDURE)

    def room(self, number: int) -> str:
        return self.day.plan.rooms[number % len(self.day.plan.rooms)]

    # ── what the instruments say ──
    @rule(
        name=st.sampled_from(["fiber", "cellular"]),
        verdict=st.sampled_from(list(Verdict)),
        rtt_s=st.sampled_from([0.02, 0.3]),
    )
    def link(self, name: str, verdict: Verdict, rtt_s: float) -> None:
        self.day.link(name, verdict, rtt_s)

    @rule(active=st.sampled_from(["0", "1", None]))
    def router(self, active: str | None) -> None:
        self.day.router(active)

    @rule(number=st.integers(0, 1), lives=st.sampled_from(FOURS))
    def observer(self, number: int, lives: Four) -> None:
        self.day.media[self.room(number)] = lives

    @rule(number=st.integers(0, 1), lives=st.sampled_from(FOURS))
    def platform(self, number: int, lives: Four) -> None:
        self.day.platform[self.room(number)] = lives

    @rule(number=st.integers(0, 1), of_platform=st.booleans())
    def silence(self, number: int, of_platform: bool) -> None:
        (self.day.platform if of_platform else self.day.media).pop(self.room(number), None)
        self.day.wait(6)

    @rule(reachable=st.sampled_from([True, False, None]))
    def phone(self, reachable: bool | None) -> None:
        self.day.phone(reachable)

    @rule()
    def all_is_well(self) -> None:
        self.day.platform.clear()
        self.day.with_session()

    @rule()
    def all_is_lost(self) -> None:
        for name in self.day.plan.rooms:
            self.day.media[name] = (False, False, False, False)
        self.day.platform.clear()
        self.day.link("fiber", Verdict.DOWN, 0.02)
        self.day.link("cellular", Verdict.DOWN, 0.02)

    # ── what takes several to come about ──
    @rule(number=st.integers(0, 1), video=st.booleans(), seconds=st.sampled_from([20.0, 125.0]))
    def sound_is_lost(self, number: int, video: bool, seconds: float) -> None:
        """And the lines and the phone are well."""
        self.all_is_well()
        self.day.media[self.room(number)] = (False, True, video, video)
        self.day.wait(seconds)

    @rule(given=st.booleans(), well_again=st.booleans())
    def tier_4(self, given: bool, well_again: bool) -> None:
        if given:
            self.day.act(Act.CONTRAST_STARTED, self.room(0), None, Reason.PROCEDURE)
        self.all_is_lost()
        self.day.phone(False)
        self.day.wait(4)
        if well_again:
            self.all_is_well()
            self.day.wait(2)

    @rule(active=st.sampled_from(["0", "1"]), seconds=st.sampled_from([28.0, 40.0]))
    def confirmed_failover(self, active: str, seconds: float) -> None:
        self.all_is_well()
        self.day.router(active)
        self.day.wait(1)
        for name in self.day.plan.rooms:
            self.day.act(Act.CONTINUITY_CONFIRMED, name, None, Reason.PROCEDURE)
        self.day.wait(seconds)

    # ── what people do ──
    @rule(number=st.integers(0, 1), act=st.sampled_from(WORDS))
    def word(self, number: int, act: Act) -> None:
        self.day.act(act, self.room(number), None, Reason.LINE_FAILED)

    @rule(number=st.integers(0, 1), act=st.sampled_from(COURSE))
    def course(self, number: int, act: Act) -> None:
        session = f"s-{self.room(number)}" if act is Act.SESSION_OPENED else None
        self.day.act(act, self.room(number), session, Reason.PROCEDURE)

    @rule(number=st.integers(0, 1), act=st.sampled_from(list(Act)), session=st.sampled_from([None, "s-1", "s-2"]))
    def any_act(self, number: int, act: Act, session: str | None) -> None:
        self.day.act(act, self.room(number), session, Reason.CLINICAL)

    # ── time ──
    @rule(seconds=st.sampled_from([0.5, 1.0, 2.5, 4.0, 4.0, 16.0, 31.0]))
    def wait(self, seconds: float) -> None:
        self.day.wait(seconds)

    @rule(seconds=st.sampled_from([62.0, 125.0]))
    def wait_long(self, seconds: float) -> None:
        self.day.wait(seconds)

    @rule(seconds=st.sampled_from([0.1, 0.3, 0.7, 5.0, 200.0]))
    def stall(self, seconds: float) -> None:
        self.day.pass_by(seconds)

    @rule(away_s=st.sampled_from([0.3, 4.0, 45.0]))
    def kill(self, away_s: float) -> None:
        self._survives(away_s=away_s)

    @rule(boot_age_s=st.sampled_from([15.0, 90.0]), wall_off_s=st.sampled_from([-5000.0, -20.0, 0.0, 600.0]))
    def reboot(self, boot_age_s: float, wall_off_s: float) -> None:
        self._survives(away_s=0.0, boot_age_s=boot_age_s, wall_off_s=wall_off_s)

    @precondition(lambda self: self.day.real_s > 1100)
    @rule()
    def stop_and_start(self) -> None:
        self.day.hear(DaemonPhase(self.day.now, Phase.STOPPING, "1", "c", "continued"))
        self._survives(away_s=2.0)

    def _survives(self, **how: float) -> None:
        """No tier is lower and no deadline later than before; not at once, nor when the first tick has been judged."""
        day = self.day
        tiers = {name: day.state.room(name).tier for name in day.plan.rooms}
        left_s = {
            (name, which): timer.due_s - day.now
            for name in day.plan.rooms
            for which, timer in day.state.room(name).timers.items()
        }
        day.restart(**how)
        for _ in range(3):
            for name in day.plan.rooms:
                assert day.state.room(name).tier >= tiers[name], "a restart lowered a tier"
            for (name, which), before_s in left_s.items():
                after = day.state.room(name).timers.get(which)
                assert after is not None, f"a restart forgot the {which} timer of {name}"
                assert after.due_s - day.now <= before_s + 1e-6, "a restart lengthened a deadline"
            day.hear(Tick(day.now))  # nobody has said anything yet

    # ── what always holds ──
    @invariant()
    def the_sites_tier_is_the_highest_of_its_rooms(self) -> None:
        if hasattr(self, "day"):
            assert self.day.state.tier == max(room.tier for room in self.day.state.rooms.values())

    def teardown(self) -> None:
        if not hasattr(self, "day"):
            return
        self.day.wait(11)
        _nothing_unobserved_was_told_as_live(self.day)
        self.day.replayed()


def _nothing_unobserved_was_told_as_live(day: Day) -> None:
    for at_s, event in _told(day):
        word: dict[str, str] = {lane: str(event.data[lane]) for lane in LANES}
        ended_s = at_s - float(_number(event, "ended_s_ago"))
        for lane, stream in LANES.items():
            for back, letter in enumerate(reversed(word[lane])):
                if letter == "L":
                    _was_live(day, str(event.data["room"]), stream, ended_s - back)


def _was_live(day: Day, room: str, stream: Any, ended_s: float) -> None:
    """Looked at often enough in the second before `ended_s`, and in every look somebody called it live."""
    within = [(at_s, live[room][stream]) for at_s, live in day.looks if ended_s - 1 <= at_s < ended_s]
    assert all(live for _, live in within), f"{stream} in the second before {ended_s}"
    before = [at_s for at_s, _ in day.looks if at_s < ended_s - 1]
    after = [at_s for at_s, _ in day.looks if at_s >= ended_s]
    joined = _joined(day, room, ended_s)
    looks = [joined, *(at_s for at_s, _ in within)] if joined is not None else [*before[-1:], *(at for at, _ in within)]
    looks += after[:1]
    apart = [late - early for early, late in pairwise(looks)]
    assert apart, "nobody looked"
    assert max(apart) <= LOOKS_APART_S + 1e-6, f"nobody looked for {max(apart)} s before {ended_s}: {looks}"


def _joined(day: Day, room: str, ended_s: float) -> float | None:
    """When supervision began, if that was within the second."""
    joins = [day.acted.get((room, act)) for act in (Act.SESSION_OPENED, Act.SESSION_JOINED)]
    return max((at_s for at_s in joins if at_s is not None and ended_s - 1 <= at_s < ended_s), default=None)


def _number(event: Event, name: str) -> float:
    value = event.data[name]
    assert isinstance(value, int | float)
    return value


def _told(day: Day) -> list[tuple[float, Event]]:
    """Each telling of seconds, by real time."""
    return [(real_s, event) for real_s, event in day.timed if event.name == "av.seconds"]


TestAnyDay = AnyDay.TestCase
TestAnyDay.settings = settings(
    max_examples=28,
    stateful_step_count=20,
    derandomize=True,
    deadline=None,
    report_multiple_bugs=False,
    phases=(Part.explicit, Part.generate),  # a day shrinks for minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
