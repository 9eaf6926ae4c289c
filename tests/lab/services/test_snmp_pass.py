import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.snmp_pass import Current, answer, parse_oid, serve
from lab.services.snmp_tree import PEPLINK, Kind, Tree, Value, dotted

TREE = Tree(
    {(*PEPLINK, 2): Value(Kind.STRING, "Fiber"), (*PEPLINK, 10): Value(Kind.INTEGER, 3), (9,): Value(Kind.INTEGER, 0)}
)
P = dotted(PEPLINK)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (f"get\n{P}.2\n", f"{P}.2\nstring\nFiber\n"),
        (f"get\n{P}.3\n", "NONE\n"),
        (f"getnext\n{P}\n", f"{P}.2\nstring\nFiber\n"),
        (f"getnext\n{P}.2\n", f"{P}.10\ninteger\n3\n"),
        (f"getnext\n{P}.10\n", "NONE\n"),  # what comes next is not ours
        (f"set\n{P}.10\ninteger 5\n", "not-writable\n"),
        ("PING\n", "PONG\n"),
        ("get\n.1.x\n", "NONE\n"),
        ("hello\n", "NONE\n"),
        (f"PING\nget\n{P}.10\n", f"PONG\n{P}.10\ninteger\n3\n"),
    ],
)
def test_net_snmp_is_answered_in_its_own_protocol(asked: str, expected: str) -> None:
    said = io.StringIO()
    serve(io.StringIO(asked), said, lambda: TREE)
    assert said.getvalue() == expected


@given(st.text())
def test_garbage_is_answered_and_never_raised(text: str) -> None:
    serve(io.StringIO(text), io.StringIO(), lambda: TREE)


@given(st.text())
def test_what_is_no_oid_is_empty(text: str) -> None:
    assert all(part >= 0 for part in parse_oid(text))


def test_the_tree_follows_the_world(tmp_path: Path) -> None:
    current = Current(tmp_path, device_branch=False)
    state = (*PEPLINK, 2, 1, 2, 1, 3, 0)
    assert answer(current(), "get", state).endswith("integer\n3\n")
    (tmp_path / "world.json").write_text('{"router": {"wans": {"0": {"state": 6}}}}')
    assert answer(current(), "get", state).endswith("integer\n6\n")
