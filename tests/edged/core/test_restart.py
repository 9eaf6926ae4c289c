"""Hypothesis drives the room and restarts the daemon anywhere.

No restart lowers a tier, T4 never unlatches by itself, and nothing unknown counts as live.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edged.core.checkpoint import Moment, dump, load
from edged.core.observations import Act
from edged.core.situation import situation
from probes.reading import Verdict
from tests.edged.core.room import Room, calm_room

MAYBE = st.sampled_from([True, False, None])


class AnyNight(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.room: Room = calm_room()
        self.was = 0
        self.let_go = False

    @rule(link=st.sampled_from(["fiber", "cellular"]), verdict=st.sampled_from(list(Verdict)))
    def a_link_changes(self, link: str, verdict: Verdict) -> None:
        self.room.link(link, verdict)

    @rule(audio=MAYBE, video=MAYBE)
    def media_change(self, audio: bool | None, video: bool | None) -> None:
        self.room.media(audio=audio, video=video)

    @rule(reachable=MAYBE)
    def the_phone_changes(self, reachable: bool | None) -> None:
        self.room.phone(reachable)

    @rule(active=st.sampled_from(["0", "1", None]))
    def the_router_says(self, active: str | None) -> None:
        self.room.router(active)

    @rule(seconds=st.sampled_from([1.0, 7.0, 40.0, 130.0]))
    def time_passes(self, seconds: float) -> None:
        self.room.wait(seconds)

    @rule(act=st.sampled_from([a for a in Act if "session" not in a.value]))
    def somebody_acts(self, act: Act) -> None:
        self.let_go = act in (Act.ACKNOWLEDGED, Act.ONSITE_PRESENT) or self.let_go
        self.room.act(act)

    @rule(away_s=st.sampled_from([0.5, 20.0, 200.0]))
    def the_daemon_is_killed(self, away_s: float) -> None:
        room = self.room
        blob = dump(room.state, Moment("b", room.now, room.now))
        said, tier = room._says, room.state.tier
        self.room = Room(room.plan, now=room.now + away_s)
        self.room._says = said
        self.room.state = load(blob, Moment("b", self.room.now, self.room.now))
        assert self.room.state.tier >= tier

    @invariant()
    def tier_4_never_unlatches_by_itself(self) -> None:
        if self.was == 4 and self.room.state.tier < 4:
            assert self.let_go
        if self.room.state.tier == 4 and self.was < 4:
            self.let_go = False
        self.was = self.room.state.tier

    @invariant()
    def what_is_not_known_to_live_is_not_compliant(self) -> None:
        s = situation(self.room.plan, self.room.state, self.room.now)
        assert s.av_compliant == (s.audio is True and s.video is True)


TestAnyNight = AnyNight.TestCase
TestAnyNight.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
