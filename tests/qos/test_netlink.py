"""Trees through the real kernel and back, with iproute2 as the second opinion."""

import asyncio
import re

import pytest

from qos.diff import Add, Change, Delete, diff
from qos.errors import KernelRefusedError
from qos.netlink import Kernel, OperationRefusedError
from qos.plan import CLASS_IDS, HTB_HANDLE, Abilities, plan
from qos.reading import ShaperCause
from qos.settings import QosSettings
from qos.tree import ROOT, Bfifo, Filter, Foreign, Qdisc, Tree
from tests.qos.in_line import in_line_box, tc, tree

SITE = QosSettings.model_validate(
    {
        "interfaces": [{"name": "wan0", "direction": "up"}],
        "p1": {"ports": [{"protocol": "udp", "port": "5004-5006", "host": "198.51.100.30"}]},
        "p3": {"ports": [{"host": "2001:db8::/61", "toward": "room"}]},
    }
)


def wanted(link_bps: int, *, tbf: bool = True) -> Tree:
    return plan(SITE, "up", link_bps=link_bps, abilities=Abilities(leaves=("bfifo",), tbf=tbf))


async def bring(kernel: Kernel, want: Tree) -> int:
    found = await kernel.read("wan0")
    operations = diff(want, found.tree)
    await kernel.carry_out("wan0", found.index, operations)
    return len(operations)


@pytest.mark.parametrize("tbf", [True, False], ids=["under tbf", "htb alone"])
async def test_what_was_asked_is_read_back_to_the_last_bit_at_any_rate(tbf: bool) -> None:
    with in_line_box():
        kernel = Kernel()
        for link_bps in (100_000, 1_234_567, 20_000_000, 100_000_000, 10_000_000_000):
            assert await bring(kernel, wanted(link_bps, tbf=tbf)) > 0
            found = await kernel.read("wan0")
            assert diff(wanted(link_bps, tbf=tbf), found.tree) == []
            assert set(found.tree.filters) == set(wanted(link_bps, tbf=tbf).filters)


async def test_iproute2_sees_the_same_tree() -> None:
    with in_line_box():
        await bring(Kernel(), wanted(20_000_000))
        shown = tree("wan0")
        for line in (
            r"qdisc tbf ed6e: root rate 19Mbit burst 303\db/1 .*",
            r"qdisc htb ed6f: parent ed6e:1 r2q 10 default 0x40 .*",
            r"class htb ed6f:1 root rate 19Mbit ceil 19Mbit .*",
            r"class htb ed6f:10 parent ed6f:1 leaf ed71: prio 0 quantum 1518 rate 7600Kbit ceil 19Mbit .*",
            r"class htb ed6f:20 parent ed6f:1 leaf ed72: prio 1 quantum 1518 rate 3800Kbit ceil 19Mbit .*",
            r"class htb ed6f:30 parent ed6f:1 leaf ed73: prio 2 quantum 1518 rate 3800Kbit ceil 19Mbit .*",
            r"class htb ed6f:40 parent ed6f:1 leaf ed74: prio 3 quantum 1518 rate 1900Kbit ceil 19Mbit .*",
            r"qdisc bfifo ed71: parent ed6f:10 limit 71250b",
            r"qdisc bfifo ed74: parent ed6f:40 limit 118750b",
            r"match c633641e/ffffffff at 16",
            r"match 0000138c/0000fffe at 20",
        ):
            assert any(re.fullmatch(line, each) for each in shown), line


async def test_each_kind_of_operation_reaches_the_kernel() -> None:
    with in_line_box():
        kernel = Kernel()
        await bring(kernel, wanted(20_000_000))
        found = await kernel.read("wan0")
        doomed = next(each for each in found.tree.filters if each.preference == 10 and each.node == 3)
        leaf = Qdisc(0xED740000, CLASS_IDS["p4"], Bfifo(4321))
        await kernel.carry_out("wan0", found.index, [Delete(doomed), Change(leaf)])
        after = (await kernel.read("wan0")).tree
        assert set(found.tree.filters) - set(after.filters) == {doomed}
        assert leaf in after.qdiscs
        await kernel.carry_out("wan0", found.index, [Add(doomed)])
        assert set((await kernel.read("wan0")).tree.filters) == set(found.tree.filters)


async def test_a_refusal_names_interface_operation_and_reason() -> None:
    with in_line_box():
        kernel = Kernel()
        found = await kernel.read("wan0")
        orphan = Add(Filter(10, 0x0800, 1, (), CLASS_IDS["p1"], HTB_HANDLE))
        with pytest.raises(OperationRefusedError, match=r"wan0: add filter 10/1: .+ \(E[A-Z]+\)") as caught:
            await kernel.carry_out("wan0", found.index, [orphan])
        assert caught.value.operation == orphan


async def test_a_kind_the_kernel_does_not_know_is_enoent() -> None:
    with in_line_box():
        kernel = Kernel()
        found = await kernel.read("wan0")
        with pytest.raises(OperationRefusedError) as caught:
            await kernel.carry_out("wan0", found.index, [Add(Qdisc(0x10000, ROOT, Foreign("no_such")))])
        assert caught.value.cause is ShaperCause.NO_KERNEL_SUPPORT


async def test_an_interface_that_is_not_there_is_said_so() -> None:
    with in_line_box(), pytest.raises(KernelRefusedError, match="wan9") as caught:
        await Kernel().read("wan9")
    assert caught.value.cause is ShaperCause.NO_INTERFACE


async def test_ingress_and_clsact_are_not_taken_for_part_of_the_tree() -> None:
    with in_line_box():
        kernel = Kernel()
        tc("qdisc add dev wan0 clsact")
        await bring(kernel, wanted(20_000_000))
        assert await bring(kernel, wanted(20_000_000)) == 0
        assert "clsact" in tc("qdisc show dev wan0")


async def test_many_visits_at_once_take_turns() -> None:
    with in_line_box():
        kernel = Kernel()
        await bring(kernel, wanted(20_000_000))
        founds = await asyncio.gather(*(kernel.read("wan0") for _ in range(8)))
        assert {len(each.tree.filters) for each in founds} == {len(wanted(20_000_000).filters)}


async def test_reading_a_big_tree_lets_the_rest_of_the_process_run() -> None:
    ports = [{"protocol": "udp", "port": f"{n}-{65000 - n}"} for n in range(1025, 1040)]
    site = QosSettings.model_validate({"interfaces": [{"name": "wan0", "direction": "up"}], "p1": {"ports": ports}})
    want = plan(site, "up", link_bps=20_000_000, abilities=Abilities(leaves=("bfifo",)))
    assert len(want.filters) > 1000
    with in_line_box():
        kernel = Kernel()
        await bring(kernel, want)
        reading = asyncio.create_task(kernel.read("wan0"))
        turns = 0
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1
        assert len(reading.result().tree.filters) == len(want.filters)
        assert turns > 20  # the rest of the process had its turn again and again; 42 measured
