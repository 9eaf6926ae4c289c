"""In a node of the lab: when did the last load packet leave by this interface? Independent of who sent it.

    python -m bench.capacity_tap INTERFACE UDP_PORT

A line on stdin is answered with the time of the last large UDP packet to or from that port that the node sent out of
the interface (seconds of the monotonic clock; null: none yet), and begins anew.
"""

import json
import os
import select
import socket
import struct
import sys
import time
from contextlib import suppress

_SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 35, 33
_TIMESPEC = struct.Struct("@ll")
_PORTS = struct.Struct("!HH")
_UDP_AT = 34  # Ethernet and IPv4 without options, as the lab's are
_LARGE_BYTES = 1000


def main() -> None:
    interface, port = sys.argv[1], int(sys.argv[2])
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    tap.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    with suppress(PermissionError):  # only the real root may; without, a late tap misses packets, but not the last
        tap.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
    tap.bind((interface, 3))
    tap.setblocking(False)
    print("ready", flush=True)
    last_s: float | None = None
    while True:
        select.select([tap, sys.stdin], [], [])
        last_s = _drain(tap, port) or last_s
        if select.select([sys.stdin], [], [], 0)[0]:
            if not os.read(sys.stdin.fileno(), 100):
                return
            print(json.dumps(last_s), flush=True)
            last_s = None


def _drain(tap: socket.socket, port: int) -> float | None:
    last_s = None
    wall_ahead_s = time.time() - time.monotonic()
    while True:
        try:
            head, control, _, source = tap.recvmsg(_UDP_AT + _PORTS.size, 64)
        except BlockingIOError:
            return last_s
        if source[2] == socket.PACKET_OUTGOING and _is_load(head, port):
            seconds, nanoseconds = _TIMESPEC.unpack(control[0][2])
            last_s = seconds + nanoseconds / 1e9 - wall_ahead_s


def _is_load(head: bytes, port: int) -> bool:
    if len(head) < _UDP_AT + _PORTS.size or head[12:14] != b"\x08\x00" or head[23] != socket.IPPROTO_UDP:
        return False
    return int.from_bytes(head[16:18]) >= _LARGE_BYTES and port in _PORTS.unpack_from(head, _UDP_AT)


if __name__ == "__main__":
    main()
