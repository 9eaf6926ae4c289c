"""The judge says again what it said: recorded observations give identical decisions, any other is found and named."""

import zlib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from edged.blackbox.errors import BlackBoxBroken
from edged.blackbox.readback import Step, files, read
from edged.blackbox.replay import FAILED, other_parts, replay, same_state
from edged.blackbox.segment import decisions
from edged.core.events import Channel, Event
from edged.core.judge import Judged, judge
from edged.core.latch import Dwell, Latch
from edged.core.observations import Observation, Tick
from edged.core.plan import Plan
from edged.core.state import State
from tests.edged.blackbox.scene import a_bad_day, black_box, first_state, recorded, tell, whole
from tests.edged.core.room import SITE

LAXER = replace(SITE, dwells={**SITE.dwells, 3: Dwell(9.0, 30.0)})
"""Tier 3 after nine seconds instead of three."""


def test_t6_a_recorded_day_replays_to_identical_decisions(tmp_path: Path) -> None:
    heard = a_bad_day()
    recording, steps = whole(recorded(tmp_path))
    done = replay(recording.header.plan, recording.header.state, steps)
    assert done.differences == ()
    assert done.observations == len(heard)
    assert done.decisions == len(done.story) > 5
    tiers = [event.tier for event in done.story if event.channel is Channel.TIER]
    assert max(tiers) >= 3, "the story has a tier 3 in it"
    assert tiers[-1] < 3


def test_every_segment_replays_alone_and_ends_where_the_next_begins(tmp_path: Path) -> None:
    heard = a_bad_day()
    box = black_box(tmp_path)
    state = first_state()
    third = len(heard) // 3
    for part in (heard[:third], heard[third : 2 * third], heard[2 * third :]):
        state = tell(box, part, state=state)
        box._end(part[-1][0])
    box.close()
    ends = []
    for recording, steps in map(whole, files(tmp_path)):
        done = replay(recording.header.plan, recording.header.state, steps)
        assert done.differences == ()
        ends.append((recording.header.state, done.state))
    assert len(ends) == 3
    assert all(same_state(one[1], other[0]) for one, other in pairwise(ends))
    assert same_state(ends[-1][1], state)


def test_what_is_not_the_same_in_two_states_is_named() -> None:
    state = first_state()
    raised = replace(state, conditions={("link.down", "fiber"): Latch(1.0, 2.0)})
    assert other_parts(state, state) == other_parts(raised, raised) == ()
    assert other_parts(raised, replace(state, carrier="fiber")) == ("carrier", "conditions")


def test_a_changed_threshold_is_found_and_the_difference_named(tmp_path: Path) -> None:
    recording, steps = whole(recorded(tmp_path))
    done = replay(LAXER, recording.header.state, steps)
    first = done.differences[0]
    assert "tier.entered" in first.recorded
    assert first.decided == ()
    assert any("tier.entered" in each.decided for each in done.differences[1:]), "it comes later"
    assert first.line == next(step.line for step in steps if step.decided and "tier.entered" in dict(step.decided))


def test_a_decision_with_other_contents_is_a_difference(tmp_path: Path) -> None:
    def talkative(plan: Plan, state: State, observation: Observation, now: float) -> Judged:
        judged = judge(plan, state, observation, now)
        return replace(judged, events=tuple(replace(e, data={**e.data, "more": 1}) for e in judged.events))

    recording, steps = whole(recorded(tmp_path))
    done = replay(SITE, recording.header.state, steps, judge=talkative)
    assert all(each.recorded == each.decided != () for each in done.differences)
    assert sum(len(each.events) for each in done.differences) == done.decisions
    assert all(event.data["more"] == 1 for each in done.differences for event in each.events)


def test_decisions_in_another_order_are_a_difference() -> None:
    one, other = (Event(Channel.LOG, name, 0, 1.0, {}) for name in ("one", "other"))

    def turned(_: Plan, state: State, __: Observation, ___: float) -> Judged:
        return Judged(state, (other, one), ())

    step = Step(3, 1.0, Tick(1.0), tuple(decisions((one, other))))
    (difference,) = replay(SITE, first_state(), [step], judge=turned).differences
    assert (difference.line, difference.recorded, difference.decided) == (3, ("one", "other"), ("other", "one"))


def broken_judge(plan: Plan, state: State, observation: Observation, now: float) -> Judged:
    raise KeyError("a link nobody knows")


@pytest.mark.parametrize(("recorded_", "different"), [(None, 0), ((), 1)], ids=["then too", "only now"])
def test_a_judge_that_fails_is_compared_like_any_decision(recorded_: tuple[()] | None, different: int) -> None:
    done = replay(SITE, first_state(), [Step(1, 1.0, Tick(1.0), recorded_)], judge=broken_judge)
    assert len(done.differences) == different
    assert all(each.decided == (FAILED,) for each in done.differences)


def test_a_judge_that_failed_then_and_not_now_is_a_difference() -> None:
    (found,) = replay(SITE, first_state(), [Step(1, 1.0, Tick(1.0), None)]).differences
    assert found.recorded == (FAILED,)


def test_the_observation_that_brought_the_judge_down_is_on_the_disk(tmp_path: Path) -> None:
    box = black_box(tmp_path)
    box.step(first_state(), Tick(1.0), 1.0, None)
    box.close()
    recording, steps = whole(files(tmp_path)[0])
    assert [(step.observation, step.decided) for step in steps] == [(Tick(1.0), None)]
    assert replay(SITE, recording.header.state, steps, judge=broken_judge).differences == ()


# ── what cannot be read is named by file, line and field ───────────────────────────────────────────────
def rewritten(path: Path, old: bytes, new: bytes) -> Path:
    text = zlib.decompress(path.read_bytes())
    assert old in text
    path.write_bytes(zlib.compress(text.replace(old, new, 1)))
    return path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'{"black_box":2', b'{"black_box":3', r"1\.blackbox:1: format 3 by 0\.1\.0, this reads 2"),
        (b'{"black_box":2', b'{"other":2', r":1: this is no recording"),
        (
            b'{"class":"Tick","fields":["at_s"]}',
            b'{"class":"Tock","fields":["at_s"]}',
            r"blackbox:\d+: Tock: .*no such",
        ),
        (b'"fields":["link","at_s","verdict"', b'"fields":["link","at_s","mood"', r"blackbox:\d+: LinkReading\.mood"),
        (b'"up",1000.0,"none",true', b'"sideways",1000.0,"none",true', r"LinkReading\.verdict: .*Verdict 'sideways'"),
        (b'["Tick",1', b'["Tick",nil', r"blackbox:\d+: no JSON"),
        (b'{"end":', b'{"end":1', r"steps were recorded"),
        (b"[1000.0,", b"[", r"blackbox:\d+: this is no step"),
    ],
)
def test_what_this_software_cannot_read_is_named(tmp_path: Path, old: bytes, new: bytes, said: str) -> None:
    path = rewritten(recorded(tmp_path, 40), old, new)
    with pytest.raises(BlackBoxBroken, match=said):
        whole(path)


def test_a_file_cut_off_before_its_header_holds_nothing(tmp_path: Path) -> None:
    path = recorded(tmp_path, 3)
    path.write_bytes(path.read_bytes()[:20])
    assert read(path) is None
    path.write_bytes(b"")
    assert read(path) is None


@pytest.mark.parametrize("text", [b"no zlib at all", b"\x00" * 100])
def test_what_is_no_recording_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "00000001.blackbox").write_bytes(text)
    with pytest.raises(BlackBoxBroken, match="damaged near byte 0"):
        read(tmp_path / "00000001.blackbox")


def test_a_place_without_recordings_is_refused_by_name(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BlackBoxBroken, match=str(place)):
            read(files(place)[0])
