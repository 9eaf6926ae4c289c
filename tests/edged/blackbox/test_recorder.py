"""What the black box keeps, how much of it, and what it does when the disk will not have it."""

import errno
import json
import os
import secrets
import subprocess
import sys
import zlib
from itertools import count
from pathlib import Path

import pytest
from pydantic import ValidationError

from edged.blackbox import recorder, writer
from edged.blackbox.errors import BlackBoxMisused
from edged.blackbox.readback import files, read
from edged.blackbox.replay import replay
from edged.blackbox.segment import Lost, segments
from edged.blackbox.settings import BlackBoxSettings
from edged.core.events import Channel, Event
from edged.core.observations import AccessRefused, Tick
from tests.edged.blackbox.scene import WALL_S, a_bad_day, black_box, first_state, recorded, whole


def test_every_step_is_on_the_disk_in_order_and_with_its_times(tmp_path: Path) -> None:
    heard = a_bad_day()
    recording, steps = whole(recorded(tmp_path))
    assert [(step.now_s, step.observation) for step in steps] == heard
    assert recording.whole
    assert recording.wall_s(heard[0][0] + 1.5) == WALL_S + 1.5
    assert recording.header.state == first_state()
    assert recording.header.lost is None


def test_a_recording_begins_with_words_for_whoever_finds_it(tmp_path: Path) -> None:
    first = zlib.decompress(recorded(tmp_path).read_bytes()).split(b"\n")[0]
    assert json.loads(first) == {"black_box": 2, "software": "0.1.0"}


def test_a_tier_event_is_on_the_disk_at_once_and_a_failed_step_too(tmp_path: Path) -> None:
    box = black_box(tmp_path)
    state = first_state()
    box.step(state, Tick(1.0), 1.0, ())
    box.step(state, Tick(1.1), 1.1, (Event(Channel.LOG, "heard", 0, 1.1, {}),))
    box.step(state, Tick(1.2), 1.2, (Event(Channel.TIER, "tier.entered", 3, 1.2, {"row": "t3.av"}),))
    box.step(state, Tick(1.3), 1.3, None)
    box.step(state, Tick(1.4), 1.4, ())  # waits for company
    box._writer.close()  # what was handed over is written; the box itself is not closed, as after a kill
    recording, steps = whole(files(tmp_path)[0])
    assert not recording.whole
    assert [step.now_s for step in steps] == [1.0, 1.1, 1.2, 1.3]
    assert [step.decided if step.decided is None else len(step.decided) for step in steps] == [0, 1, 1, None]


def test_what_waits_is_written_two_seconds_later(tmp_path: Path) -> None:
    box = black_box(tmp_path)
    for tenth in range(45):
        box.step(first_state(), Tick(tenth / 10), tenth / 10, ())
    box._writer.close()
    _, steps = whole(files(tmp_path)[0])
    assert len(steps) == 41


def test_a_segment_ends_after_a_quarter_of_an_hour_and_the_next_goes_on(tmp_path: Path) -> None:
    box = black_box(tmp_path)
    state = first_state()
    for second in range(0, 2000, 10):
        box.step(state, Tick(float(second)), float(second), ())
    box.close()
    read_back = [whole(path) for path in files(tmp_path)]
    assert [recording.header.part for recording, _ in read_back] == [0, 1, 2]
    assert [len(steps) for _, steps in read_back] == [90, 90, 20]
    assert len({recording.header.life for recording, _ in read_back}) == 1
    assert all(recording.whole for recording, _ in read_back)


def test_the_ring_stays_within_its_bound_and_drops_the_oldest(tmp_path: Path) -> None:
    tell_until_turned(tmp_path, parts=12)
    held = list(segments(tmp_path))
    assert held[0][0] > 1, "the oldest must be gone"
    assert [number for number, _ in held] == list(range(held[0][0], held[-1][0] + 1))
    assert sum(path.stat().st_size for _, path in held) <= 1 << 20


def test_numbers_go_on_in_the_next_life(tmp_path: Path) -> None:
    recorded(tmp_path)
    box = black_box(tmp_path)
    box.step(first_state(), Tick(1.0), 1.0, ())
    box.close()
    assert [number for number, _ in segments(tmp_path)] == [1, 2]
    one, other = (whole(path)[0].header.life for path in files(tmp_path))
    assert one != other


def test_foreign_files_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.blackbox").write_text("mine")
    (tmp_path / "00000007.txt").write_text("mine")
    recorded(tmp_path)
    assert [number for number, _ in segments(tmp_path)] == [1]
    assert (tmp_path / "notes.blackbox").read_text() == "mine"


def test_an_observation_without_a_spelling_ends_the_segment_and_the_next_one_says_so(tmp_path: Path) -> None:
    box = black_box(tmp_path)
    state = first_state()
    box.step(state, Tick(1.0), 1.0, ())
    box.step(state, Tick(object()), 1.1, ())  # type: ignore[arg-type]
    box.step(state, Tick(1.2), 1.2, ())
    again_s = 1.1 + recorder.RETRY_S
    box.step(state, Tick(again_s), again_s, ())
    box.close()
    (recording, _), (after, steps) = (whole(path) for path in files(tmp_path))
    assert not recording.whole
    assert after.header.lost == Lost("unspelled", "Tick", 3)
    assert [step.now_s for step in steps] == [again_s]


def test_a_writer_that_does_not_keep_up_costs_steps_never_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = black_box(tmp_path)
    state = first_state()
    box.step(state, Tick(0.0), 0.0, ())
    with monkeypatch.context() as patched:
        patched.setattr(writer, "WAITING_BYTES", 0)  # as if the disk stood still and the queue were full
        for second in range(1, 10):
            box.step(state, Tick(float(second)), float(second), ())
    late_s = 10 + recorder.RETRY_S
    box.step(state, Tick(late_s), late_s, ())
    box.close()
    (_, first), (after, then) = (whole(path) for path in files(tmp_path))
    assert (len(first), len(then)) == (0, 1)
    assert after.header.lost == Lost("slow", "", 10)


def test_a_directory_that_cannot_be_made_is_said_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a directory should be")
    box = black_box(tmp_path / "state" / "blackbox")
    state = first_state()
    told = tell_until_lost(box)
    while box._lost_steps + box._writer.dropped_steps <= told:  # the writer's thread may not have come to all of it
        os.sched_yield()
    (tmp_path / "state").unlink()
    late_s = told + 2 * recorder.RETRY_S
    box.step(state, Tick(late_s), late_s, ())
    box.close()
    ((recording, steps),) = (whole(path) for path in files(tmp_path / "state" / "blackbox"))
    lost = recording.header.lost
    assert lost is not None
    assert (lost.why, lost.error, len(steps)) == ("disk", "ENOTDIR", 1)
    assert lost.steps == int(told) + 1


def test_a_recording_killed_in_mid_write_is_read_to_its_last_whole_line(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.edged.blackbox.endless_recorder", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child:
        said = [int(child.stdout.readline()) for _ in range(3)]  # each says that another segment is on the disk
        child.kill()
    assert said == sorted(said)
    read_back = [found for path in files(tmp_path) if (found := read(path)) is not None]
    assert len(read_back) >= 2
    assert all(recording.whole for recording, _ in read_back[:-1])
    for recording, steps in read_back:
        replayed = replay(recording.header.plan, recording.header.state, steps)
        assert replayed.differences == ()
        assert replayed.observations > 0 or not recording.whole


def test_a_disk_that_stays_full_is_not_littered_with_segments_that_hold_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer.SegmentWriter, "_put", refuse)
    box = black_box(tmp_path)
    for second in count():
        box.step(first_state(), Tick(float(second)), float(second), ())
        if box._part == 3:
            break
    box.close()
    assert list(segments(tmp_path)) == []


@pytest.mark.parametrize(
    ("how", "error"), [("limit", "EFBIG"), ("full", "ENOSPC")], ids=["a file may not grow", "the disk is full"]
)
def test_a_full_disk_costs_the_rest_of_a_segment_and_the_next_one_says_so(tmp_path: Path, how: str, error: str) -> None:
    command = [sys.executable, "-m", "tests.edged.blackbox.full_disk", how, str(tmp_path)]
    done = subprocess.run(["unshare", "--mount", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["lost"] == ["disk", error]
    assert said["first_steps"] > 0
    assert said["told_before"] - said["first_steps"] <= said["lost_steps"] <= said["told_before"]
    assert said["last_steps"] == said["told_after"]


@pytest.mark.parametrize("cut", [1, 100, 1000, 3000])
def test_whatever_is_cut_off_what_stands_before_is_read(tmp_path: Path, cut: int) -> None:
    path = recorded(tmp_path)
    everything = whole(path)[1]
    path.write_bytes(path.read_bytes()[:-cut])
    recording, steps = whole(path)
    assert not recording.whole
    assert recording.damage is None
    assert steps == everything[: len(steps)]


def test_a_damaged_recording_is_read_up_to_the_damage(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    everything = whole(path)[1]
    packed = path.read_bytes()
    most = len(packed) * 3 // 4
    path.write_bytes(packed[:most] + b"\xff" * 4096)
    recording, steps = whole(path)
    assert recording.damage is not None
    assert "damaged" in recording.damage
    assert steps == everything[: len(steps)]
    assert steps


@pytest.mark.parametrize("keep", [-1, 4097, "much"])
def test_settings_out_of_bounds_are_refused(keep: object) -> None:
    with pytest.raises(ValidationError, match="keep_mib"):
        BlackBoxSettings.model_validate({"keep_mib": keep})


def test_the_box_has_a_switch() -> None:
    assert BlackBoxSettings().keep_mib == 64
    assert BlackBoxSettings(keep_mib=0).keep_mib == 0
    assert BlackBoxMisused.__mro__[1].__name__ == "BlackBoxError"


def tell_until_turned(directory: Path, *, parts: int) -> None:
    """What does not compress, until so many segments were begun."""
    box = black_box(directory, keep_mib=1)
    for number in count():
        noise = AccessRefused(float(number), secrets.token_hex(10_000), "view", "stop")
        box.step(first_state(), noise, number * 1e-3, ())
        while box._writer._waiting_bytes:
            os.sched_yield()
        if box._part == parts:
            break
    box.close()


def tell_until_lost(box: recorder.BlackBox) -> float:
    """One tick a second until the box has noticed that the disk refuses; returns the last one's time."""
    for second in range(1_000_000):
        box.step(first_state(), Tick(float(second)), float(second), ())
        if box._began_s is None:
            return float(second)
    raise AssertionError("the box never noticed")
