"""Two HD supervision sessions as packets, made up: what their headers are on the wire, and when each is due. Pure but
for `play`.

Each session is one flow each way: STUN and DTLS first, then Opus every 20 ms and 720p30 in ten packets a frame, as
SRTP, with RTCP every second and consent (RFC 7675) every five. Payloads are noise, as they are to an observer.
"""

import heapq
import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

SESSIONS = 2
AUDIO_PER_S, VIDEO_FRAMES_PER_S, PACKETS_PER_FRAME = 50, 30, 10
PACKETS_PER_S = SESSIONS * 2 * (AUDIO_PER_S + VIDEO_FRAMES_PER_S * PACKETS_PER_FRAME)
AUDIO_BYTES, VIDEO_BYTES = 100, 1050  # 2.5 Mbit/s of video
PLATFORM = "198.51.100.30"

_ETHERNET = bytes.fromhex("02000000000102000000000208 00".replace(" ", ""))
_IP = struct.Struct("!BBHHHBBH4s4s")
_UDP = struct.Struct("!HHHH")
_RTP = struct.Struct("!BBHII")
_EXTENSION = bytes.fromhex("bede0001") + b"\x22\x00\x00\x00"  # RFC 8285, one element of three bytes
_COOKIE = 0x2112A442


@dataclass(slots=True)
class Stream:
    """One medium of a session in one way."""

    payload_type: int
    clock_hz: int
    frames_per_s: int
    packets_per_frame: int
    packet_bytes: int
    ssrc: int
    sequence: int = 0

    def frame(self, number: int) -> Iterator[bytes]:
        """The UDP payloads of frame `number`."""
        timestamp = number * self.clock_hz // self.frames_per_s & 0xFFFFFFFF
        for place in range(self.packets_per_frame):
            last = self.packets_per_frame > 1 and place == self.packets_per_frame - 1
            second = self.payload_type | (0x80 if last else 0)
            self.sequence = (self.sequence + 1) & 0xFFFF
            head = _RTP.pack(0x90, second, self.sequence, timestamp, self.ssrc) + _EXTENSION
            yield head + os.urandom(self.packet_bytes - len(head))


def opening(server: bool) -> list[bytes]:
    """How one end of a flow begins: a connectivity check or its answer (RFC 8489), and its half of the DTLS handshake
    (RFC 6347). The last datagram holds two records, as OpenSSL and BoringSSL send them: keys change, and are used."""
    hello = bytes((2 if server else 1,)) + (100).to_bytes(3) + b"\0\0" + (0).to_bytes(3) + (100).to_bytes(3)
    sealed = _record(20, b"\x01") + _record(22, os.urandom(40), 1)
    return [consent(answer=server), _record(22, hello + os.urandom(100)), sealed]


def consent(*, answer: bool) -> bytes:
    attribute = struct.pack("!HH8s", 0x0006, 8, b"abcd:efg")
    return struct.pack("!HHI", 0x0101 if answer else 0x0001, len(attribute), _COOKIE) + os.urandom(12) + attribute


def report(ssrc: int) -> bytes:
    """SRTCP (RFC 3711): a report's first eight bytes are in clear, the E bit at the end says that the rest is not."""
    return struct.pack("!BBHI", 0x80, 200, 6, ssrc) + os.urandom(20) + struct.pack("!I", 1 << 31 | 1) + os.urandom(10)


def ethernet(payload: bytes, source: tuple[str, int], destination: tuple[str, int]) -> bytes:
    udp = _UDP.pack(source[1], destination[1], _UDP.size + len(payload), 0) + payload
    addresses = socket.inet_aton(source[0]), socket.inet_aton(destination[0])
    head = _IP.pack(0x45, 0, _IP.size + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0, *addresses)
    return _ETHERNET + head + udp


def _record(kind: int, body: bytes, epoch: int = 0) -> bytes:
    return struct.pack("!BHHHIH", kind, 0xFEFD, epoch, 0, 0, len(body)) + body


@dataclass(slots=True)
class Flow:
    """One session in one way."""

    source: tuple[str, int]
    destination: tuple[str, int]
    server: bool
    streams: tuple[Stream, ...]

    def wrap(self, payload: bytes) -> bytes:
        return ethernet(payload, self.source, self.destination)


def flows() -> list[Flow]:
    """Of all sessions, both ways."""
    made = []
    for number in range(SESSIONS):
        room, platform = (f"10.77.0.{20 + number}", 50_000 + number), (PLATFORM, 40_000 + number)
        made += [
            Flow(room, platform, False, _streams(4 * number)),
            Flow(platform, room, True, _streams(4 * number + 2)),
        ]
    return made


def _streams(ssrc: int) -> tuple[Stream, ...]:
    audio = Stream(111, 48_000, AUDIO_PER_S, 1, AUDIO_BYTES, 1000 + ssrc)
    return audio, Stream(96, 90_000, VIDEO_FRAMES_PER_S, PACKETS_PER_FRAME, VIDEO_BYTES, 1001 + ssrc)


def play(out: socket.socket, seconds: float) -> int:
    """Send all of it out of `out` for so long. Returns the packets sent."""
    made, start_s, sent = flows(), time.monotonic(), 0
    due: list[tuple[float, int, Flow, int, int]] = []
    for flow in made:
        for payload in opening(flow.server):
            sent += out.send(flow.wrap(payload)) > 0
        for which in range(-1, len(flow.streams)):
            heapq.heappush(due, (start_s + 0.05, len(due), flow, which, 0))
    while True:
        at_s, order, flow, which, number = heapq.heappop(due)
        if at_s > start_s + seconds:
            return sent
        time.sleep(max(0.0, at_s - time.monotonic()))
        payloads = _controls(flow, number) if which < 0 else list(flow.streams[which].frame(number))
        for payload in payloads:
            sent += out.send(flow.wrap(payload)) > 0
        pace_s = 1.0 if which < 0 else 1 / flow.streams[which].frames_per_s
        heapq.heappush(due, (at_s + pace_s, order, flow, which, number + 1))


def _controls(flow: Flow, second: int) -> list[bytes]:
    reports = [report(stream.ssrc) for stream in flow.streams]
    return reports if second % 5 else [*reports, consent(answer=flow.server)]
