"""The lab's media packets, pure: an RTP header (RFC 3550) over a body that says when it was sent and which one it is.

Both ends of the lab run on one machine, so one CLOCK_MONOTONIC makes a packet's one-way delay exact.
"""

import struct
from dataclasses import dataclass, field

HEADER = struct.Struct("!BBHII")  # V P X CC, M PT, sequence, timestamp, SSRC
BODY = struct.Struct("!QI")  # sent, nanoseconds of CLOCK_MONOTONIC; number of the packet, counted from 0
SMALLEST = HEADER.size + BODY.size
VERSION_2 = 0x80
MARKER = 0x80
REPORT = struct.Struct("!BBHIIIIII")  # V P RC, 200, length; SSRC, NTP time, RTP time, packets, octets
DESCRIPTION = struct.Struct("!BBHI")  # V P SC, 202, length; SSRC
SENDER_REPORT, SOURCE_DESCRIPTION, CNAME = 200, 202, 1
RTCP_TYPES = range(192, 224)
"""On the port of the media these second bytes are RTCP's (RFC 5761, 4)."""
NTP_AFTER_UNIX_S = 2_208_988_800


@dataclass(frozen=True, slots=True)
class Stream:
    """One medium's shape: every 1/`ticks_per_s` seconds `packets_per_tick` packets of `packet_bytes` (UDP payload)."""

    medium: str
    payload_type: int
    clock_hz: int
    ticks_per_s: int
    packets_per_tick: int
    packet_bytes: int
    port: int

    @property
    def rate_bps(self) -> int:
        return self.ticks_per_s * self.packets_per_tick * self.packet_bytes * 8


AUDIO = Stream("audio", 111, 48_000, 50, 1, 160, 5004)
VIDEO = Stream("video", 96, 90_000, 30, 6, 1040, 5006)  # 1.5 Mbit/s, the low end of 720p30
STREAMS = (AUDIO, VIDEO)


@dataclass(frozen=True, slots=True)
class Packet:
    payload_type: int
    ssrc: int
    number: int
    sent_ns: int


def build(stream: Stream, ssrc: int, number: int, sent_ns: int, tick: int | None = None) -> bytes:
    """Packet `number` of a stream, of its tick or, after a pause, of a later one. The marker bit closes a video frame;
    audio has none."""
    due, place = divmod(number, stream.packets_per_tick)
    tick = due if tick is None else tick
    closes_frame = stream.packets_per_tick > 1 and place == stream.packets_per_tick - 1
    head = HEADER.pack(
        VERSION_2,
        stream.payload_type | (MARKER if closes_frame else 0),
        number & 0xFFFF,
        tick * stream.clock_hz // stream.ticks_per_s & 0xFFFFFFFF,
        ssrc,
    )
    return (head + BODY.pack(sent_ns, number & 0xFFFFFFFF)).ljust(stream.packet_bytes, b"\0")


def sender_report(stream: Stream, ssrc: int, packets: int, tick: int, wall_s: float) -> bytes:
    """What only plain RTCP looks like: a sender report (RFC 3550, 6.4.1) and a CNAME (6.5), in clear text, of a stream
    that has sent so many packets."""
    seconds, fraction = divmod(wall_s + NTP_AFTER_UNIX_S, 1)
    ntp = int(seconds) & 0xFFFFFFFF, int(fraction * 2**32)
    timestamp = tick * stream.clock_hz // stream.ticks_per_s & 0xFFFFFFFF
    octets = packets * (stream.packet_bytes - HEADER.size) & 0xFFFFFFFF
    report = REPORT.pack(VERSION_2, SENDER_REPORT, 6, ssrc, *ntp, timestamp, packets & 0xFFFFFFFF, octets)
    item = bytes((CNAME, len(stream.medium))) + stream.medium.encode()
    item = item.ljust(len(item) // 4 * 4 + 4, b"\0")  # at least one zero ends the list
    return report + DESCRIPTION.pack(VERSION_2 | 1, SOURCE_DESCRIPTION, 1 + len(item) // 4, ssrc) + item


def parse(datagram: bytes) -> Packet | None:
    """None where it is none of ours."""
    if len(datagram) < SMALLEST or datagram[0] != VERSION_2 or datagram[1] in RTCP_TYPES:
        return None
    _, second, _, _, ssrc = HEADER.unpack_from(datagram)
    sent_ns, number = BODY.unpack_from(datagram, HEADER.size)
    return Packet(second & 0x7F, ssrc, number, sent_ns)


@dataclass(slots=True)
class Arrivals:
    """What came of one stream since `take` was last called. Numbers that never came are lost, late ones are not."""

    _ssrc: int | None = None
    _highest: int = -1
    _expected: int = 0
    _received: int = 0
    _octets: int = 0
    _delays_us: list[int] = field(default_factory=list)

    def add(self, packet: Packet, size: int, arrived_ns: int) -> None:
        """One packet of `size` bytes that came at `arrived_ns` (CLOCK_MONOTONIC)."""
        if packet.ssrc != self._ssrc:  # the sender started anew: it counts from where it is
            self._ssrc, self._highest = packet.ssrc, packet.number - 1
        if packet.number > self._highest:
            self._expected += packet.number - self._highest
            self._highest = packet.number
        self._received += 1
        self._octets += size
        self._delays_us.append((arrived_ns - packet.sent_ns) // 1000)

    def take(self) -> dict[str, object]:
        """The figures, and a fresh start. A packet that overtook the second's end makes `lost` −1 in the next."""
        figures: dict[str, object] = {
            "received": self._received,
            "lost": self._expected - self._received,
            "octets": self._octets,
            "delays_us": self._delays_us,
        }
        self._expected = self._received = self._octets = 0
        self._delays_us = []
        return figures
