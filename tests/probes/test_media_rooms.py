from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest

from probes.media_rooms import RoomMap
from probes.packets.bpf import Network
from probes.reading import Way

ROOMS = {"ct": (ip_network("10.77.0.0/16"),), "mr": (ip_network("10.78.0.0/24"), ip_network("fd78::/64"))}
CT, MR, MR_6, ELSEWHERE = "10.77.0.20", "10.78.0.20", "fd78::20", "198.51.100.30"
IN_THE_HOUSE = "10.77.9.5"


@pytest.mark.parametrize(
    ("platform", "source", "destination", "expected"),
    [
        pytest.param([], CT, ELSEWHERE, ("ct", Way.FROM_ROOM), id="from a room"),
        pytest.param([], ELSEWHERE, MR, ("mr", Way.TO_ROOM), id="to a room"),
        pytest.param([], MR_6, "2001:db8::30", ("mr", Way.FROM_ROOM), id="over IPv6"),
        pytest.param([], CT, "10.77.0.30", None, id="inside a room"),
        pytest.param([], CT, MR, None, id="between rooms"),
        pytest.param([], ELSEWHERE, "203.0.113.5", None, id="past them all"),
        pytest.param([ELSEWHERE], CT, ELSEWHERE, ("ct", Way.FROM_ROOM), id="to the platform"),
        pytest.param([ELSEWHERE], CT, "203.0.113.5", None, id="to somebody else"),
        pytest.param([ELSEWHERE], CT, MR, None, id="between rooms, with a platform"),
        pytest.param([IN_THE_HOUSE], CT, IN_THE_HOUSE, ("ct", Way.FROM_ROOM), id="to a platform in the same network"),
        pytest.param([IN_THE_HOUSE], IN_THE_HOUSE, CT, ("ct", Way.TO_ROOM), id="from a platform in the same network"),
        pytest.param([IN_THE_HOUSE], IN_THE_HOUSE, MR, ("mr", Way.TO_ROOM), id="from a platform in another's network"),
        pytest.param([IN_THE_HOUSE, ELSEWHERE], IN_THE_HOUSE, ELSEWHERE, None, id="between platforms"),
    ],
)
def test_a_packet_belongs_to_the_room_at_one_end_with_the_platform_at_the_other(
    platform: Sequence[str], source: str, destination: str, expected: tuple[str, Way] | None
) -> None:
    networks: list[Network] = [ip_network(address) for address in platform]
    place = RoomMap(ROOMS, networks).place(ip_address(source).packed, ip_address(destination).packed)
    assert place == expected
