import pytest

from lab.services.snmp_tree import PEPLINK, Interface, Kind, Oid, Tree, Value, dotted, peplink, standard
from lab.services.world import CALM, Router, Wan

FIBER = Interface(3, "wan0", True, True, 1500, 5_000_000_000, 10, 0, 0, 7_000_000, 20, 0, 0)


def table(**wan: object) -> Tree:
    fiber = Wan(**{"name": "Fiber", "state": 3, "health": 1, "ifname": "wan0"} | wan)  # type: ignore[arg-type]
    return Tree(peplink(Router("0", {"0": fiber, "1": CALM.router.wans["1"]}), [FIBER]))


def value(tree: Tree, *suffix: int) -> Value | None:
    return tree.get((*PEPLINK, *suffix))


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        ((2, 1, 1, 0), Value(Kind.INTEGER, 2)),
        ((2, 1, 2, 1, 2, 0), Value(Kind.STRING, "Fiber")),
        ((2, 1, 2, 1, 2, 1), Value(Kind.STRING, "Cellular")),
        ((2, 1, 2, 1, 3, 0), Value(Kind.INTEGER, 3)),
        ((2, 1, 2, 1, 3, 1), Value(Kind.INTEGER, 8)),
        ((2, 1, 2, 1, 4, 0), Value(Kind.INTEGER, 1)),
        ((2, 1, 2, 1, 5, 0), Value(Kind.INTEGER, -9999)),
        ((2, 1, 2, 1, 5, 1), Value(Kind.INTEGER, -71)),
        ((2, 1, 3, 3, 1, 1, 0), Value(Kind.ADDRESS, "100.64.1.1")),
        ((2, 1, 4, 1, 2, 0, 3), Value(Kind.COUNTER64, 7)),
        ((2, 1, 4, 1, 3, 0, 3), Value(Kind.COUNTER64, 5000)),
    ],
)
def test_the_wan_tables_start_at_index_0(suffix: Oid, expected: Value) -> None:
    assert value(table(), *suffix) == expected


def test_a_wan_without_a_line_has_no_gateway() -> None:
    assert value(table(state=2), 2, 1, 3, 3, 1, 1, 0) == Value(Kind.ADDRESS, "0.0.0.0")


def test_a_failing_health_check_shows_in_state_and_health() -> None:
    failing = table(state=6, health=0)
    assert value(failing, 2, 1, 2, 1, 3, 0) == Value(Kind.INTEGER, 6)
    assert value(failing, 2, 1, 2, 1, 4, 0) == Value(Kind.INTEGER, 0)


def test_the_device_branch_is_absent_unless_asked_for() -> None:
    assert value(table(), 200, 1, 1, 1, 1, 1, 0) is None
    older = Tree(peplink(CALM.router, [], device_branch=True))
    assert value(older, 200, 1, 1, 1, 1, 1, 0) == Value(Kind.STRING, "Peplink Balance 20X")


def test_what_comes_after_is_in_numeric_order() -> None:
    tree = Tree({(1, 3, 10): Value(Kind.INTEGER, 10), (1, 3, 9): Value(Kind.INTEGER, 9)})
    assert list(tree) == [(1, 3, 9), (1, 3, 10)]
    assert tree.after((1, 3)) == ((1, 3, 9), Value(Kind.INTEGER, 9))
    assert tree.after((1, 3, 9)) == ((1, 3, 10), Value(Kind.INTEGER, 10))
    assert tree.after((1, 3, 10)) is None


def test_interfaces_are_called_as_the_router_calls_its_wans_and_counted_in_64_bits() -> None:
    tree = Tree(standard(CALM.router, [FIBER], uptime_s=12.5))
    if_x: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
    assert tree.get((*if_x, 1, 3)) == Value(Kind.STRING, "Fiber")
    assert tree.get((*if_x, 18, 3)) == Value(Kind.STRING, "wan0")
    assert tree.get((*if_x, 6, 3)) == Value(Kind.COUNTER64, 5_000_000_000)
    assert tree.get((1, 3, 6, 1, 2, 1, 2, 2, 1, 10, 3)) == Value(Kind.COUNTER32, 5_000_000_000 - 2**32)
    assert tree.get((1, 3, 6, 1, 2, 1, 1, 3, 0)) == Value(Kind.TICKS, 1250)


def test_an_interface_without_carrier_is_down() -> None:
    dark = Interface(3, "wan0", True, False, 1500, 0, 0, 0, 0, 0, 0, 0, 0)
    tree = Tree(standard(CALM.router, [dark], uptime_s=0))
    assert tree.get((1, 3, 6, 1, 2, 1, 2, 2, 1, 7, 3)) == Value(Kind.INTEGER, 1)
    assert tree.get((1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 3)) == Value(Kind.INTEGER, 2)


def test_dotted_begins_with_a_dot_as_net_snmp_wants_it() -> None:
    assert dotted((1, 3, 6)) == ".1.3.6"
