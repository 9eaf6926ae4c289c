"""Which media are live in which room and direction, from packet headers alone. Pure: fed with headers and times, asked
at a time.

Memory is bounded whatever comes: of the flows, those without media fall out first, and of each kind the one that was
quiet longest.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from probes.errors import PeerError
from probes.media_flow import Flow
from probes.media_lane import Lane
from probes.media_loss import slot_of
from probes.media_rooms import RoomMap
from probes.media_settings import MediaSettings
from probes.media_stream import Stream
from probes.packets.bpf import Network
from probes.packets.demux import demultiplex
from probes.packets.frame import ends_of, flow_of, reverse_of
from probes.packets.rtcp import Dress
from probes.reading import FarEnd, MediaReading, Medium, Protection, StreamReading, Way

_BLIND_SLOTS = 12  # the second that is counted and the moment it settles
_MAX_ENDS = 512  # directions of flows that showed no media yet, or are none of ours; some 1 kB each at worst
_MAX_MEDIA_ENDS = 64  # those that did: a room has two to eight
_RECENT_S = 30.0  # a flow without media for longer has no say: consent has run out by then (RFC 7675)
_FLOWING_S = 3.0  # media pass now: Opus in silence still sends every 0.4 s
_RELAYED = b"\1"  # behind addresses and ports: apart from what the TURN server itself says on them
_EVERY_STREAM = tuple((medium, way) for medium in Medium for way in Way)

Liveness = tuple[bool | None, ...]


class MediaState:
    """The rooms of a site, by name, with the networks of each."""

    def __init__(self, settings: MediaSettings, rooms: Mapping[str, Sequence[Network]]) -> None:
        self._settings = settings
        self._places = RoomMap(rooms, settings.platform_networks)
        self._rooms = {name: _Room(settings) for name in rooms}
        self._ends: OrderedDict[bytes, _End | None] = OrderedDict()
        self._media_ends: OrderedDict[bytes, _End] = OrderedDict()
        self._overrun_slot: int | None = None

    def feed(self, frame: bytes, t_s: float) -> None:
        """Take the headers of one frame that came at `t_s`. What is no media packet, or crosses no room's edge, is
        ignored.
        """
        try:
            key, at, length = flow_of(frame)
            kind, at, length, relayed = demultiplex(frame, at, length)
            if relayed:
                key += _RELAYED
            if (end := self._end(key)) is not None:
                end.flow.take(kind, end.way, frame, at, length, t_s)
        except PeerError:
            return  # noise on a media port is normal

    def overrun(self, t_s: float) -> None:
        """The kernel dropped packets meant for us: what is missing in the last second cannot be told from real loss."""
        self._overrun_slot = slot_of(t_s)

    def __len__(self) -> int:
        """Directions of flows remembered."""
        return len(self._ends) + len(self._media_ends)

    @property
    def rooms(self) -> tuple[str, ...]:
        return tuple(self._rooms)

    def liveness(self, room: str, now_s: float) -> Liveness:
        """`live` of every stream of a room, in the order of `reading`: cheap enough to ask ten times a second."""
        streams = self._rooms[room].streams
        return tuple(streams[key].live(now_s) for key in _EVERY_STREAM)

    def far_side(self, room: str, now_s: float) -> tuple[FarEnd, Protection]:
        """What is known of the other end and of the keys, as in `reading`."""
        here = self._rooms[room]
        return here.far_end(now_s), here.protection(now_s)

    def reading(self, room: str, now_s: float) -> MediaReading:
        """Every stream of a room at `now_s`: live or not, and the last second in figures."""
        overrun = self._overrun_slot is not None and slot_of(now_s) - self._overrun_slot <= _BLIND_SLOTS
        streams = self._rooms[room].streams
        readings = tuple(streams[key].reading(now_s, overrun=overrun) for key in _EVERY_STREAM)
        far_end, protection = self.far_side(room, now_s)
        return MediaReading(now_s, True, readings, room, far_end, protection)

    def _end(self, key: bytes) -> "_End | None":
        if (end := self._media_ends.get(key)) is not None:
            self._media_ends.move_to_end(key)
            return end
        if key not in self._ends:
            return self._admit(key)
        end = self._ends[key]
        if end is not None and end.flow.media_s is not None:
            del self._ends[key]
            self._promote(key, end)
        else:
            self._ends.move_to_end(key)
        return end

    def _admit(self, key: bytes) -> "_End | None":
        """A direction not seen before, or long ago: of a flow whose other direction is known, or of a new one."""
        source, destination, source_port, destination_port = ends_of(key)
        place = self._places.place(source, destination)
        end: _End | None = None
        if place is not None:
            room, way = place
            backwards = reverse_of(key)
            other = self._media_ends.get(backwards) or self._ends.get(backwards)
            port = destination_port if way is Way.FROM_ROOM else source_port
            end = _End(other.flow if other else self._rooms[room].new_flow(port), way, room)
        self._ends[key] = end
        if len(self._ends) > _MAX_ENDS:
            self._ends.popitem(last=False)
        return end

    def _promote(self, key: bytes, end: "_End") -> None:
        self._media_ends[key] = end
        self._rooms[end.room].media_flows[id(end.flow)] = end.flow
        if len(self._media_ends) > _MAX_MEDIA_ENDS:
            _, oldest = self._media_ends.popitem(last=False)
            if all(other.flow is not oldest.flow for other in self._media_ends.values()):
                self._rooms[oldest.room].media_flows.pop(id(oldest.flow), None)


class _End:
    """One direction of a flow, as its packets' addresses name it."""

    __slots__ = ("flow", "room", "way")

    def __init__(self, flow: Flow, way: Way, room: str) -> None:
        self.flow, self.way, self.room = flow, way, room


class _Room:
    """The streams of a room, and the flows they come in."""

    __slots__ = ("_settings", "media_flows", "streams")

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self.streams = {
            (medium, way): Stream(medium, way, rule.silence_s, settings.forget_s)
            for medium, rule in settings.media
            for way in Way
        }
        self.media_flows: dict[int, Flow] = {}

    def new_flow(self, platform_port: int) -> Flow:
        lanes = {way: Lane(self._settings, self.streams, way, platform_port) for way in Way}
        return Flow(lanes, self._report, self._origin)

    def far_end(self, now_s: float) -> FarEnd:
        """Of the flow that media passed last."""
        latest = max(self._recent(now_s), key=lambda flow: flow.media_s or 0.0, default=None)
        return FarEnd.UNKNOWN if latest is None else latest.far_end(now_s)

    def protection(self, now_s: float) -> Protection:
        """Clear if any flow is, encrypted if all are. What a session left behind when it was made anew has no say."""
        found = {flow.evidence.verdict(now_s) for flow in self._recent(now_s)}
        if Protection.CLEAR in found:
            return Protection.CLEAR
        flowing = {flow.evidence.verdict(now_s) for flow in self._recent(now_s, _FLOWING_S)} or found
        return Protection.ENCRYPTED if flowing == {Protection.ENCRYPTED} else Protection.UNKNOWN

    def _recent(self, now_s: float, within_s: float = _RECENT_S) -> list[Flow]:
        flows = self.media_flows.values()
        return [flow for flow in flows if flow.media_s is not None and now_s - flow.media_s <= within_s]

    def _report(self, way: Way, sender: int, dress: Dress, t_s: float) -> None:
        """RTCP may come by a port of its own: what counts is whose it is. Of an unknown sender it may be anything."""
        for evidence in {flow.evidence for flow in self.media_flows.values() if flow.known(way, sender)}:
            evidence.report(dress, t_s)

    def _origin(self, way: Way, ssrc: int) -> Flow | None:
        """Of flows a source was in, the one it was in last."""
        flows = [flow for flow in self.media_flows.values() if flow.known(way, ssrc)]
        return max(flows, key=lambda flow: flow.media_s or 0.0, default=None)


def blind_reading(now_s: float, room: str = "") -> MediaReading:
    """What an observer tells that cannot see: nothing is known of any stream."""
    streams = tuple(StreamReading(medium, way, None, None, 0.0, None) for medium, way in _EVERY_STREAM)
    return MediaReading(now_s, False, streams, room)
