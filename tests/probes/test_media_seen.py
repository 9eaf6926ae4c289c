"""Whole captures shown to the observer's state, told nothing but where the room ends: what it sees, and when."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_network
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.media_settings import MediaSettings
from probes.media_state import MediaState
from probes.packets.bpf import Network
from probes.reading import FarEnd, MediaReading, Medium, Protection, StreamReading, Way
from tests.probes.media_wire import (
    BACK,
    DATA,
    OPUS,
    OPUS_60_MS,
    OPUS_DTX,
    OUT,
    PCMU,
    PCMU_SEALED,
    PLATFORM,
    ROOM,
    SEND,
    VP8,
    VP8_SLOW,
    VP8_THIN,
    WIDEBAND,
    Capture,
    Path,
    Sender,
    binding,
    dtls,
    frozen,
    handshake,
    in_order,
    rtcp,
    rtp,
)

SETTINGS = MediaSettings.model_validate({"interface": "lan0", "room_networks": ["10.77.0.0/24", "fd77::/64"]})
START_S = 1000.0
Key = tuple[Medium, Way]
AUDIO_IN, AUDIO_OUT = (Medium.AUDIO, Way.TO_ROOM), (Medium.AUDIO, Way.FROM_ROOM)
VIDEO_IN, VIDEO_OUT = (Medium.VIDEO, Way.TO_ROOM), (Medium.VIDEO, Way.FROM_ROOM)
EVERYTHING = {AUDIO_IN, AUDIO_OUT, VIDEO_IN, VIDEO_OUT}
RTX = Sender(0, 0.1, ssrc=9, payload_type=97)


@dataclass(frozen=True, slots=True)
class Seen:
    """A reading every 0.1 s of what a capture shows."""

    readings: list[MediaReading]

    def at(self, key: Key, at_s: float) -> StreamReading:
        reading = next(r for r in self.readings if r.at_s >= START_S + at_s - 0.01)
        return next(s for s in reading.streams if (s.medium, s.way) == key)

    def since(self, key: Key, live: bool | None, after_s: float = 0.0) -> float | None:
        """The first second from `after_s` on at which this stream's `live` is that."""
        times = (r.at_s - START_S for r in self.readings if r.at_s >= START_S + after_s)
        return next((t_s for t_s in times if self.at(key, t_s).live is live), None)

    def ever_live(self) -> set[Key]:
        return {(s.medium, s.way) for r in self.readings for s in r.streams if s.live}


def seen(
    *captures: Iterable[tuple[float, bytes]],
    told: MediaSettings = SETTINGS,
    rooms: dict[str, tuple[Network, ...]] | None = None,
    room: str = "",
    until_s: float = 0.0,
) -> Seen:
    state = MediaState(told, rooms or {"": told.room_networks})
    readings, look_s = [], 0.0
    for at_s, frame in in_order(*captures, [(until_s, b"")]):
        while look_s < at_s:
            readings.append(state.reading(room, START_S + look_s))
            look_s += 0.1
        state.feed(frame, START_S + at_s)
    readings.append(state.reading(room, START_S + look_s))
    return Seen(readings)


def call(start_s: float, seconds: float, *paths: Path) -> list[Capture]:
    """Audio and video both ways."""
    return [sender.packets(start_s, seconds, path) for sender in (OPUS, VP8) for path in paths or (OUT, BACK)]


def test_e1_rule7_a_call_is_live_in_every_stream_within_a_second_and_never_before_it_was_seen() -> None:
    shown = seen(*call(0, 3))
    for key in EVERYTHING:
        assert shown.at(key, 0.3).live is None
        assert shown.at(key, 1.0).live is True
        assert shown.at(key, 3.0).live is True
    video, audio = shown.at(VIDEO_IN, 3.0), shown.at(AUDIO_IN, 3.0)
    assert (video.frame_rate_hz, video.frozen_for_s, video.loss_pct) == (30.0, None, 0.0)
    assert (audio.frame_rate_hz, audio.packet_rate_hz) == (None, 50.0)
    assert all(0.9 <= reading.confidence < 1.0 for reading in (audio, video))


@pytest.mark.parametrize("jitter_s", [0.0, 0.05])
@pytest.mark.parametrize(
    ("sender", "key"),
    [
        pytest.param(OPUS, AUDIO_IN, id="Opus"),
        pytest.param(OPUS_60_MS, AUDIO_IN, id="Opus, 60 ms"),
        pytest.param(OPUS_DTX, AUDIO_IN, id="Opus in DTX"),
        pytest.param(PCMU, AUDIO_IN, id="G.711"),
        pytest.param(WIDEBAND, AUDIO_IN, id="wideband"),
        pytest.param(VP8, VIDEO_IN, id="video"),
        pytest.param(VP8_THIN, VIDEO_IN, id="video, one packet a frame"),
        pytest.param(VP8_SLOW, VIDEO_IN, id="video, five frames a second"),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(BACK, id="direct"),
        pytest.param(replace(BACK, channel=0x4001), id="in a TURN channel"),
        pytest.param(replace(BACK, indication=DATA), id="in TURN indications"),
        pytest.param(Path("2001:db8::30", "fd77::20", 3478, 40000), id="over IPv6"),
    ],
)
def test_e1_each_codec_is_known_by_its_clock_alone(sender: Sender, key: Key, path: Path, jitter_s: float) -> None:
    shown = seen(sender.packets(0, 4, path, jitter_s=jitter_s))
    assert shown.ever_live() == {key}
    since_s = shown.since(key, True)
    assert since_s is not None
    assert since_s <= 1.7
    assert shown.at(key, 3.5).loss_pct == 0.0


def test_e1_silence_suppression_is_neither_loss_nor_silence() -> None:
    speech = OPUS.packets(0, 20)
    suppressed = [packet for n, packet in enumerate(speech) if n < 100 or n % 20 == 0]
    renumbered = [
        (at_s, BACK.frame(rtp(n, OPUS.timestamp + 960 * round(at_s / 0.02)))) for n, (at_s, _) in enumerate(suppressed)
    ]
    shown = seen(renumbered)
    assert {shown.at(AUDIO_IN, t).live for t in range(1, 20)} == {True}
    assert {shown.at(AUDIO_IN, t).loss_pct for t in range(2, 20)} == {0.0}


def test_t2_video_that_stops_is_lost_and_audio_is_kept() -> None:
    shown = seen(*call(0, 3), *(OPUS.packets(3, 4, path) for path in (OUT, BACK)), VP8.packets(3, 4, OUT))
    lost_s = shown.since(VIDEO_IN, False, after_s=1)
    assert lost_s == pytest.approx(4.0, abs=0.21)
    assert shown.at(VIDEO_IN, 6.5).frozen_for_s is None  # silent altogether, not frozen
    assert all(shown.at(key, 6.5).live for key in EVERYTHING - {VIDEO_IN})


@pytest.mark.parametrize(
    "stuffing",
    [
        pytest.param(frozen(VP8, 3, 4), id="the same picture again"),
        pytest.param(
            [
                (3 + n / 50, BACK.frame(rtp(n, VP8.timestamp + 3000 * (60 + n % 30), ssrc=9, payload_type=97)))
                for n in range(200)
            ],
            id="repair that repeats old pictures",
        ),
        pytest.param(
            [
                (3 + n / 50, BACK.frame(rtp(n, 5000 + 1800 * n, ssrc=9, payload_type=97, size=224, padding=True)))
                for n in range(200)
            ],
            id="padding whose clock goes on",
        ),
        pytest.param(
            [
                (
                    3 + n / 50,
                    BACK.frame(
                        rtp(
                            VP8.sequence + 360 + n,
                            VP8.timestamp + 3000 * 89,
                            ssrc=8,
                            payload_type=96,
                            size=224,
                            padding=True,
                        )
                    ),
                )
                for n in range(200)
            ],
            id="padding in the video's own source",
        ),
    ],
)
def test_t2_t1_a_freeze_is_told_while_packets_come(stuffing: Capture) -> None:
    repair = [(at_s, frame) for at_s, frame in stuffing]
    shown = seen(*call(0, 3), *(OPUS.packets(3, 4, path) for path in (OUT, BACK)), VP8.packets(3, 4, OUT), repair)
    assert shown.since(VIDEO_IN, False, after_s=1) == pytest.approx(4.0, abs=0.21)
    frozen_s = shown.at(VIDEO_IN, 6.5)
    assert frozen_s.frozen_for_s == pytest.approx(3.5, abs=0.15)
    assert (frozen_s.frame_rate_hz, frozen_s.live) == (0.0, False)
    assert frozen_s.age_s is not None
    assert frozen_s.age_s < 0.1
    assert shown.at(VIDEO_IN, 3.2).frozen_for_s is None


def test_repair_and_probing_from_the_first_second_on_make_no_second_video() -> None:
    repair = [
        (0.05 + n / 100, BACK.frame(rtp(n, VP8.timestamp + 3000 * int(n / 100 * 30), ssrc=9, payload_type=97)))
        for n in range(300)
    ]
    stopped = [
        (3.2 + n / 100, BACK.frame(rtp(300 + n, VP8.timestamp + 3000 * 85, ssrc=9, payload_type=97)))
        for n in range(300)
    ]
    shown = seen(VP8.packets(0, 3), repair, stopped)
    assert shown.at(VIDEO_IN, 2.9).frame_rate_hz == 30.0
    assert shown.since(VIDEO_IN, False, after_s=1) == pytest.approx(4.1, abs=0.25)


@pytest.mark.parametrize("shared", [True, False], ids=["timestamps of their own", "the same timestamps"])
def test_simulcast_lives_while_any_layer_does(shared: bool) -> None:
    low = VP8_THIN
    high = replace(VP8, ssrc=10, sequence=9, timestamp=VP8.timestamp if shared else 77)
    shown = seen(low.packets(0, 8), high.packets(0, 4))
    assert {shown.at(VIDEO_IN, t).live for t in range(1, 8)} == {True}
    assert shown.at(VIDEO_IN, 7.0).frame_rate_hz == 30.0
    other = seen(low.packets(0, 4), high.packets(0, 8))
    assert {other.at(VIDEO_IN, t).live for t in range(1, 8)} == {True}


def test_e1_a_renegotiated_stream_is_known_at_once() -> None:
    first, then = VP8.packets(0, 3), VP8.another(0xBEEF).packets(6, 2)
    shown = seen(OPUS.packets(0, 3), first, OPUS.another(0xCAFE).packets(6, 2), then)
    assert shown.at(VIDEO_IN, 5.5).live is False
    assert shown.at(VIDEO_IN, 6.2).live is True
    assert shown.at(AUDIO_IN, 6.2).live is True
    assert shown.at(VIDEO_IN, 6.2).confidence >= 0.85


@pytest.mark.parametrize("jitter_s", [0.0, 0.05])
@pytest.mark.parametrize(
    ("sender", "key"),
    [
        pytest.param(OPUS, AUDIO_IN, id="Opus"),
        pytest.param(OPUS_DTX, AUDIO_IN, id="Opus in DTX"),
        pytest.param(VP8, VIDEO_IN, id="video"),
        pytest.param(VP8_SLOW, VIDEO_IN, id="video, five frames a second"),
    ],
)
def test_n6_e1_a_stream_that_moves_to_another_path_is_known_there_at_once(
    sender: Sender, key: Key, jitter_s: float
) -> None:
    """ICE restarts after a failover, or finds a better pair: the source goes on from other addresses."""
    moved = replace(OUT, source_port=40002, destination="203.0.113.5").back()
    shown = seen(sender.packets(0, 4, jitter_s=jitter_s), sender.packets(4, 4, moved, jitter_s=jitter_s))
    assert {shown.at(key, t / 10).live for t in range(20, 75)} == {True}
    assert shown.at(key, 7.5).confidence >= 0.85


def test_t2_a_picture_repeated_on_another_path_is_still_the_same_picture() -> None:
    moved = replace(OUT, source_port=40002).back()
    shown = seen(VP8.packets(0, 3), frozen(replace(VP8, timestamp=VP8.timestamp - 30_000), 3, 4, moved))
    assert {shown.at(VIDEO_IN, t / 10).live for t in range(45, 70)} == {False}


def test_h1_the_keys_of_a_stream_move_with_it_to_another_path() -> None:
    moved = replace(OUT, source_port=40002)
    keys = [(0.1 * n, frame) for n, frame in enumerate(handshake())]
    shown = seen(keys, *call(1, 4), *call(5, 4, moved, moved.back()))
    assert {r.protection for r in shown.readings[20:]} == {Protection.ENCRYPTED}


def test_h1_clear_text_is_told_on_another_path_as_well() -> None:
    moved = replace(OUT, source_port=40002)
    keys = [(0.1 * n, frame) for n, frame in enumerate(handshake())]
    reports = [(5 + t / 2, rtcp(7, path=moved.back())) for t in range(1, 10)]
    shown = seen(keys, *call(1, 4), *call(5, 5, moved, moved.back()), reports)
    assert shown.readings[-1].protection is Protection.CLEAR


def test_a_source_that_restarts_with_other_numbers_goes_on() -> None:
    again = replace(VP8, sequence=100, timestamp=5).packets(3, 3)
    shown = seen(VP8.packets(0, 3), again)
    assert {shown.at(VIDEO_IN, t / 10).live for t in range(10, 60)} == {True}
    assert shown.at(VIDEO_IN, 5.5).frame_rate_hz == 30.0


def test_t3_a_cut_of_the_path_is_silence_of_all_that_comes_and_of_the_far_end() -> None:
    checks = [
        (t_s + extra, frame)
        for n, t_s in enumerate((0.5, 5.5))
        for extra, frame in ((0.0, binding(n)), (0.03, binding(n, answer=True)))
    ]
    unanswered = [(10.0, binding(8)), (15.2, binding(9))]
    shown = seen(*call(0, 8), *call(8, 10, OUT), checks, unanswered)
    assert [shown.readings[t].far_end for t in (75, 95, 115)] == [FarEnd.ANSWERING, FarEnd.UNKNOWN, FarEnd.SILENT]
    assert shown.since(AUDIO_IN, False, after_s=2) == pytest.approx(9.0, abs=0.21)
    assert shown.since(VIDEO_IN, False, after_s=2) == pytest.approx(9.0, abs=0.21)
    assert shown.at(AUDIO_OUT, 12.0).live is True


def test_t3_a_far_end_that_stops_its_media_and_answers_checks_is_no_cut() -> None:
    checks = [
        (t_s + extra, frame)
        for n, t_s in enumerate((0.5, 5.5, 10.5, 15.5))
        for extra, frame in ((0.0, binding(n)), (0.03, binding(n, answer=True)))
    ]
    reports = [(t / 2, rtcp(7)) for t in range(36)]
    shown = seen(*call(0, 8), *call(8, 10, OUT), checks, reports)
    assert shown.at(AUDIO_IN, 15.0).live is False
    assert {r.far_end for r in shown.readings[10:175]} == {FarEnd.ANSWERING}


def test_t3_a_far_end_that_sends_nothing_at_all_but_answers_is_no_cut() -> None:
    checks = [
        (t_s + extra, frame)
        for n, t_s in enumerate((0.5, 5.5, 10.5, 15.5))
        for extra, frame in ((0.0, binding(n)), (0.03, binding(n, answer=True)))
    ]
    shown = seen(*call(0, 8), *call(8, 10, OUT), checks)
    assert {r.far_end for r in shown.readings[107:175]} == {FarEnd.ANSWERING}


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(replace(OUT, channel=0x4001), id="in a channel"),
        pytest.param(replace(OUT, indication=SEND), id="in indications"),
    ],
)
def test_t6_a_turn_server_that_answers_is_not_the_far_end_behind_it(inside: Path) -> None:
    checks = [
        (t * 1.0 + extra, frame)
        for t in range(18)
        for extra, frame in ((0.0, binding(t)), (0.03, binding(t, answer=True)), (0.1, binding(500 + t, path=inside)))
    ]
    shown = seen(*call(0, 8, inside, inside.back()), *call(8, 10, inside), checks)
    assert shown.readings[150].far_end is FarEnd.SILENT


def test_t6_h1_a_relay_s_session_that_moves_from_indications_to_a_channel_is_one_session() -> None:
    """A browser sends in indications until its channel is bound, and both ends bind when they like (RFC 8656, 12)."""
    early, bound = replace(OUT, indication=SEND), replace(OUT, channel=0x4001)
    keys = [
        (0.1, dtls(22, path=early)),
        (0.2, dtls(22, path=early.back())),
        (0.3, dtls(22, path=bound)),
        (0.4, dtls(22, path=early.back())),  # its flight begins with a session ticket
    ]
    asked = [(n + 0.5, binding(n, path=bound)) for n in range(12)]
    answers = [(n + 0.6, binding(n, answer=True, path=early.back() if n < 6 else bound.back())) for n in range(12)]
    shown = seen(
        *call(1, 12, bound), *call(1, 5, early.back()), *call(6, 7, bound.back()), keys, asked, answers, until_s=13
    )
    for key in EVERYTHING:
        assert {shown.at(key, t / 10).live for t in range(20, 130)} == {True}
    assert {shown.at(VIDEO_IN, t / 10).loss_pct for t in range(20, 130)} == {0.0}
    assert {r.far_end for r in shown.readings[20:125]} == {FarEnd.ANSWERING}
    assert shown.readings[-1].protection is Protection.ENCRYPTED


def test_t6_checks_to_anybody_else_say_nothing_of_the_far_end() -> None:
    """Candidates that lead nowhere, and a server that only tells addresses."""
    nowhere = replace(OUT, destination="203.0.113.1")
    checks = [(t * 0.5, binding(t, path=nowhere)) for t in range(20)]
    checks += [(t * 1.0, binding(99, path=replace(nowhere, destination="203.0.113.2"))) for t in range(10)]
    assert {r.far_end for r in seen(*call(0, 10), checks).readings} == {FarEnd.UNKNOWN}


def test_h1_a_handshake_on_the_media_s_own_five_tuple_is_encryption() -> None:
    keys = [(0.1 * n, frame) for n, frame in enumerate(handshake())]
    sealed = [(1 + t / 2, rtcp(7, sealed=True)) for t in range(8)]
    shown = seen(keys, *call(1, 4), sealed)
    assert shown.readings[-1].protection is Protection.ENCRYPTED
    assert shown.readings[5].protection is Protection.UNKNOWN  # no media yet


def test_h1_a_session_made_anew_is_judged_by_its_own_handshake_not_by_what_it_left_behind() -> None:
    anew = replace(OUT, source_port=40002)
    flights = (dtls(22, path=anew), dtls(22, path=anew.back()), dtls(22, epoch=1, path=anew))
    keys = [(6 + 0.1 * n, frame) for n, frame in enumerate((*flights, dtls(22, epoch=1, path=anew.back())))]
    shown = seen(*call(0, 4), keys, *call(7, 5, anew, anew.back()))
    assert shown.readings[35].protection is Protection.UNKNOWN  # we began to look in mid-session
    assert shown.readings[-1].protection is Protection.ENCRYPTED


@pytest.mark.parametrize(
    ("capture", "expected"),
    [
        pytest.param([*OPUS.packets(0, 5), *((t / 2, rtcp(7)) for t in range(1, 10))], Protection.CLEAR, id="reports"),
        pytest.param(
            [*OPUS.packets(0, 5), *((t / 2, rtcp(7, path=Path(PLATFORM, ROOM, 3479, 40001))) for t in range(1, 10))],
            Protection.CLEAR,
            id="reports by a port of their own",
        ),
        pytest.param(PCMU.packets(0, 5), Protection.CLEAR, id="G.711"),
        pytest.param(PCMU.packets(0, 5, jitter_s=0.05), Protection.CLEAR, id="G.711, reordered"),
        pytest.param(PCMU_SEALED.packets(0, 5), Protection.UNKNOWN, id="G.711 and a tag"),
        pytest.param(
            [*OPUS.packets(0, 5), *((t / 2, rtcp(7, sealed=True)) for t in range(1, 10))],
            Protection.UNKNOWN,
            id="we began to look in mid-session",
        ),
        pytest.param([*OPUS.packets(0, 5), (2.0, rtcp(7))], Protection.UNKNOWN, id="one odd packet"),
        pytest.param(
            [*OPUS.packets(0, 5), *((t / 2, rtcp(999)) for t in range(1, 10))],
            Protection.UNKNOWN,
            id="reports of somebody unknown",
        ),
    ],
)
def test_h1_clear_text_is_told_and_no_wolf_is_cried(capture: Capture, expected: Protection) -> None:
    assert seen(capture).readings[-1].protection is expected


def test_rooms_are_told_apart_and_between_them_is_no_supervision() -> None:
    rooms: dict[str, tuple[Network, ...]] = {
        "ct": (ip_network("10.77.0.0/25"),),
        "mr": (ip_network("10.77.0.128/25"), ip_network("10.78.0.0/24")),
    }
    theirs = Path("203.0.113.5", "10.78.0.9", 3478, 50000)
    between = Path("10.77.0.20", "10.77.0.200", 40000, 3478)
    capture = [*OPUS.packets(0, 3, theirs), *VP8.packets(0, 3, between), *VP8.packets(0, 3, between.back())]
    assert seen(capture, rooms=rooms, room="mr").ever_live() == {AUDIO_IN}
    assert seen(capture, rooms=rooms, room="ct").ever_live() == set()


def test_only_the_platform_is_looked_at_where_it_is_known() -> None:
    told = SETTINGS.model_copy(update={"platform_networks": (ip_network("203.0.113.0/24"),)})
    elsewhere = Path("203.0.113.5", ROOM, 3478, 40000)
    assert seen(OPUS.packets(0, 3), VP8.packets(0, 3, elsewhere), told=told).ever_live() == {VIDEO_IN}


def test_a_hint_is_believed_at_once_and_the_rest_is_told_by_its_clock() -> None:
    told = MediaSettings.model_validate(
        {"interface": "lan0", "room_networks": ["10.77.0.0/24"], "audio": {"payload_types": [111]}}
    )
    shown = seen(OPUS.packets(0, 3), VP8.packets(0, 3), told=told)
    assert shown.at(AUDIO_IN, 0.1).live is True
    assert shown.at(AUDIO_IN, 3.0).confidence == 1.0
    assert shown.at(VIDEO_IN, 0.1).live is None
    assert 0.9 <= shown.at(VIDEO_IN, 3.0).confidence < 1.0


def test_rule7_noise_of_every_kind_is_never_live() -> None:
    dice = Random(4)
    noise = [(n / 500, path.frame(dice.randbytes(dice.randrange(90)))) for n in range(3000) for path in (OUT, BACK)]
    tunnel = [
        (n / 500, BACK.frame(b"\x9a\x21\x33\x44" + n.to_bytes(4, "big") + dice.randbytes(80))) for n in range(3000)
    ]
    assert seen(noise, tunnel).ever_live() == set()


def test_rule7_odd_packets_neither_start_nor_keep_a_stream() -> None:
    odd = [
        (3 + n * 0.3, BACK.frame(rtp(n * 7919, n * 104_729, ssrc=ssrc, payload_type=96)))
        for n in range(20)
        for ssrc in (8, 4000 + n)
    ]
    shown = seen(VP8.packets(0, 3), odd, until_s=9)
    assert {shown.at(VIDEO_IN, 4.2 + t / 10).live for t in range(40)} == {False}


def test_a_flood_of_flows_pushes_out_other_flows_and_never_the_session() -> None:
    flood = [
        (n / 4000, Path(f"203.0.{n >> 8 & 255}.{n & 255}", ROOM, 1 + n % 60_000, 40000).frame(rtp(n, n)))
        for n in range(12_000)
    ]
    shown = seen(*call(0, 3), flood)
    assert shown.ever_live() == EVERYTHING
    assert {shown.at(key, t / 10).live for key in EVERYTHING for t in range(12, 30)} == {True}


def test_what_a_flood_leaves_behind_is_bounded() -> None:
    state = MediaState(SETTINGS, {"": SETTINGS.room_networks})
    for n in range(5000):
        path = Path(f"203.0.{n >> 8 & 255}.{n & 255}", ROOM, 5000, 40000)
        for packet in (rtp(1, 960), rtp(2, 1920)):
            state.feed(path.frame(packet), START_S + n / 100)
    assert len(state) <= 576


def test_what_a_flood_of_media_leaves_behind_is_bounded_and_the_session_stays() -> None:
    told = MediaSettings.model_validate({"interface": "lan0", "audio": {"payload_types": [111]}})
    state = MediaState(told, {"": SETTINGS.room_networks})
    for n, (at_s, frame) in enumerate(OPUS.packets(0, 20)):
        state.feed(frame, START_S + at_s)
        path = Path(f"203.0.{n >> 8 & 255}.{n & 255}", ROOM, 5000, 40000)
        for sequence in (1, 2, 3):
            state.feed(path.frame(rtp(sequence, 960 * sequence)), START_S + at_s)
    for t in range(3):
        state.feed(rtcp(7), START_S + 20 + t)
    assert len(state) <= 576
    assert state.reading("", START_S + 22).protection is Protection.CLEAR  # its flow is still the one remembered


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 0.2), st.integers(0, 65535), st.integers(0, 2**32 - 1))
def test_e1_wherever_numbers_begin_and_whatever_the_wire_does_a_call_stays_live(
    seed: int, loss: float, sequence: int, timestamp: int
) -> None:
    dice = Random(seed)
    senders = [replace(sender, sequence=sequence, timestamp=timestamp) for sender in (OPUS, VP8)]
    capture = [packet for sender in senders for packet in sender.packets(0, 5, jitter_s=0.04) if dice.random() >= loss]
    shown = seen(capture)
    for key, rate in ((AUDIO_IN, None), (VIDEO_IN, 30.0)):
        assert {shown.at(key, t / 10).live for t in range(15, 50)} == {True}
        if rate:
            assert shown.at(key, 4.5).frame_rate_hz == pytest.approx(rate, abs=4)
