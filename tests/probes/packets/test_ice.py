import struct

import pytest

from probes.errors import PeerError
from probes.packets.ice import Check, parse_check

TRANSACTION = bytes(range(12))


def stun(kind: int, *, body: int = 8, cookie: int = 0x2112A442) -> bytes:
    return struct.pack(">HHI", kind, body, cookie) + TRANSACTION + bytes(8)


@pytest.mark.parametrize(("kind", "check"), [(0x0001, Check.REQUEST), (0x0101, Check.ANSWER), (0x0111, Check.ANSWER)])
def test_a_binding_is_a_check_and_its_header_is_enough(kind: int, check: Check) -> None:
    assert parse_check(b"?" + stun(kind)[:20], 1, 28) == (check, TRANSACTION)


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(stun(0x0003), id="TURN allocate"),
        pytest.param(stun(0x0011), id="binding indication: nobody answers it"),
        pytest.param(stun(0x0001, cookie=7), id="no cookie"),
        pytest.param(stun(0x0001, body=12), id="longer than its datagram"),
        pytest.param(stun(0x0001, body=7), id="no multiple of four"),
        pytest.param(stun(0x0001)[:19], id="cut"),
    ],
)
def test_what_is_no_check_is_refused(packet: bytes) -> None:
    with pytest.raises(PeerError):
        parse_check(packet, 0, len(packet))
