"""Which media are live in which direction, from packet headers alone. Pure: fed with facts and times, asked at a time.

Live means packets came within `silence_s`. A stream never seen is unknown; one that was seen and stopped is not live,
until `forget_s` of nothing make it unknown again. Direction is told by address: from the room, or to it.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address

from probes.media_loss import WINDOW_SLOTS, SequenceLedger, slot_of
from probes.media_settings import MediaSettings
from probes.packets.bpf import Network
from probes.packets.frame import UdpFrame
from probes.packets.rtp import RtpHeader
from probes.reading import MediaReading, Medium, StreamReading, Way

_MAX_SOURCES = 16  # per medium and way: simulcast layers, retransmission and a few restarts; more is noise
_BLIND_SLOTS = 12  # the second that is counted and the moment it settles
_FLOWS = 1024  # flows remembered; a session has fewer than ten
_EVERY_STREAM = tuple((medium, way) for medium in Medium for way in Way)

Liveness = tuple[bool | None, ...]


class MediaState:
    """The streams of a room: audio and video, to and from it."""

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._streams = {
            (medium, way): _Stream(rule.silence_s, settings.forget_s) for medium, rule in settings.media for way in Way
        }
        self._stream_of = lru_cache(_FLOWS)(self._find_stream)
        self._overrun_slot: int | None = None

    def feed(self, udp: UdpFrame, rtp: RtpHeader, t_s: float) -> None:
        """Take one packet that came at `t_s`. What is of no medium, or does not cross the room's edge, is ignored."""
        stream = self._stream_of(udp.source, udp.destination, udp.source_port, udp.destination_port, rtp.payload_type)
        if stream is not None:
            stream.feed(rtp, t_s)

    def overrun(self, t_s: float) -> None:
        """The kernel dropped packets meant for us: what is missing in the last second cannot be told from real loss."""
        self._overrun_slot = slot_of(t_s)

    def liveness(self, now_s: float) -> Liveness:
        """`live` of every stream, in the order of `reading`: cheap enough to ask ten times a second."""
        return tuple(self._streams[key].live(now_s) for key in _EVERY_STREAM)

    def reading(self, now_s: float) -> MediaReading:
        """Every stream at `now_s`: live or not, and the last second in figures."""
        slot = slot_of(now_s)
        overrun = self._overrun_slot is not None and slot - self._overrun_slot <= _BLIND_SLOTS
        return MediaReading(now_s, True, tuple(self._read(key, now_s, overrun=overrun) for key in _EVERY_STREAM))

    def _read(self, key: tuple[Medium, Way], now_s: float, *, overrun: bool) -> StreamReading:
        stream, slot = self._streams[key], slot_of(now_s)
        loss_pct = stream.loss_pct(slot)
        return StreamReading(
            medium=key[0],
            way=key[1],
            live=stream.live(now_s),
            age_s=stream.age_s(now_s),
            packet_rate_hz=stream.packet_rate_hz(slot),
            loss_pct=None if overrun else loss_pct,
        )

    def _find_stream(
        self, source: bytes, destination: bytes, source_port: int, destination_port: int, payload_type: int
    ) -> "_Stream | None":
        way = self._way(source, destination)
        if way is None:
            return None
        platform, port = (destination, destination_port) if way is Way.FROM_ROOM else (source, source_port)
        if self._settings.platform_networks and not _within(platform, self._settings.platform_networks):
            return None
        medium = self._settings.medium_of(port, payload_type)
        return None if medium is None else self._streams[medium, way]

    def _way(self, source: bytes, destination: bytes) -> Way | None:
        from_room = _within(source, self._settings.room_networks)
        to_room = _within(destination, self._settings.room_networks)
        if from_room == to_room:
            return None  # inside the room, or passing by it: no supervision
        return Way.FROM_ROOM if from_room else Way.TO_ROOM


def blind_reading(now_s: float) -> MediaReading:
    """What an observer tells that cannot see: nothing is known of any stream."""
    streams = tuple(StreamReading(medium, way, None, None, 0.0, None) for medium, way in _EVERY_STREAM)
    return MediaReading(now_s, False, streams)


def _within(packed: bytes, networks: Iterable[Network]) -> bool:
    address = ip_address(packed)
    return any(address in network for network in networks)


class _Stream:
    """One medium in one direction: all its sources together."""

    __slots__ = ("_forget_s", "_packets", "_seen_s", "_silence_s", "_sources")

    def __init__(self, silence_s: float, forget_s: float) -> None:
        self._silence_s = silence_s
        self._forget_s = forget_s
        self._seen_s: float | None = None
        self._packets: dict[int, int] = {}
        self._sources: dict[int, SequenceLedger] = {}

    def feed(self, rtp: RtpHeader, t_s: float) -> None:
        slot = slot_of(t_s)
        self._seen_s = t_s if self._seen_s is None else max(t_s, self._seen_s)
        self._packets[slot] = self._packets.get(slot, 0) + 1
        source = self._sources.get(rtp.ssrc)
        if source is not None:
            source.feed(rtp.sequence, slot)
        elif len(self._sources) < _MAX_SOURCES:
            self._sources[rtp.ssrc] = SequenceLedger(rtp.sequence, slot)

    def age_s(self, now_s: float) -> float | None:
        return None if self._seen_s is None else max(0.0, now_s - self._seen_s)

    def live(self, now_s: float) -> bool | None:
        age_s = self.age_s(now_s)
        if age_s is None or age_s > self._forget_s:
            return None
        return age_s <= self._silence_s

    def packet_rate_hz(self, now_slot: int) -> float:
        """Packets of the ten whole slots before this one, which are one second."""
        start = now_slot - WINDOW_SLOTS
        self._packets = {slot: n for slot, n in self._packets.items() if slot >= start}
        return float(sum(n for slot, n in self._packets.items() if slot < now_slot))

    def loss_pct(self, now_slot: int) -> float | None:
        counts = [source.count(now_slot) for source in self._sources.values()]
        self._sources = {
            ssrc: source for ssrc, source in self._sources.items() if now_slot - source.last_slot <= 2 * WINDOW_SLOTS
        }
        expected = sum(e for e, _ in counts)
        return 100.0 * sum(lost for _, lost in counts) / expected if expected else None
