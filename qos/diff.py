"""From the tree that is to the tree that should be: the fewest operations, in an order the kernel accepts. Pure.

Nothing to do is an empty list. Classes and leaves change in place, so that a new rate loses no queued packet; only
what the kernel cannot change (htb's own options, a class's parent, the kind of the root) tears the tree down.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from qos.plan import is_ours
from qos.tree import ROOT, Filter, Htb, HtbClass, Node, Qdisc, Tree


@dataclass(frozen=True, slots=True)
class Add:
    node: Node


@dataclass(frozen=True, slots=True)
class Change:
    """Keeps identity and queue; never used for filters."""

    node: Qdisc | HtbClass


@dataclass(frozen=True, slots=True)
class Delete:
    """A queue takes all below it along."""

    node: Node


Operation = Add | Change | Delete


def diff(want: Tree, found: Tree) -> list[Operation]:
    """What to do to `found`, whose root must be ours or the kernel's default, to make it `want`."""
    found_root, want_root = found.root, want.root
    if found_root is None or not is_ours(found):
        return _additions(want, Tree())
    if want_root is None:
        return [Delete(found_root)]
    if _needs_rebuilding(want, found):
        return [Delete(found_root), *_additions(want, Tree())]
    return [*_deletions(want, found), *_additions(want, found)]


def has_place(node: Qdisc | Filter, tree: Tree) -> bool:
    """Is what it hangs on there? A class, a queue itself (x:0) or the one slot of tbf (x:1)."""
    if node.parent == ROOT or node.parent in {each.handle for each in tree.classes}:
        return True
    return node.parent & 0xFFFF in (0, 1) and node.parent & 0xFFFF0000 in {qdisc.handle for qdisc in tree.qdiscs}


def describe(operation: Operation) -> str:
    """For the log: "add filter 10/3", "change class ed6f:10"."""
    verb = type(operation).__name__.lower()
    match operation.node:
        case Qdisc() as qdisc:
            return f"{verb} {qdisc.kind} {qdisc.handle >> 16:x}:"
        case HtbClass() as each:
            return f"{verb} class {each.handle >> 16:x}:{each.handle & 0xFFFF:x}"
        case Filter() as each:
            return f"{verb} filter {each.preference}/{each.node}"
        case _:
            assert_never(operation.node)


def _needs_rebuilding(want: Tree, found: Tree) -> bool:
    assert want.root is not None
    assert found.root is not None
    if (want.root.handle, want.root.kind) != (found.root.handle, found.root.kind):
        return True
    wanted_qdiscs = {qdisc.handle: qdisc for qdisc in want.qdiscs}
    wanted_classes = {each.handle: each for each in want.classes}
    return any(
        isinstance(qdisc.options, Htb) and qdisc.handle in wanted_qdiscs and qdisc != wanted_qdiscs[qdisc.handle]
        for qdisc in found.qdiscs
    ) or any(
        each.handle in wanted_classes and each.parent != wanted_classes[each.handle].parent for each in found.classes
    )


def _deletions(want: Tree, found: Tree) -> Iterator[Operation]:
    wanted_filters = set(want.filters)
    preferences = {each.preference for each in want.filters}
    strange = [each for each in found.filters if each not in wanted_filters]
    yield from (Delete(each) for each in strange if each.preference in preferences)
    # A preference that is nobody's plan goes as a whole, with the empty table u32 would leave.
    whole = dict.fromkeys((each.preference, each.protocol) for each in strange if each.preference not in preferences)
    yield from (Delete(Filter(*each, 0, (), 0, found.filters[0].parent)) for each in whole)
    wanted_qdiscs = {_identity(qdisc) for qdisc in want.qdiscs}
    yield from (Delete(each) for each in found.qdiscs if each.handle and _identity(each) not in wanted_qdiscs)
    wanted_classes = {each.handle for each in want.classes}
    strangers = [each for each in found.classes if each.handle not in wanted_classes]
    yield from (Delete(each) for each in _children_first(strangers))


def _children_first(classes: list[HtbClass]) -> list[HtbClass]:
    parents = {each.handle: each.parent for each in classes}

    def depth(handle: int) -> int:
        steps = 0
        while handle in parents and steps <= len(parents):
            handle, steps = parents[handle], steps + 1
        return steps

    return sorted(classes, key=lambda each: depth(each.handle), reverse=True)


def _additions(want: Tree, found: Tree) -> list[Operation]:
    """Parents first: queues above the classes, classes, leaves, then filters that point at them."""
    class_handles = {each.handle for each in want.classes}
    upper = [qdisc for qdisc in want.qdiscs if qdisc.parent not in class_handles]
    leaves = [qdisc for qdisc in want.qdiscs if qdisc.parent in class_handles]
    bearers: list[Qdisc | HtbClass] = [*upper, *want.classes, *leaves]
    standing: list[Qdisc | HtbClass] = [*found.qdiscs, *found.classes]
    there = {_identity(each): each for each in standing}
    operations: list[Operation] = []
    for node in bearers:
        present = there.get(_identity(node))
        if present is None:
            operations.append(Add(node))
        elif present != node:
            operations.append(Change(node))
    present_filters = set(found.filters)
    operations.extend(Add(each) for each in want.filters if each not in present_filters)
    return operations


def _identity(node: Qdisc | HtbClass) -> tuple[int, int, str]:
    return node.handle, node.parent, node.kind if isinstance(node, Qdisc) else "class"
