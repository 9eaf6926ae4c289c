"""Which room a packet belongs to and which way it goes, by its addresses. Pure; asked once for each flow."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

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
        (sender, sent_by_platform), (receiver, sent_to_platform) = self._who(source), self._who(destination)
        if sender is not None and sent_to_platform:
            return sender, Way.FROM_ROOM
        if receiver is not None and sent_by_platform:
            return receiver, Way.TO_ROOM
        return None

    def _who(self, packed: bytes) -> tuple[str | None, bool]:
        """(the room it stands in, whether it is the platform)."""
        address = ip_address(packed)
        if _within(address, self._platform):
            return None, True
        room = next((name for name, networks in self._rooms.items() if _within(address, networks)), None)
        return room, room is None and not self._platform


def _within(address: IPv4Address | IPv6Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
