"""The way from any tree to the plan, tried on a model that refuses what the kernel refuses."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from qos.diff import Add, Change, Delete, Operation, describe, diff, has_place
from qos.match import Key
from qos.plan import CLASS_IDS, HTB_HANDLE, Abilities, plan
from qos.settings import QosSettings
from qos.tree import ROOT, Bfifo, Filter, Foreign, Htb, HtbClass, Node, Qdisc, Tree

SITE = QosSettings.model_validate({"interfaces": [{"name": "wan0", "direction": "up"}]})
OTHER_SITE = QosSettings.model_validate(
    {
        "interfaces": [{"name": "wan0", "direction": "up"}],
        "p1": {"share_pct": 30, "ports": [{"protocol": "udp", "port": "5004-5010"}]},
        "p4": {"share_pct": 20},
    }
)
ABILITIES = [
    Abilities(leaves=("cake",)),
    Abilities(leaves=("fq_codel",)),
    Abilities(leaves=("bfifo",)),
    Abilities(leaves=("bfifo",), tbf=False),
]

plans = st.builds(
    lambda site, link_bps, abilities: plan(site, "up", link_bps=link_bps, abilities=abilities),
    st.sampled_from([SITE, OTHER_SITE]),
    st.sampled_from([500_000, 20_000_000, 100_000_000]),
    st.sampled_from(ABILITIES),
)
STRANGER = HtbClass(HTB_HANDLE | 0x50, HTB_HANDLE | 1, 8000, 8000, 64, 64, 1500, 0)
STRANGERS: list[Node] = [
    STRANGER,
    replace(STRANGER, handle=HTB_HANDLE | 0x51, parent=STRANGER.handle),
    Filter(1, 0x0800, 1, (Key(0, 0, 0),), HTB_HANDLE | 0x10, HTB_HANDLE),
    Filter(2, 3, 0, (), 0, HTB_HANDLE),
    Qdisc(0x50000, HTB_HANDLE | 0x10, Foreign("sfq")),
    Qdisc(0, HTB_HANDLE | 0x20, Foreign("pfifo")),
]


class Model:
    """As much of the kernel as decides whether an operation is accepted."""

    def __init__(self, tree: Tree) -> None:
        self.qdiscs = {each.parent: each for each in tree.qdiscs}
        self.classes = {each.handle: each for each in tree.classes}
        self.filters = set(tree.filters)

    def carry_out(self, operation: Operation) -> None:
        match operation:
            case Add(Qdisc() as qdisc):
                assert self._is_place(qdisc.parent)
                assert qdisc.parent not in self.qdiscs or self.qdiscs[qdisc.parent].handle == 0
                self.qdiscs[qdisc.parent] = qdisc
            case Add(HtbClass() as each):
                assert each.handle not in self.classes
                assert each.parent in self.classes or self._has(each.parent)
                self.classes[each.handle] = each
            case Add(Filter() as each):
                assert self._has(each.parent)
                assert each.class_id in self.classes
                assert (each.preference, each.node) not in {(f.preference, f.node) for f in self.filters}
                self.filters.add(each)
            case Change(Qdisc() as qdisc):
                before = self.qdiscs[qdisc.parent]
                assert (before.handle, before.kind) == (qdisc.handle, qdisc.kind)
                assert not isinstance(qdisc.options, Htb), "htb cannot be changed"
                self.qdiscs[qdisc.parent] = qdisc
            case Change(HtbClass() as each):
                assert self.classes[each.handle].parent == each.parent
                self.classes[each.handle] = each
            case Delete(Qdisc() as qdisc):
                assert self.qdiscs[qdisc.parent].handle == qdisc.handle
                self._drop(qdisc)
            case Delete(HtbClass() as each):
                assert each.handle not in {other.parent for other in self.classes.values()}
                assert each.handle not in {f.class_id for f in self.filters}
                del self.classes[each.handle]
                self.qdiscs.pop(each.handle, None)
            case Delete(Filter(node=0) as each):
                whole = {f for f in self.filters if (f.preference, f.protocol) == (each.preference, each.protocol)}
                assert whole
                self.filters -= whole
            case Delete(Filter() as each):
                self.filters.remove(each)

    def tree(self) -> Tree:
        mine = tuple(each for each in self.qdiscs.values() if each.handle)
        return Tree(mine, tuple(self.classes.values()), tuple(self.filters))

    def _drop(self, qdisc: Qdisc) -> None:
        del self.qdiscs[qdisc.parent]
        if qdisc.handle == HTB_HANDLE:
            self.filters.clear()
            for handle in list(self.classes):
                del self.classes[handle]
                self.qdiscs.pop(handle, None)
        if (child := self.qdiscs.get(qdisc.handle | 1)) is not None and qdisc.handle != HTB_HANDLE:
            self._drop(child)

    def _is_place(self, parent: int) -> bool:
        return parent == ROOT or parent in self.classes or self._has(parent & 0xFFFF0000)

    def _has(self, handle: int) -> bool:
        return handle in {each.handle for each in self.qdiscs.values()}


@st.composite
def disturbed(draw: st.DrawFn) -> Tree:
    """Some plan with parts missing, changed or added by others."""
    tree = draw(plans)
    model = Model(tree)
    for each in draw(st.lists(st.sampled_from([*tree.filters, *tree.qdiscs, *tree.classes]), max_size=6)):
        _forget(model, each)
    for each in draw(st.lists(st.sampled_from(list(model.classes.values()) or [STRANGER]), max_size=3)):
        if each.handle in model.classes:
            model.classes[each.handle] = replace(each, rate_bps=draw(st.sampled_from([8000, 800_000])))
    for stranger in draw(st.lists(st.sampled_from(STRANGERS), unique=True, max_size=4)):
        _graft(model, stranger)
    for parent, qdisc in list(model.qdiscs.items()):
        if isinstance(qdisc.options, Bfifo) and draw(st.booleans()):
            model.qdiscs[parent] = replace(qdisc, options=Bfifo(5000))
    return Tree(tuple(model.qdiscs.values()), tuple(model.classes.values()), tuple(model.filters))


def _forget(model: Model, node: object) -> None:
    match node:
        case Filter() if node in model.filters:
            model.filters.remove(node)
        case Qdisc() if model.qdiscs.get(node.parent) == node:
            model._drop(node)
        case HtbClass() if node.handle & 0xFFFF != 1 and node.handle in model.classes:
            model.filters = {each for each in model.filters if each.class_id != node.handle}
            model.carry_out(Delete(node))


def _graft(model: Model, stranger: Node) -> None:
    match stranger:
        case HtbClass() if stranger.parent in model.classes:
            model.classes[stranger.handle] = stranger
        case Filter() if model._has(HTB_HANDLE):
            model.filters.add(stranger)
        case Qdisc() if stranger.parent in model.classes:
            model.qdiscs[stranger.parent] = stranger


@given(plans)
def test_every_part_of_a_plan_has_its_place_in_it_and_none_in_an_empty_tree(tree: Tree) -> None:
    parts: list[Qdisc | Filter] = [*tree.qdiscs, *tree.filters]
    assert all(has_place(each, tree) for each in parts)
    assert [each for each in parts if has_place(each, Tree())] == [tree.root]
    leaf = next(each for each in tree.qdiscs if each.parent == CLASS_IDS["p1"])
    assert not has_place(leaf, replace(tree, classes=tree.classes[:1]))


def test_operations_are_described_as_tc_would_name_them() -> None:
    tree = plan(SITE, "up", link_bps=20_000_000, abilities=ABILITIES[2])
    assert describe(Add(tree.qdiscs[0])) == "add tbf ed6e:"
    assert describe(Change(tree.classes[1])) == "change class ed6f:10"
    assert describe(Delete(tree.filters[2])) == "delete filter 10/3"


@given(plans)
def test_a_tree_as_planned_needs_nothing(tree: Tree) -> None:
    assert diff(tree, tree) == []


@settings(max_examples=300, deadline=None)
@given(plans, disturbed())
def test_from_anything_of_ours_the_operations_are_accepted_and_lead_to_the_plan(want: Tree, found: Tree) -> None:
    model = Model(found)
    for operation in diff(want, found):
        model.carry_out(operation)
    assert diff(want, model.tree()) == []
    assert set(model.tree().classes) == set(want.classes)
    assert set(model.tree().filters) == set(want.filters)
    assert set(model.tree().qdiscs) == set(want.qdiscs)


@given(plans)
def test_from_the_kernels_default_everything_is_added(want: Tree) -> None:
    for default in (Tree(), Tree((Qdisc(0, ROOT, Foreign("mq")),))):
        operations = diff(want, default)
        assert {type(each) for each in operations} == {Add}
        assert len(operations) == len(want.qdiscs) + len(want.classes) + len(want.filters)


def test_another_rate_changes_in_place_and_touches_no_filter() -> None:
    slow, fast = (plan(SITE, "up", link_bps=bps, abilities=ABILITIES[2]) for bps in (20_000_000, 100_000_000))
    operations = diff(fast, slow)
    assert {type(each) for each in operations} == {Change}
    assert len(operations) == 1 + 5 + 4  # tbf, classes, leaves
    assert not any(isinstance(each.node, Filter) for each in operations)


def test_wanting_nothing_takes_off_the_root_alone() -> None:
    tree = plan(SITE, "up", link_bps=20_000_000, abilities=ABILITIES[2])
    assert tree.root is not None
    assert diff(Tree(), tree) == [Delete(tree.root)]


def test_another_leaf_is_exchanged_not_changed() -> None:
    old, new = (plan(SITE, "up", link_bps=20_000_000, abilities=each) for each in (ABILITIES[2], ABILITIES[1]))
    kinds = [(type(each), each.node.kind) for each in diff(new, old) if isinstance(each.node, Qdisc)]
    assert kinds == [(Delete, "bfifo")] * 4 + [(Add, "fq_codel")] * 4
