"""The edge box in line, in a network namespace of its own: lan0 and wan0 bridged, the far ends held by the test."""

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Box:
    """Frames put on the room's or the internet's side cross the bridge like anybody's."""

    def __init__(self) -> None:
        self._ends = {name: _raw_end(name) for name in ("room", "internet")}

    def from_room(self, *frames: bytes) -> None:
        self._send("room", frames)

    def from_internet(self, *frames: bytes) -> None:
        self._send("internet", frames)

    def ip(self, command: str) -> None:
        """Run one `ip` command in the box's namespace."""
        subprocess.run(["ip", *command.split()], check=True, capture_output=True)

    def close(self) -> None:
        for end in self._ends.values():
            end.close()

    def _send(self, end: str, frames: tuple[bytes, ...]) -> None:
        for frame in frames:
            self._ends[end].send(frame)


@contextmanager
def in_line_box() -> Iterator[Box]:
    """This thread moves into a new namespace that holds the box, and back. Needs CAP_SYS_ADMIN."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        _check(_libc.unshare(_CLONE_NEWNET))
        try:
            _build()
            box = Box()
            try:
                yield box
            finally:
                box.close()
        finally:
            _check(_libc.setns(home, _CLONE_NEWNET))
    finally:
        os.close(home)


def _build() -> None:
    commands = """
        link add lan0 type veth peer name room
        link add wan0 type veth peer name internet
        link add br0 type bridge
        link set lan0 master br0
        link set wan0 master br0
        link set lo up
        link set room up
        link set internet up
        link set lan0 up
        link set wan0 up
        link set br0 up
    """
    script = "\n".join(line.strip() for line in commands.strip().splitlines())
    subprocess.run(["ip", "-batch", "-"], input=script, text=True, check=True, capture_output=True)


def _raw_end(name: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # protocol 0: sends, and never receives
    end.bind((name, 0))
    return end


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
