"""Which packet of a video begins a new frame: one with a timestamp nobody showed before. So a retransmission (RFC
4588), forward error correction and a packet of padding are no frames, whatever source or payload type they come in.
"""

from probes.media_clock import step_of
from probes.packets.rtp import HEADER_LEN, RtpHeader

REMEMBERED = 512
"""Timestamps of one flow and way: 17 s of one video, 5 s of three layers; senders repeat what is younger than 1–2 s."""

_PADDING_MAX = 255  # bytes, told by one byte
_OVERHEAD_MAX = 64  # header extensions, contributors, SRTP's tag
# Not shown before, yet older than the newest of its source: a wire reorders within 0.2 s of video, that is a frame; up
# to 2 s it is repair of what was sent before we looked; beyond, the source began anew.
REORDERED_TICKS, _REPAIRED_TICKS = 18_000, 180_000
_PADDING_ONLY_MAX = HEADER_LEN + _OVERHEAD_MAX + _PADDING_MAX


def is_padding_only(header: RtpHeader, length: int) -> bool:
    """Whether a packet of `length` bytes may be all padding: it is marked so, and no longer than that can be."""
    return header.padding and length <= _PADDING_ONLY_MAX


class ShownFrames:
    """The timestamps that sources of one flow and way have shown, the newest few hundred."""

    __slots__ = ("_shown",)

    def __init__(self) -> None:
        self._shown: dict[int, None] = {}

    def is_new(self, timestamp: int, newest: int | None) -> bool:
        """Whether this is a frame not shown yet; `newest` is the newest of its own source. Remembers it."""
        if timestamp in self._shown:
            return False
        if len(self._shown) >= REMEMBERED:
            del self._shown[next(iter(self._shown))]
        self._shown[timestamp] = None
        return newest is None or not -_REPAIRED_TICKS < step_of(timestamp, newest) < -REORDERED_TICKS
