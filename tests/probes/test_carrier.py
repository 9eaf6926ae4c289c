import time

from probes.carrier import Carrier
from tests.probes.own_network import ip, own_network


def settles_at(carrier: Carrier, wanted: bool) -> bool:
    """The kernel makes up to a second of it when changes follow each other closely, as here."""
    deadline_s = time.monotonic() + 2
    while carrier.up() is not wanted and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return carrier.up() is wanted


def test_carrier_follows_the_interface_through_its_life() -> None:
    with own_network():
        carrier = Carrier("fiber0")
        assert not carrier.up()
        for command, up in (
            ("link add fiber0 type veth peer name far0", False),
            ("link set fiber0 up", False),  # the other end is not up: no carrier
            ("link set far0 up", True),
            ("link set far0 down", False),
            ("link set far0 up", True),
            ("link set fiber0 down", False),
            ("link set fiber0 up", True),
            ("link delete fiber0", False),
        ):
            ip(command)
            assert settles_at(carrier, up), command
        carrier.close()


def test_loopback_has_its_carrier() -> None:
    carrier = Carrier("lo")
    assert carrier.up()
    carrier.close()
