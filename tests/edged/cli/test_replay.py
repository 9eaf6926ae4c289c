"""`edged replay`: what it prints, and what its exit status tells."""

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edged.blackbox.readback import files, read
from edged.cli.daemon import app
from edged.core.observations import Tick
from tests.edged.blackbox.scene import WALL_S, a_bad_day, black_box, first_state, recorded, tell

CONFIG = """
[site]
tenant = "acme"
name = "main-street"

[links.fiber]
role = "primary"
wan = "0"
source = "192.0.2.1"
targets = [{ kind = "icmp", address = "198.51.100.1" }]

[links.cellular]
role = "backup"
wan = "1"
source = "192.0.2.2"
targets = [{ kind = "icmp", address = "198.51.100.2" }]

[tiers]
t3 = { raise_s = 9, clear_s = 30 }
"""


def replay(*words: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["replay", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


def test_identical_decisions_are_said_with_the_story_before(tmp_path: Path) -> None:
    heard = a_bad_day()
    status, said, _ = replay(recorded(tmp_path))
    *story, last = said.splitlines()
    assert status == 0
    assert last.startswith(f"{len(heard)} observations, ")
    assert last.endswith(" decisions, identical")
    assert any("tier.entered" in line and "tier 3" in line for line in story)
    assert not any("link.down.raised" in line for line in story)


def test_everything_decided_is_shown_when_asked_for(tmp_path: Path) -> None:
    _, said, _ = replay(recorded(tmp_path), "--show")
    assert "link.down.raised" in said


def test_a_directory_is_replayed_in_order_and_its_seams_are_checked(tmp_path: Path) -> None:
    heard = a_bad_day()
    box = black_box(tmp_path)
    half = len(heard) // 2
    state = tell(box, heard[:half], state=first_state())
    box._end(heard[half - 1][0])
    tell(box, heard[half:], state=state)
    box.close()
    assert replay(tmp_path)[0] == 0

    shorter = tmp_path / "other"
    box = black_box(shorter)
    tell(box, heard[:half], state=first_state())
    box._end(heard[half - 1][0])
    tell(box, heard[half:], state=first_state())  # as if somebody but the judge had changed the state in between
    box.close()
    status, said, _ = replay(shorter)
    assert status == 1
    assert "after the segment before: recorded state.links, " in said


def test_the_first_difference_is_told_by_line_time_and_name(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    text = zlib.decompress(path.read_bytes())
    path.write_bytes(zlib.compress(text.replace(b'["tier.entered","', b'["tier.entered","0', 1)))
    status, said, _ = replay(path)
    number = next(n for n, line in enumerate(text.splitlines(), 1) if b"tier.entered" in line)
    assert status == 1
    assert f"{path}:{number}: 2026-" in said
    assert "recorded tier.entered; decided now tier.entered, with other contents" in said
    assert said.splitlines()[-1].endswith(" 1 different")


def config(directory: Path) -> Path:
    path = directory / "edged.toml"
    path.write_text(CONFIG)
    return path


def test_another_configuration_says_what_would_have_been_decided(tmp_path: Path) -> None:
    ring = tmp_path / "ring"
    recorded(ring)
    status, said, _ = replay(ring, "--config", config(tmp_path), "--json")
    doc: dict[str, Any] = json.loads(said)
    assert status == 1
    assert not doc["identical"]
    different = [name for each in doc["segments"][0]["differences"] for name in each["recorded"]]
    assert "tier.entered" in different


def test_a_bad_configuration_is_named(tmp_path: Path) -> None:
    (tmp_path / "edged.toml").write_text("[site]\n")
    status, _, error = replay(recorded(tmp_path / "ring", 5), "--config", tmp_path / "edged.toml")
    assert status == 2
    assert "edged.toml: site.tenant: missing" in error


def test_for_programs_it_is_one_document(tmp_path: Path) -> None:
    heard = a_bad_day()
    status, said, _ = replay(recorded(tmp_path), "--json")
    doc: dict[str, Any] = json.loads(said)
    assert (status, doc["identical"], doc["observations"], doc["different"]) == (0, True, len(heard), 0)
    (segment,) = doc["segments"]
    assert segment["whole"]
    assert {event["name"] for event in segment["story"]} >= {"tier.entered"}


@pytest.mark.parametrize("what", ["nothing", "empty", "noise"])
def test_what_cannot_be_read_ends_with_2_and_is_named(tmp_path: Path, what: str) -> None:
    path = tmp_path / "00000001.blackbox"
    if what != "nothing":
        path.write_bytes(b"" if what == "empty" else b"noise")
    status, _, error = replay(path)
    assert status == 2
    assert str(path) in error


def test_one_bad_segment_does_not_hide_the_others(tmp_path: Path) -> None:
    recorded(tmp_path)
    (tmp_path / "00000000.blackbox").write_bytes(b"noise")
    status, said, error = replay(tmp_path)
    assert status == 2
    assert "identical" in said
    assert "00000000.blackbox" in error


def test_a_recording_cut_off_says_so_and_is_compared_as_far_as_it_goes(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    path.write_bytes(path.read_bytes()[:-500])
    status, said, _ = replay(path)
    assert status == 0
    assert "cut off" in said
    assert "identical" in said


def test_a_recording_of_another_version_says_so_and_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path)
    monkeypatch.setattr("edged.cli.replay.__version__", "9.9.9")
    status, said, _ = replay(files(tmp_path)[0])
    assert status == 0
    assert "recorded by software 0.1.0, judged again by 9.9.9" in said


def two_segments(directory: Path) -> None:
    heard = a_bad_day()
    box = black_box(directory)
    half = len(heard) // 2
    state = tell(box, heard[:half], state=first_state())
    box._end(heard[half - 1][0])
    tell(box, heard[half:], state=state)
    box.close()


def test_a_damaged_recording_ends_with_2_whatever_could_be_read_of_it(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    packed = bytearray(path.read_bytes())
    packed[len(packed) * 3 // 4] ^= 1
    path.write_bytes(packed)
    status, said, error = replay(path)
    assert status == 2
    assert f"{path}: damaged near byte" in error
    assert said.splitlines()[-1].endswith("identical as far as it can be read")
    assert json.loads(replay(path, "--json")[1])["identical"] is False


def test_a_segment_taken_out_of_the_midst_ends_with_2_and_is_told(tmp_path: Path) -> None:
    two_segments(tmp_path)
    (tmp_path / "00000002.blackbox").rename(tmp_path / "00000003.blackbox")
    status, said, error = replay(tmp_path)
    assert status == 2
    assert "00000003.blackbox: what was recorded between 00000001.blackbox and this is missing" in error
    assert "identical" in said


def test_a_segment_alone_needs_nothing_before_it(tmp_path: Path) -> None:
    two_segments(tmp_path)
    (tmp_path / "00000001.blackbox").unlink()
    assert replay(tmp_path)[0] == 0


def test_a_segment_cut_off_before_it_held_anything_is_told_beside_the_others(tmp_path: Path) -> None:
    recorded(tmp_path)
    (tmp_path / "00000002.blackbox").write_bytes(b"")
    status, said, _ = replay(tmp_path)
    assert status == 0
    assert "00000002.blackbox: cut off before anything was in it" in said


def test_what_happened_between_two_segments_is_told(tmp_path: Path) -> None:
    recorded(tmp_path, 40)
    box_again: list[dict[str, Any]] = [
        {"config_hash": "beef"},
        {"boot_id": "another"},
        {"wall": lambda: WALL_S + 3600},
        {},
    ]
    for own in box_again:
        box = black_box(tmp_path, **own)
        box.step(first_state(), Tick(1000.0), 1000.0, ())
        box.close()
    _, said, _ = replay(tmp_path)
    notes = [line.strip() for line in said.splitlines() if line.startswith("  ") and not line.startswith("  20")]
    assert notes == [
        "another configuration was taken up",
        "the box was started anew",
        "the box was started anew",
        "the daemon was started anew, or reloaded",
        "the clock was set by -3600 s since the segment before began, so that one's times may be wrong by that",
    ]


def test_a_segment_is_told_before_the_next_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day takes minutes."""

    def read_first(path: Path) -> Any:
        if path.name == "00000002.blackbox":
            raise KeyboardInterrupt
        return read(path)

    two_segments(tmp_path)
    monkeypatch.setattr("edged.cli.replay.read", read_first)
    _, said, _ = replay(tmp_path)
    assert "tier.entered" in said
