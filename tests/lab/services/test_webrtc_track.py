import asyncio
from itertools import pairwise

import pytest
from aiortc.mediastreams import MediaStreamError

from lab.services.webrtc_clips import Clip
from lab.services.webrtc_track import NOTHING_NEW, SentTrack
from lab.services.world import Flow

CLIP = Clip("video", 90_000, 100, (b"key", b"more", b"last"))


async def sent(track: SentTrack, count: int) -> list[tuple[bytes, int]]:
    packets = [await track.recv() for _ in range(count)]
    return [(bytes(packet), packet.pts or 0) for packet in packets]


async def test_frames_come_in_their_order_each_with_a_later_time_and_begin_anew() -> None:
    packets = await sent(SentTrack(CLIP), 4)
    assert [payload for payload, _ in packets] == [b"key", b"more", b"last", b"key"]
    times = [pts for _, pts in packets]
    assert all(later - earlier >= 900 for earlier, later in pairwise(times))
    assert {pts % 900 for pts in times} == {0}


async def test_a_frozen_track_repeats_the_time_of_its_last_frame_and_goes_on_with_the_one_that_needs_none() -> None:
    track = SentTrack(CLIP)
    [_, (_, shown)] = await sent(track, 2)
    track.flow = Flow.FROZEN
    assert await sent(track, 3) == [(NOTHING_NEW, shown)] * 3
    track.flow = Flow.ON
    [(payload, pts)] = await sent(track, 1)
    assert payload == b"key"
    assert pts >= shown + 4 * 900, "time went on meanwhile"


async def test_a_track_that_is_off_sends_nothing_until_it_is_on() -> None:
    track = SentTrack(CLIP)
    await sent(track, 2)
    track.flow = Flow.OFF
    waiting = asyncio.create_task(track.recv())
    done, _ = await asyncio.wait({waiting}, timeout=0.1)
    assert not done
    track.flow = Flow.ON
    assert bytes(await asyncio.wait_for(waiting, 5)) == b"key"


async def test_a_stopped_track_ends() -> None:
    track = SentTrack(CLIP)
    track.stop()
    with pytest.raises(MediaStreamError):
        await track.recv()
