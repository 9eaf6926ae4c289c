import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.services.errors import PeerError
from lab.services.world import CALM, Flow, Truth, UpsdTruth, Wan, Way, World, parse, read
from lab.world import RouterTruth, WanTruth
from lab.world import Truth as LabTruth
from lab.world import World as LabWorld


def test_a_missing_file_is_a_calm_day(tmp_path: Path) -> None:
    assert read(tmp_path) == CALM == World()


def test_missing_keys_are_as_on_a_calm_day() -> None:
    assert parse('{"mains": false}') == World(mains=False)


def test_every_key_is_read() -> None:
    text = json.dumps(
        {
            "mains": False, "phone": False, "upsd": "stale", "snmp": False, "clear": True,
            "audio_to_room": "off", "audio_from_room": "off", "video_to_room": "frozen", "video_from_room": "off",
            "router": {"active": "1", "wans": {"1": {"name": "LTE", "state": 3, "health": 0, "ifname": "wwan0"}}},
        }
    )  # fmt: skip
    world = parse(text)
    assert (world.mains, world.phone, world.snmp, world.clear) == (False, False, False, True)
    ways = [(medium, way) for medium in ("audio", "video") for way in Way]
    assert [world.flow(*way) for way in ways] == [Flow.OFF, Flow.OFF, Flow.FROZEN, Flow.OFF]
    assert world.upsd is UpsdTruth.STALE
    assert world.router.active == "1"
    assert world.router.wans == {"1": Wan("LTE", 3, 0, "wwan0")}


def test_what_the_lab_writes_is_what_services_read(tmp_path: Path) -> None:
    wans = {"0": WanTruth("Fiber", 6, 0, "wan0"), "1": WanTruth("Cellular", 3, 1, "wan1")}
    lab = LabTruth(tmp_path, LabWorld(router=RouterTruth("1", wans)))
    lab.change(mains=False, upsd="dead", video_from_room="frozen", clear=True)
    world = read(tmp_path)
    assert (world.mains, world.upsd, world.router.active) == (False, UpsdTruth.DEAD, "1")
    assert (world.flow("video", Way.FROM_ROOM), world.flow("video", Way.TO_ROOM)) == (Flow.FROZEN, Flow.ON)
    assert world.clear
    assert world.router.wans == {"0": Wan("Fiber", 6, 0, "wan0"), "1": Wan("Cellular", 3, 1, "wan1")}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no JSON"),
        ("[]", "not an object"),
        ('{"mains": 1}', "mains"),
        ('{"upsd": "tired"}', "upsd"),
        ('{"video_to_room": false}', "video_to_room"),
        ('{"clear": "on"}', "clear"),
        ('{"router": 7}', "router"),
        ('{"router": {"wans": []}}', "wans"),
        ('{"router": {"wans": {"fiber": {}}}}', "fiber"),
        ('{"router": {"wans": {"0": {"state": 9}}}}', "state"),
        ('{"router": {"wans": {"0": {"state": NaN}}}}', "state"),
        ('{"router": {"wans": {"0": {"health": true}}}}', "health"),
    ],
)
def test_garbage_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(PeerError, match=named):
        parse(text)


@settings(max_examples=50)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.dictionaries(
    st.sampled_from(["mains", "upsd", "router", "wans", "0", "state", "health", "name"]), inner)))  # fmt: skip
def test_no_json_raises_anything_but_the_rooms_error(raw: object) -> None:
    with contextlib.suppress(PeerError):
        parse(json.dumps(raw))


def test_a_change_is_seen_once_and_garbage_leaves_the_last_truth(tmp_path: Path) -> None:
    truth = Truth(tmp_path)
    assert not truth.refresh()
    (tmp_path / "world.json").write_text('{"phone": false}')
    assert truth.refresh()
    assert not truth.refresh()
    (tmp_path / "world.json").write_text('{"phone": fals')
    assert not truth.refresh()
    assert truth.world == World(phone=False)
    (tmp_path / "world.json").unlink()
    assert truth.refresh()
    assert truth.world == CALM


async def test_changes_begin_with_the_world_as_it_is(tmp_path: Path) -> None:
    changes = Truth(tmp_path).changes(poll_s=0.001)
    assert await anext(changes) == CALM
    (tmp_path / "world.json").write_text('{"video_to_room": "off"}')
    assert await anext(changes) == World(video_to_room=Flow.OFF)


async def test_a_change_another_reader_saw_first_is_not_missed(tmp_path: Path) -> None:
    truth = Truth(tmp_path)
    changes = truth.changes(poll_s=0.001)
    await anext(changes)
    (tmp_path / "world.json").write_text('{"video_to_room": "off"}')
    assert truth.refresh()
    assert await anext(changes) == World(video_to_room=Flow.OFF)
