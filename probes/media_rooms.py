"""Which room a packet belongs to and which way it goes, by its addresses. Pure; asked once for each flow."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address

from probes.packets.bpf import Network
from probes.reading import Way


class RoomMap:
    """The networks of each room by its name, and the platform's (none: anywhere outside the rooms)."""

    def __init__(self, rooms: Mapping[str, Sequence[Network]], platform: Sequence[Network]) -> None:
        self._rooms = rooms
        self._platform = platform

    def place(self, source: bytes, destination: bytes) -> tuple[str, Way] | None:
        """(room, way) of a packet between two packed addresses; None inside a room, between two, or past them all.

        A platform that stands inside a room's network is the platform.
        """
        here, there = self._room_of(source), self._room_of(destination)
        if here == there:
            return None
        for room, other, far, way in (
            (here, there, destination, Way.FROM_ROOM),
            (there, here, source, Way.TO_ROOM),
        ):
            if room is not None and (_within(far, self._platform) if self._platform else other is None):
                return room, way
        return None

    def _room_of(self, packed: bytes) -> str | None:
        return next((name for name, networks in self._rooms.items() if _within(packed, networks)), None)


def _within(packed: bytes, networks: Iterable[Network]) -> bool:
    address = ip_address(packed)
    return any(address in network for network in networks)
