"""Rule 8: a restart at any moment never lowers a tier or lengthens a deadline."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.core.checkpoint import CheckpointUnreadable, Moment, dump, load
from edged.core.observations import Act
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room, calm_room

BOOT = "boot-1"


def at(room: Room, *, boot: str = BOOT, wall_s: float | None = None) -> Moment:
    return Moment(boot, room.now, 1_700_000_000 + room.now if wall_s is None else wall_s)


def in_tier_3() -> Room:
    room = (
        calm_room().link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).media(audio=False, video=False).wait(10)
    )
    assert room.state.tier == 3
    return room


def restarted(room: Room, *, away_s: float) -> Room:
    """The daemon dies and comes back `away_s` later on the same boot, knowing nothing but its checkpoint."""
    blob = dump(room.state, at(room))
    after = Room(room.plan, now=room.now + away_s)
    after.state = load(blob, at(after))
    return after


def test_after_a_kill_in_tier_3_the_tier_is_3_at_once_and_stays_until_something_is_known() -> None:
    after = restarted(in_tier_3(), away_s=5)
    assert after.state.tier == 3
    assert after.wait(60).state.tier == 3
    assert after.tiers == []


def test_the_two_minutes_go_on_while_the_daemon_is_away() -> None:
    after = restarted(in_tier_3(), away_s=50)
    after.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).media(audio=None, video=False)
    assert 58 <= after.seconds_to(4, within_s=62) <= 61


def test_media_unseen_since_the_restart_do_not_end_the_loss() -> None:
    room = calm_room().media(audio=False, video=False).wait(10)
    after = restarted(room, away_s=1)
    after.link("fiber").link("cellular").router("0").media(audio=None, video=None)
    assert after.seconds_to(4, within_s=120) <= 112


def test_a_latched_tier_4_survives_and_still_wants_its_acknowledgement() -> None:
    room = in_tier_3().phone(False).wait(2)
    after = restarted(room, away_s=3)
    after.link("fiber").link("cellular").router("0").media().phone(True).wait(60)
    assert after.state.tier == 4
    assert after.act(Act.ACKNOWLEDGED).state.tier < 4


def by_platform_alone() -> Room:
    room = calm_room(replace(SITE, has_media=False), session=False).silence("media:").platform()
    return room.act(Act.SESSION_OPENED, "s-2").wait(3)


def test_rule8_rule9_where_only_the_platform_sees_a_restart_restores_nothing_it_called_lost() -> None:
    room = by_platform_alone().phone(False).platform(False).wait(5).act(Act.ACKNOWLEDGED).wait(5)
    assert room.state.tier == 4
    after = room.restarted(away_s=5, talking=False).link("fiber").link("cellular").router("0").wait(40)
    assert after.state.tier == 4, "lines that work are no word on sound and picture"
    assert after.platform().wait(1).state.tier == 3


def test_rule8_where_only_the_platform_sees_a_restart_in_the_first_seconds_of_a_loss_keeps_its_onset() -> None:
    room = by_platform_alone().platform(False).wait(2)
    after = room.restarted(away_s=2, talking=False).link("fiber").link("cellular").router("0").wait(1)
    assert after.platform(False).wait(1).room.undirected_s == room.room.undirected_s


def test_e1_a_word_of_the_platform_from_before_a_restart_proves_nothing_after_it() -> None:
    after = by_platform_alone().restarted(away_s=0.5, talking=False)
    assert after.link("fiber").link("cellular").router("0").wait(1).room.av_compliant is False


def test_a_failover_while_the_daemon_was_away_is_seen() -> None:
    after = restarted(calm_room(), away_s=20)
    after.link("fiber", Verdict.DOWN).link("cellular").router("1").media()
    told = after.last("wan.failover").data
    assert (told["previous"], told["active"]) == ("fiber", "cellular")


@pytest.mark.parametrize(
    ("wall_away_s", "boot_age_s", "least_s"),
    [(300.0, 20.0, 300.0), (-4000.0, 90.0, 90.0), (10.0, 45.0, 45.0)],
)
def test_after_a_reboot_the_longest_time_away_that_is_known_counts(
    wall_away_s: float, boot_age_s: float, least_s: float
) -> None:
    room = in_tier_3()
    written = at(room)
    state = load(dump(room.state, written), Moment("boot-2", boot_age_s, written.wall_s + wall_away_s))
    onset_s = state.room("room").undirected_s
    assert onset_s is not None
    lost_for_s = room.now - (room.room.undirected_s or 0)
    assert boot_age_s - onset_s == pytest.approx(lost_for_s + least_s)


@pytest.mark.parametrize("blob", [b"", b"{}", b"[]", b"\xff", b'{"version":99}', b'{"version":1,"at":{}}'])
def test_a_foreign_checkpoint_is_refused_by_name(blob: bytes) -> None:
    with pytest.raises(CheckpointUnreadable, match="checkpoint"):
        load(blob, Moment(BOOT, 1.0, 1.0))


@given(st.binary(max_size=200))
def test_garbage_is_only_ever_unreadable(blob: bytes) -> None:
    with pytest.raises(CheckpointUnreadable):
        load(blob, Moment(BOOT, 1.0, 1.0))


def test_what_is_dumped_is_what_is_loaded() -> None:
    room = in_tier_3()
    state = load(dump(room.state, at(room)), at(room))
    for name in ("carrier", "failover", "all_down_s", "tally", "drill"):
        assert getattr(state, name) == getattr(room.state, name), name
    for name in (
        "session",
        "last_session",
        "last_phase",
        "acted_s",
        "undirected_s",
        "timers",
        "tier",
        "tier_since_s",
        "demanded",
        "av_compliant",
    ):
        assert getattr(state.room("room"), name) == getattr(room.room, name), name


def test_a_checkpoint_from_before_there_were_rooms_goes_on_in_the_first_room_with_its_tier_and_its_onset() -> None:
    latch = {"onset_s": 990.0, "raised_s": 990.0, "quiet_s": None}
    written = {
        **{"version": 1, "at": {"boot_id": BOOT, "monotonic_s": 1000.0, "wall_s": 1.0}, "carrier": "fiber"},
        **{"session": {"id": "s-1", "opened_s": 900.0}, "acted_s": {"session_opened": 900.0}, "failover": None},
        **{"av_lost_s": 980.0, "all_down_s": None, "tiers": {"t4.phone_dead": latch}, "tier": 4, "tier_since_s": 990.0},
        "conditions": [["link.down", "fiber", latch]],
    }
    room = Room(now=1005.0)
    room.state = load(json.dumps(written).encode(), Moment(BOOT, 1005.0, 6.0))
    assert room.wait(1).state.tier == 4
    assert room.room.session is not None
    assert (room.room.session.id, room.room.undirected_s, room.room.supervised) == ("s-1", 980.0, True)
    assert room.state.conditions["link.down", "fiber"].raised
    assert room.act(Act.ONSITE_PRESENT).wait(1).state.tier < 4
