"""What the session's ends say and show: a second of tone and four of a moving bar, encoded once by the real encoders
(libopus, libvpx) and played in a loop.

An encoder running all the time at both ends would cost more than all else of the site together, and packets of the same
shape come out of it.
"""

import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from av import AudioCodecContext, AudioFrame, VideoCodecContext, VideoFrame

Kind = Literal["audio", "video"]


@dataclass(frozen=True, slots=True)
class Clip:
    """Encoded frames, one every 1/`frames_per_s` seconds. The first needs none before it: a clip may begin anew."""

    kind: Kind
    clock_hz: int
    frames_per_s: int
    frames: tuple[bytes, ...]

    @property
    def ticks_per_frame(self) -> int:
        return self.clock_hz // self.frames_per_s


AUDIO_HZ, AUDIO_FRAMES_PER_S, TONE_HZ, AUDIO_BPS = 48_000, 50, 400, 24_000
VIDEO_CLOCK_HZ, VIDEO_FRAMES_PER_S, VIDEO_BPS = 90_000, 15, 150_000
WIDTH, HEIGHT, BAR = 320, 240, 24
VIDEO_CLIP_S = 4
"""A key frame so often: longer than one needs after a loss, since a receiver that asks for one is not heard here."""


def audio_clip() -> Clip:
    """A second of Opus in frames of 20 ms (RFC 7587), about 60 bytes each."""
    encoder = AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = AUDIO_HZ, "mono", "s16"
    encoder.bit_rate = AUDIO_BPS
    encoder.options = {"application": "voip", "vbr": "off"}
    samples = AUDIO_HZ // AUDIO_FRAMES_PER_S
    frames: list[bytes] = []
    for place in range(AUDIO_FRAMES_PER_S):
        frame = AudioFrame(format="s16", layout="mono", samples=samples)
        frame.sample_rate, frame.pts, frame.time_base = AUDIO_HZ, place * samples, Fraction(1, AUDIO_HZ)
        frame.planes[0].update(_tone(place * samples, samples).ljust(frame.planes[0].buffer_size, b"\0"))
        frames += [bytes(packet) for packet in encoder.encode(frame)]
    return Clip("audio", AUDIO_HZ, AUDIO_FRAMES_PER_S, tuple(frames))


def video_clip() -> Clip:
    """VP8 (RFC 6386): one key frame, then a bar that moves over grey. Small, so that real work fits beside it."""
    encoder = VideoCodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate, encoder.gop_size = VIDEO_BPS, 10 * VIDEO_CLIP_S * VIDEO_FRAMES_PER_S
    encoder.time_base = Fraction(1, VIDEO_FRAMES_PER_S)
    encoder.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}
    frames: list[bytes] = []
    for place in range(VIDEO_CLIP_S * VIDEO_FRAMES_PER_S):
        frames += [bytes(packet) for packet in encoder.encode(_picture(place))]
    return Clip("video", VIDEO_CLOCK_HZ, VIDEO_FRAMES_PER_S, tuple(frames))


def _tone(first: int, samples: int) -> bytes:
    wave = (int(8000 * math.sin(2 * math.pi * TONE_HZ * n / AUDIO_HZ)) for n in range(first, first + samples))
    return struct.pack(f"<{samples}h", *wave)


def _picture(place: int) -> VideoFrame:
    left = place * (WIDTH - BAR) // (VIDEO_CLIP_S * VIDEO_FRAMES_PER_S)
    row = bytes(64 + x // 4 for x in range(WIDTH))
    row = row[:left] + b"\xeb" * BAR + row[left + BAR :]
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    luma, *chroma = frame.planes
    luma.update(row.ljust(luma.line_size, b"\0") * luma.height)
    for plane in chroma:
        plane.update(b"\x80" * plane.buffer_size)
    frame.pts, frame.time_base = place, Fraction(1, VIDEO_FRAMES_PER_S)
    return frame
