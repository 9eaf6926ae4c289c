from probes.carrier import Carrier
from tests.probes.own_network import ip, own_network


def test_carrier_follows_the_interface_through_its_life() -> None:
    with own_network():
        carrier = Carrier("fiber0")
        seen = [carrier.up()]
        for command in (
            "link add fiber0 type veth peer name far0",
            "link set fiber0 up",  # the other end is not up: no carrier
            "link set far0 up",
            "link set far0 down",
            "link set far0 up",
            "link set fiber0 down",
            "link set fiber0 up",
            "link delete fiber0",
        ):
            ip(command)
            seen.append(carrier.up())
        carrier.close()
    assert seen == [False, False, False, True, False, True, False, True, False]


def test_loopback_has_its_carrier() -> None:
    carrier = Carrier("lo")
    assert carrier.up()
    carrier.close()
