"""Whatever a box hears, in whatever order, wherever segments and lives end: it replays to identical decisions."""

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from edged.blackbox.readback import files
from edged.blackbox.recorder import SEGMENT_S, BlackBox
from edged.blackbox.replay import FAULTS, replay, same_state
from edged.core.judge import judge
from edged.core.observations import Act, Observation, PersonActed, Reason, Tick
from probes.reading import Verdict
from tests.edged.blackbox.scene import black_box, first_state, whole
from tests.edged.blackbox.strategies import SENSIBLE, anything
from tests.edged.core.room import SITE, Room


class AnyDay(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.state, self.now = first_state(), 1000.0
        self.box = self.make()
        self.steps = 0
        self.silent = True
        self.down = False

    def make(self) -> BlackBox:
        return black_box(Path(self.directory.name))

    def hear(self, observation: Observation) -> None:
        told = replace(observation, at_s=self.now)
        self.steps += 1
        self.silent = False
        try:
            judged = judge(SITE, self.state, told, self.now)
        except FAULTS:  # an unlikely day brings the judge down: that too must be on the disk, and is its end
            self.box.step(self.state, told, self.now, None)
            self.down = True
            return
        self.box.step(self.state, told, self.now, judged.events)
        self.state = judged.state

    @precondition(lambda self: not self.down)
    @rule(observation=anything(Observation, SENSIBLE))
    def anybody_says_anything(self, observation: Observation) -> None:
        self.hear(observation)

    @precondition(lambda self: not self.down)
    @rule(act=st.sampled_from(Act), session=st.sampled_from([None, "s-1", "s-2"]))
    def somebody_acts(self, act: Act, session: str | None) -> None:
        self.hear(PersonActed(self.now, act, "tech", "operate", Reason.DRILL, session))

    @precondition(lambda self: not self.down)
    @rule(fiber=st.sampled_from(Verdict), media=st.sampled_from([True, False, None]), phone=st.booleans())
    def all_instruments_speak(self, fiber: Verdict, media: bool | None, phone: bool) -> None:
        room = Room(SITE, self.now).link("fiber", fiber).link("cellular").router("0")
        for _, observation in room.media(audio=media, video=media).phone(phone).heard:
            self.hear(observation)

    @precondition(lambda self: not self.down)
    @rule(quarters=st.integers(1, 60))
    def time_passes(self, quarters: int) -> None:
        for _ in range(quarters):
            self.now += 0.25
            self.hear(Tick(self.now))

    @precondition(lambda self: not self.down)
    @rule()
    def a_segment_ends(self) -> None:
        self.now += SEGMENT_S

    @precondition(lambda self: not self.down)
    @rule()
    def the_configuration_is_read_anew(self) -> None:
        self.box.close()
        self.box = self.make()

    @precondition(lambda self: self.down)
    @rule()
    def the_daemon_starts_again(self) -> None:
        self.box.close()
        self.box, self.state = self.make(), first_state()
        self.down, self.silent = False, True

    def teardown(self) -> None:
        self.box.close()
        with self.directory:
            self.replay_all()

    def replay_all(self) -> None:
        steps, life, end = 0, "", first_state()
        for recording, recorded in map(whole, files(Path(self.directory.name)) if self.steps else []):
            assert recording.whole
            assert recording.header.life != life or same_state(recording.header.state, end)
            done = replay(recording.header.plan, recording.header.state, recorded)
            assert done.differences == ()
            steps, life, end = steps + done.observations, recording.header.life, done.state
        assert steps == self.steps
        assert self.silent or same_state(end, self.state)


AnyDay.TestCase.settings = settings(max_examples=15, stateful_step_count=12)
TestAnyDay = AnyDay.TestCase
