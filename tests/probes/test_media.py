import asyncio
import os
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from ipaddress import ip_network

import pytest
from scapy.packet import Raw

from probes.errors import MisuseError, ProbeError
from probes.media import watch_media
from probes.media_settings import MediaSettings
from probes.packets.bpf import Network
from probes.reading import MediaReading, Medium, Protection, Way
from tests.probes.in_line_box import Box, in_line_box
from tests.probes.media_frames import AUDIO_PORT, AUDIO_PT, VIDEO_PORT, VIDEO_PT, from_room, rtp, to_room

SILENCE_S = 0.3
SETTINGS = MediaSettings.model_validate(
    {
        "interface": "lan0",
        "room_networks": ["10.77.0.0/24"],
        "platform_networks": ["198.51.100.30/32"],
        "audio": {"ports": [AUDIO_PORT], "payload_types": [AUDIO_PT], "silence_s": SILENCE_S},
        "video": {"ports": [VIDEO_PORT], "payload_types": [VIDEO_PT], "silence_s": SILENCE_S},
    }
)
Key = tuple[Medium, Way]
AUDIO_OUT, AUDIO_IN = (Medium.AUDIO, Way.FROM_ROOM), (Medium.AUDIO, Way.TO_ROOM)
VIDEO_OUT, VIDEO_IN = (Medium.VIDEO, Way.FROM_ROOM), (Medium.VIDEO, Way.TO_ROOM)
EVERYTHING = {AUDIO_OUT, AUDIO_IN, VIDEO_OUT, VIDEO_IN}


class Session:
    """A supervision session across the box: 50 packets a second of each medium and way that is on."""

    def __init__(self, box: Box) -> None:
        self.on = set(EVERYTHING)
        self.readings: list[MediaReading] = []
        self._box = box

    async def talk(self) -> None:
        sequence = 0
        while True:
            sequence += 1
            self._send(sequence)
            await asyncio.sleep(0.02)

    def live(self) -> dict[Key, bool | None]:
        return {(s.medium, s.way): s.live for s in self.readings[-1].streams}

    async def until(self, wanted: Callable[[], bool], *, within_s: float = 3.0) -> None:
        start_s = time.monotonic()
        while not (self.readings and wanted()):
            assert time.monotonic() - start_s < within_s, self.readings[-1:]
            await asyncio.sleep(0.005)

    def _send(self, sequence: int) -> None:
        audio = rtp(payload_type=AUDIO_PT, sequence=sequence, timestamp=sequence * 960)
        video = rtp(payload_type=VIDEO_PT, sequence=sequence, ssrc=8, timestamp=sequence * 1800)
        for key, send, frame in (
            (AUDIO_OUT, self._box.from_room, from_room(audio, port=AUDIO_PORT)),
            (VIDEO_OUT, self._box.from_room, from_room(video, port=VIDEO_PORT)),
            (AUDIO_IN, self._box.from_internet, to_room(audio, port=AUDIO_PORT)),
            (VIDEO_IN, self._box.from_internet, to_room(video, port=VIDEO_PORT)),
        ):
            if key in self.on:
                send(frame)


@pytest.fixture
def box() -> Iterator[Box]:
    with in_line_box() as made:
        yield made


@pytest.fixture
async def session(box: Box) -> AsyncIterator[Session]:
    running = Session(box)
    tasks = [asyncio.create_task(running.talk()), asyncio.create_task(watch_media(SETTINGS, running.readings.append))]
    yield running
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError, ProbeError):
            await task


async def test_a_two_way_session_is_live_in_every_stream_and_each_direction_is_its_own(session: Session) -> None:
    await session.until(lambda: session.live() == dict.fromkeys(EVERYTHING, True))
    for key in (VIDEO_IN, AUDIO_OUT):
        session.on.discard(key)
        stopped_s = time.monotonic()
        await session.until(lambda key=key: session.live()[key] is False)  # type: ignore[misc]
        assert SILENCE_S - 0.02 < session.readings[-1].at_s - stopped_s < SILENCE_S + 0.4
        assert session.live() == {other: other in session.on for other in EVERYTHING}
    session.on.add(VIDEO_IN)
    await session.until(lambda: session.live()[VIDEO_IN] is True, within_s=0.3)


async def test_rates_are_told_once_a_second(session: Session) -> None:
    await session.until(lambda: len(session.readings) > 1 and session.readings[-1].at_s - session.readings[0].at_s > 2)
    last = session.readings[-1]
    assert last.at_s - session.readings[-2].at_s == pytest.approx(1.0, abs=0.2)
    assert all(30 <= s.packet_rate_hz <= 52 and s.loss_pct == 0.0 for s in last.streams)  # 50, less a busy machine


async def test_what_was_never_seen_stays_unknown_and_unknown_is_told_at_once(box: Box) -> None:
    silent = Session(box)
    task = asyncio.create_task(watch_media(SETTINGS, silent.readings.append))
    await silent.until(lambda: True, within_s=0.5)
    assert silent.live() == dict.fromkeys(EVERYTHING, None)
    assert silent.readings[-1].observing is True
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_stun_dtls_rtcp_and_noise_on_the_media_port_are_no_media(box: Box) -> None:
    watched = Session(box)
    task = asyncio.create_task(watch_media(SETTINGS, watched.readings.append))
    await watched.until(lambda: True)
    for noise in (b"\x00\x01" + bytes(18), b"\x16\xfe\xfd" + bytes(20), b"\x80\xc8" + bytes(26), b"", b"\xff" * 200):
        box.from_room(from_room(Raw(noise)))
    await watched.until(lambda: len(watched.readings) >= 2)
    assert watched.live() == dict.fromkeys(EVERYTHING, None)
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_h1_reports_in_clear_are_seen_on_the_port_beside_the_media_s(session: Session, box: Box) -> None:
    """Without RTCP multiplexing reports have the next port (RFC 3550, section 11), which nobody configures."""
    await session.until(lambda: session.live() == dict.fromkeys(EVERYTHING, True))
    report = struct.pack(">BBHI", 0x80, 200, 6, 7) + bytes(20)
    while session.readings[-1].protection is not Protection.CLEAR:
        box.from_internet(to_room(Raw(report), port=AUDIO_PORT + 1))
        await asyncio.sleep(0.1)
        assert len(session.readings) < 30


async def test_a_stalled_event_loop_neither_hides_silence_nor_makes_it(session: Session, box: Box) -> None:
    """Packets wait in the kernel with their times: only audio from the room goes on while the loop stands still."""
    await session.until(lambda: session.live() == dict.fromkeys(EVERYTHING, True))
    session.on.clear()
    told = len(session.readings)
    for sequence in range(10):
        time.sleep(SILENCE_S / 5)
        box.from_room(from_room(rtp(payload_type=AUDIO_PT, sequence=sequence), port=AUDIO_PORT))
    await session.until(lambda: session.live()[VIDEO_IN] is False, within_s=0.2)
    assert session.live() == {key: key == AUDIO_OUT for key in EVERYTHING}
    assert all(s.live for r in session.readings[told:] for s in r.streams if (s.medium, s.way) == AUDIO_OUT)


async def test_rooms_are_told_each_by_itself_and_a_change_in_one_is_told_of_that_one(box: Box) -> None:
    readings: list[MediaReading] = []
    rooms = {"ct": [ip_network("10.77.0.0/25")], "mr": [ip_network("10.77.0.128/25")]}
    task = asyncio.create_task(watch_media(SETTINGS, readings.append, rooms=rooms))
    while len(readings) < 2:
        await asyncio.sleep(0.01)
    assert [reading.room for reading in readings] == ["ct", "mr"]
    frames = [to_room(rtp(sequence=n, timestamp=n), target="10.77.0.200") for n in (1, 2)]
    box.from_internet(*frames)
    while not any(s.live for s in readings[-1].streams):
        await asyncio.sleep(0.01)
    assert {reading.room for reading in readings if any(s.live for s in reading.streams)} == {"mr"}
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_an_observer_told_no_network_of_a_room_is_refused() -> None:
    nowhere = SETTINGS.model_copy(update={"room_networks": ()})
    nobody: dict[str, list[Network]] = {"ct": []}
    for rooms in ({}, nobody):
        with pytest.raises(MisuseError, match="no network of a room"):
            await watch_media(nowhere, lambda reading: None, rooms=rooms)


async def test_a_missing_interface_is_told_then_raised(box: Box) -> None:
    readings: list[MediaReading] = []
    with pytest.raises(MisuseError, match="lan9: No such device"):
        await watch_media(SETTINGS.model_copy(update={"interface": "lan9"}), readings.append)
    assert [r.observing for r in readings] == [False]


async def test_an_interface_that_goes_down_makes_everything_unknown(session: Session, box: Box) -> None:
    await session.until(lambda: session.live() == dict.fromkeys(EVERYTHING, True))
    box.ip("link set lan0 down")
    await session.until(lambda: session.readings[-1].observing is False)
    assert session.live() == dict.fromkeys(EVERYTHING, None)


async def test_the_observer_leaves_no_socket_behind(box: Box) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        task = asyncio.create_task(watch_media(SETTINGS, lambda reading: None))
        await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert len(os.listdir("/proc/self/fd")) == before
