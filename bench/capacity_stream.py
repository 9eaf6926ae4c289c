"""One end of a running stream in the lab: a call's video and audio, stamped at both ends with one clock.

The near end (`--far`) speaks first and so opens the router's translation. `go SECONDS WAY` on stdin, to both ends,
starts a stream up, down or both; both ends then print one line of JSON: what they sent and heard. A stream down begins
with one small packet up, as any would.
"""

import argparse
import asyncio
import json
import socket
import struct
import sys
import time
from itertools import count

from lab.services.rtp import AUDIO, VIDEO, Stream

PATIENCE_S = 1.0  # after the last packet: more than the cellular queue holds
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@ll")
_NUMBER = struct.Struct("!I")


class End:
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self.spoken_to: asyncio.Future[tuple[str, int]] = self._loop.create_future()
        self.sent: list[tuple[int, float]] = []
        self.heard: list[tuple[int, float]] = []
        self._numbers = count()
        self._loop.add_reader(sock, self._read)

    async def speak(self, far: tuple[str, int], seconds: float) -> None:
        async with asyncio.TaskGroup() as tasks:
            for stream in (AUDIO, VIDEO):
                tasks.create_task(self._stream(stream, far, seconds))

    def ask(self, far: tuple[str, int]) -> None:
        """For a stream, with a packet that is none of it."""
        self._sock.sendto(b"go", far)

    def begin(self) -> None:
        self.sent, self.heard = [], []
        self.spoken_to = self._loop.create_future()

    async def _stream(self, stream: Stream, far: tuple[str, int], seconds: float) -> None:
        began_s = self._loop.time()
        for tick in range(int(seconds * stream.ticks_per_s)):
            await asyncio.sleep(max(0.0, began_s + tick / stream.ticks_per_s - self._loop.time()))
            for _ in range(stream.packets_per_tick):
                number, now_s = next(self._numbers), time.monotonic()
                self.sent.append((number, now_s))
                self._sock.sendto(_NUMBER.pack(number).ljust(stream.packet_bytes, b"\0"), far)

    def _read(self) -> None:
        wall_ahead_s = time.time() - time.monotonic()
        try:
            while True:
                data, control, _, source = self._sock.recvmsg(2048, 64)
                if not self.spoken_to.done():
                    self.spoken_to.set_result(source)
                if len(data) < AUDIO.packet_bytes:
                    continue
                seconds, nanoseconds = _TIMESPEC.unpack(control[0][2])
                self.heard.append((_NUMBER.unpack_from(data)[0], seconds + nanoseconds / 1e9 - wall_ahead_s))
        except BlockingIOError:
            return


def said(end: End) -> None:
    print(json.dumps({"sent": end.sent, "heard": end.heard}), flush=True)


async def near(end: End, far: tuple[str, int]) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        _, seconds, way = line.split()
        end.begin()
        if way == "down":
            end.ask(far)
            await asyncio.sleep(float(seconds))
        else:
            await end.speak(far, float(seconds))
        await asyncio.sleep(PATIENCE_S)
        said(end)


async def far_end(end: End) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        _, seconds, way = line.split()
        end.begin()
        near_end = await end.spoken_to
        if way == "up":
            await asyncio.sleep(float(seconds))
        else:
            await end.speak(near_end, float(seconds))
        await asyncio.sleep(PATIENCE_S)
        said(end)


async def serve(chosen: argparse.Namespace) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sock.bind((chosen.host, chosen.port))
        end = End(sock)
        print("ready", flush=True)
        await (near(end, (chosen.far, chosen.port)) if chosen.far else far_end(end))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--far")
    parser.add_argument("--port", type=int, default=5900)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
