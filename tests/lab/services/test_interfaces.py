from lab.services.interfaces import parse, read

PROC_NET_DEV = """\
Inter-|   Receive                             |  Transmit
 face |bytes packets errs drop fifo frame c m |bytes packets errs drop fifo colls carrier compressed
    lo: 1255551    7880 1 2 0 0 0 0  1255552  7881    3    4    0     0       0          0
  wan0:171138250 100 0 0 0 0 0 0 387960 200 0 0 0 0 0 0
"""


def test_counters_are_taken_from_the_right_columns() -> None:
    assert parse(PROC_NET_DEV) == {
        "lo": ((1255551, 7880, 1, 2), (1255552, 7881, 3, 4)),
        "wan0": ((171138250, 100, 0, 0), (387960, 200, 0, 0)),
    }


def test_this_machine_has_a_loopback_that_is_up() -> None:
    loopback = next(interface for interface in read() if interface.ifname == "lo")
    assert (loopback.up, loopback.running) == (True, True)
    assert loopback.mtu > 0
    assert loopback.index > 0
