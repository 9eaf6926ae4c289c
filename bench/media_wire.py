"""In a node of the lab: when did each medium bring something new across this interface? Independent of the observer.

    python -m bench.media_wire INTERFACE

Prints `ready`, then a line for each packet of WebRTC that began a new frame: seconds of CLOCK_BOOTTIME (the daemon's
clock), way, medium. Ends with its stdin. Retransmissions and what repeats a frame's time are nothing new.
"""

import select
import socket
import struct
import sys
import time
from contextlib import suppress

_SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 35, 33
_TIMESPEC = struct.Struct("@ll")
_UDP_AT, _RTP_AT = 34, 42  # Ethernet and IPv4 without options, as the lab's are
_SNAP = _RTP_AT + 12
_RTP = struct.Struct("!BBHII")
ROOM = b"\x0a\x4d\x00"  # 10.77.0.0/24
MEDIA = {96: "audio", 97: "video"}
"""Payload types as aiortc offers them; 98 is the video's RTX."""


class NewFrames:
    """Tells the packet that begins a frame from all others."""

    def __init__(self) -> None:
        self._times: dict[int, int] = {}

    def take(self, frame: bytes) -> str | None:
        """`way medium`, of an Ethernet frame; None where it is none or brings nothing new."""
        if len(frame) < _SNAP or frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_UDP:
            return None
        first, kind, _, timestamp, ssrc = _RTP.unpack_from(frame, _RTP_AT)
        medium = MEDIA.get(kind & 0x7F)
        if first >> 6 != 2 or medium is None or self._times.get(ssrc) == timestamp:
            return None
        self._times[ssrc] = timestamp
        way = "from_room" if frame[26:29] == ROOM else "to_room"
        return f"{way} {medium}"


def main() -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as tap:
        tap.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        with suppress(PermissionError):  # only the real root may; the kernel's own limit does for a quarter of a second
            tap.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
        tap.bind((sys.argv[1], 3))
        tap.setblocking(False)
        print("ready", flush=True)
        frames = NewFrames()
        while not select.select([tap, sys.stdin], [], [])[0].count(sys.stdin):
            _drain(tap, frames)
            time.sleep(0.05)  # a batch is cheaper, and the kernel's stamps stay true


def _drain(tap: socket.socket, frames: NewFrames) -> None:
    wall_ahead_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    with suppress(BlockingIOError):
        while True:
            frame, control, _, _ = tap.recvmsg(_SNAP, 64)
            if new := frames.take(frame):
                seconds, nanoseconds = _TIMESPEC.unpack(control[0][2])
                print(f"{seconds + nanoseconds / 1e9 - wall_ahead_s:.4f} {new}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
