"""The shaper on a real kernel: sorting, new rates, drift, what others put there, and leaving no trace."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from qos.rates import Rates, WantedRates
from qos.reading import ShaperCause, ShaperReading, ShaperState
from qos.settings import QosSettings
from qos.shaper import Shaper, run
from tests.qos.in_line import ARP, IPV4, IPV6, LLDP, frame, in_line_box, ip, put, sent, tc, tree, until
from tests.qos.packets import ICMPV6, PACS, PLATFORM, PLATFORM6, ROOM, TCP, ipv4, ipv6, ports

RULES: dict[str, Any] = {
    "p1": {
        "ports": [
            {"protocol": "udp", "port": "5004-5006", "host": PLATFORM},
            {"protocol": "udp", "port": "5004-5006", "host": "2001:db8:51::/48"},
        ]
    },
    "p2": {"ports": [{"protocol": "tcp", "port": 443, "host": PLATFORM}]},
    "p3": {"ports": [{"host": PACS, "toward": "room"}]},
}
FAST = Rates(up_bps=20_000_000, down_bps=50_000_000)


def site(*interfaces: tuple[str, str], **more: Any) -> QosSettings:
    named = [{"name": name, "direction": direction} for name, direction in interfaces or [("wan0", "up")]]
    return QosSettings.model_validate({"interfaces": named, **RULES, **more})


def states(readings: tuple[ShaperReading, ...]) -> list[tuple[ShaperState, ShaperCause]]:
    return [(each.state, each.cause) for each in readings]


ACTIVE = (ShaperState.ACTIVE, ShaperCause.NONE)
DRIFTED = (ShaperState.DRIFTED, ShaperCause.NONE)
OFF = (ShaperState.OFF, ShaperCause.NONE)
NO_INTERFACE = (ShaperState.FAILED, ShaperCause.NO_INTERFACE)
REFUSED = (ShaperState.FAILED, ShaperCause.REFUSED)

MARKED = {
    "IPv4 EF": (frame(IPV4, ipv4(ports(9, 9), dscp=46)), "p1"),
    "IPv4 AF41": (frame(IPV4, ipv4(ports(9, 9), dscp=34)), "p1"),
    "IPv4 CS5": (frame(IPV4, ipv4(ports(9, 9), dscp=40)), "p2"),
    "IPv4 AF21": (frame(IPV4, ipv4(ports(9, 9), dscp=18)), "p3"),
    "IPv4 unmarked": (frame(IPV4, ipv4(ports(9, 9))), "p4"),
    "IPv4 with options, EF": (frame(IPV4, ipv4(ports(9, 9), dscp=46, options=bytes(4))), "p1"),
    "IPv4 media port": (frame(IPV4, ipv4(ports(40000, 5005))), "p1"),
    "IPv4 port beside it": (frame(IPV4, ipv4(ports(40000, 5007))), "p4"),
    "IPv4 later fragment": (frame(IPV4, ipv4(ports(40000, 5005), fragment=185)), "p4"),
    "IPv4 TCP authentication": (frame(IPV4, ipv4(ports(40000, 443) + bytes(12), protocol=TCP)), "p2"),
    "IPv4 images marked EF": (frame(IPV4, ipv4(ports(9, 9), source=PACS, dscp=46)), "p3"),
    "IPv6 EF": (frame(IPV6, ipv6(ports(9, 9), dscp=46, flow=0xFFFFF)), "p1"),
    "IPv6 CS5": (frame(IPV6, ipv6(ports(9, 9), dscp=40)), "p2"),
    "IPv6 AF21": (frame(IPV6, ipv6(ports(9, 9), dscp=18)), "p3"),
    "IPv6 unmarked": (frame(IPV6, ipv6(ports(9, 9))), "p4"),
    "IPv6 media port": (frame(IPV6, ipv6(ports(40000, 5004))), "p1"),
    "IPv6 port beside it": (frame(IPV6, ipv6(ports(40000, 5003))), "p4"),
    "IPv6 neighbour discovery": (frame(IPV6, ipv6(bytes([135]) + bytes(23), protocol=ICMPV6)), "p2"),
    "IPv6 echo": (frame(IPV6, ipv6(bytes([128]) + bytes(23), protocol=ICMPV6)), "p4"),
    "ARP": (frame(ARP, bytes(28)), "p2"),
    "LLDP": (frame(LLDP, bytes(46)), "p2"),
    "tagged IPv4 EF": (frame(IPV4, ipv4(ports(9, 9), dscp=46), vlan=7), "p1"),
    "tagged IPv4 media port": (frame(IPV4, ipv4(ports(40000, 5004)), vlan=7), "p1"),
    "tagged IPv4 unmarked": (frame(IPV4, ipv4(ports(9, 9)), vlan=7), "p4"),
    "tagged IPv6 media port": (frame(IPV6, ipv6(ports(40000, 5006)), vlan=7), "p1"),
    "tagged IPv6 unmarked": (frame(IPV6, ipv6(ports(9, 9)), vlan=7), "p4"),
    "tagged ARP": (frame(ARP, bytes(28), vlan=7), "p2"),
}


async def test_every_packet_is_counted_in_its_class_on_the_way_up() -> None:
    with in_line_box():
        shaper = Shaper(site())
        await shaper.apply(FAST)
        for what, (one, name) in MARKED.items():
            before = sent("wan0")
            put("room0", *[one] * 3)
            await until(lambda before=before: sum(sent("wan0").values()) == sum(before.values()) + 3)  # type: ignore[misc]
            grown = {each: count - before[each] for each, count in sent("wan0").items() if count != before[each]}
            assert grown == {name: 3}, what
        (reading,) = await shaper.read()
        assert {each.name: each.packets for each in reading.classes} == sent("wan0")


async def test_towards_the_room_the_platform_is_the_source() -> None:
    with in_line_box():
        shaper = Shaper(site(("wan0", "up"), ("lan0", "down")))
        await shaper.apply(FAST)
        media = ipv4(ports(5004, 40000), source=PLATFORM, destination=ROOM)
        media6 = ipv6(ports(5006, 40000), source=PLATFORM6, destination="2001:db8:77::20")
        other = ipv4(ports(40000, 5004), source=PLATFORM, destination=ROOM)
        put("router0", frame(IPV4, media), frame(IPV6, media6), frame(IPV4, other))
        await until(lambda: sent("lan0") == {"p1": 2, "p2": 0, "p3": 0, "p4": 1})
        assert sum(sent("wan0").values()) == 0


async def test_a_reading_tells_rate_leaf_and_what_passed_since_the_last() -> None:
    with in_line_box():
        now = iter([0.0, 0.0, 10.0, 10.0])
        shaper = Shaper(site(), monotonic=lambda: next(now))
        (first,) = await shaper.apply(FAST)
        assert (first.interface, first.direction, first.rate_bps) == ("wan0", "up", 19_000_000)
        assert first.leaf in ("cake", "fq_codel", "bfifo")
        assert f"qdisc {first.leaf} ed71: parent ed6f:10" in tc("qdisc show dev wan0")
        assert [each.rate_bps for each in first.classes] == [None] * 4
        put("room0", *[frame(IPV4, ipv4(ports(9, 9, bytes(972)), dscp=46))] * 10)  # 1014 bytes each
        await until(lambda: sent("wan0")["p1"] == 10)
        (second,) = await shaper.read()
        assert [(each.name, each.bytes, each.rate_bps) for each in second.classes] == [
            ("p1", 10_140, 10_140 * 8 / 10),
            ("p2", 0, 0.0),
            ("p3", 0, 0.0),
            ("p4", 0, 0.0),
        ]


async def test_applying_twice_changes_nothing_and_keeps_the_counters() -> None:
    with in_line_box():
        shaper = Shaper(site())
        await shaper.apply(FAST)
        put("room0", MARKED["IPv4 EF"][0])
        await until(lambda: sent("wan0")["p1"] == 1)
        before = tree("wan0")
        assert states(await shaper.apply(FAST)) == [ACTIVE]
        assert states(await Shaper(site()).apply(FAST)) == [ACTIVE]
        assert tree("wan0") == before
        assert sent("wan0")["p1"] == 1


async def test_a_new_rate_loses_no_waiting_packet() -> None:
    with in_line_box():
        shaper = Shaper(site())
        await shaper.set_rate(100_000, None)
        full = frame(IPV4, ipv4(ports(9, 9, bytes(972))))
        put("room0", *[full] * 14)  # 1.2 s at this rate; the shortest leaf holds 15 180 bytes
        (waiting,) = await shaper.read()
        assert waiting.classes[3].backlog_bytes > 5000
        (faster,) = await shaper.set_rate(20_000_000, None)
        assert faster.rate_bps == 19_000_000
        await until(lambda: sent("wan0")["p4"] >= 12)
        await until(lambda: "backlog 0b 0p" in tc("-s qdisc show dev wan0 root"))
        (after,) = await shaper.read()
        # A torn-down tree would lose them uncounted; cake may drop one or two that waited too long for the new rate.
        assert after.classes[3].packets + after.classes[3].drops == 14
        assert after.classes[3].drops <= (2 if after.leaf == "cake" else 0)


async def test_a_full_class_drops_and_says_so() -> None:
    with in_line_box():
        shaper = Shaper(site())
        await shaper.set_rate(100_000, None)
        put("room0", *[frame(IPV4, ipv4(ports(9, 9, bytes(972))))] * 3000)  # more than the 4 MB cake allows itself
        (reading,) = await shaper.read()
        assert reading.classes[3].drops > 20


@pytest.mark.parametrize(
    "meddling",
    [
        ["class change dev wan0 parent ed6f:1 classid ed6f:10 htb rate 1mbit ceil 19mbit prio 0"],
        ["class add dev wan0 parent ed6f:1 classid ed6f:50 htb rate 1mbit"],
        ["qdisc replace dev wan0 parent ed6f:20 handle 5: pfifo limit 3"],
        ["qdisc del dev wan0 parent ed6f:40 handle ed74:"],
        ["qdisc change dev wan0 root handle ed6e: tbf rate 5mbit burst 3000 limit 20000"],
        ["filter del dev wan0 parent ed6f: protocol ip prio 10"],
        ["filter add dev wan0 parent ed6f: protocol ip prio 1 u32 match u32 0 0 classid ed6f:10"],
        ["filter add dev wan0 parent ed6f: protocol all prio 2 bpf bytecode 1,6\xa00\xa00\xa01, classid ed6f:10"],
        ["qdisc del dev wan0 root"],
        ["qdisc del dev wan0 root", "qdisc add dev wan0 root handle ed6e: pfifo limit 10"],
    ],
    ids=lambda meddling: meddling[-1],
)
async def test_what_somebody_changed_is_drifted_and_put_back(meddling: list[str]) -> None:
    with in_line_box():
        shaper = Shaper(site())
        await shaper.apply(FAST)
        planned = tree("wan0")
        for command in meddling:
            tc(command)
        assert tree("wan0") != planned
        assert states(await shaper.verify()) == [DRIFTED, ACTIVE]
        assert tree("wan0") == planned
        assert states(await shaper.verify()) == [ACTIVE]


async def test_a_tree_that_is_gone_is_noticed_by_the_next_reading() -> None:
    with in_line_box():
        shaper = Shaper(site())
        await shaper.apply(FAST)
        tc("qdisc del dev wan0 root")
        assert states(await shaper.read()) == [DRIFTED, ACTIVE]
        assert "htb ed6f:" in tc("qdisc show dev wan0")


async def test_removing_leaves_the_interface_as_it_was_found() -> None:
    with in_line_box():
        tc("qdisc add dev wan0 clsact")
        before = {name: tree(name) for name in ("wan0", "lan0", "br0")}
        shaper = Shaper(site(("wan0", "up"), ("lan0", "down")))
        await shaper.apply(FAST)
        assert tree("wan0") != before["wan0"]
        assert states(await shaper.remove()) == [OFF, OFF]
        assert {name: tree(name) for name in ("wan0", "lan0", "br0")} == before


async def test_a_direction_without_a_rate_is_left_unshaped() -> None:
    with in_line_box():
        shaper = Shaper(site(("wan0", "up"), ("lan0", "down")))
        assert states(await shaper.apply(Rates(up_bps=5_000_000))) == [ACTIVE, OFF]
        assert "htb" not in tc("qdisc show dev lan0")
        assert states(await shaper.apply(Rates(down_bps=5_000_000))) == [OFF, ACTIVE]
        assert "htb" not in tc("qdisc show dev wan0")


async def test_somebodys_own_queue_is_refused_and_stays() -> None:
    with in_line_box():
        tc("qdisc add dev wan0 root handle 5: pfifo limit 77")
        before = tree("wan0")
        shaper = Shaper(site(("wan0", "up"), ("lan0", "down")))
        assert states(await shaper.apply(FAST)) == [REFUSED, ACTIVE]
        assert tree("wan0") == before
        await shaper.remove()
        assert tree("wan0") == before
        await shaper.apply(FAST)
        tc("qdisc del dev wan0 root")
        assert states(await shaper.verify()) == [ACTIVE, ACTIVE]


async def test_a_missing_interface_fails_alone_and_is_taken_up_when_it_comes() -> None:
    with in_line_box():
        shaper = Shaper(site(("usb0", "up"), ("lan0", "down")))
        assert states(await shaper.apply(FAST)) == [NO_INTERFACE, ACTIVE]
        ip("link add usb0 type veth peer name usb1")
        assert states(await shaper.verify()) == [ACTIVE, ACTIVE]
        ip("link del usb0")
        assert states(await shaper.read()) == [DRIFTED, NO_INTERFACE, ACTIVE]


async def test_without_the_right_to_it_is_said_so() -> None:
    script = """
        import asyncio
        from qos.rates import Rates
        from qos.settings import QosSettings
        from qos.shaper import Shaper
        site = QosSettings.model_validate({"interfaces": [{"name": "wan0", "direction": "up"}]})
        (reading,) = asyncio.run(Shaper(site).apply(Rates(up_bps=5_000_000)))
        print(reading.state, reading.cause)
    """
    with in_line_box():
        # A user namespace of its own has no rights over this network.
        command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", textwrap.dedent(script)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        assert done.stdout.splitlines()[-1] == "failed no_permission"
        assert "htb" not in tc("qdisc show dev wan0")


@contextmanager
def another_process() -> Iterator[subprocess.Popen[str]]:
    """Shapes wan0, has emitted its first reading, and goes on until it is killed."""
    script = """
        import asyncio
        from qos.rates import Rates, WantedRates
        from qos.settings import QosSettings
        from qos.shaper import run
        site = QosSettings.model_validate({"interfaces": [{"name": "wan0", "direction": "up"}]})
        emit = lambda reading: print("emitted", flush=True)
        asyncio.run(run(site, emit, WantedRates(Rates(up_bps=20_000_000))))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert "emitted\n" in process.stdout, "ended before its first reading"
        yield process
    finally:
        process.kill()
        process.communicate()


async def test_a_killed_process_leaves_a_tree_that_the_next_one_adopts() -> None:
    with in_line_box(), another_process() as process:
        put("room0", MARKED["IPv4 EF"][0])
        await until(lambda: sent("wan0")["p1"] == 1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        left = tree("wan0")
        assert "htb ed6f:" in " ".join(left)
        same = QosSettings.model_validate({"interfaces": [{"name": "wan0", "direction": "up"}]})
        (adopted,) = await Shaper(same).apply(Rates(up_bps=20_000_000))
        assert adopted.state is ShaperState.ACTIVE
        assert adopted.classes[0].packets == 1
        assert tree("wan0") == left
        shaper = Shaper(site(margin=0.9))
        (changed,) = await shaper.apply(Rates(up_bps=10_000_000))
        assert changed.rate_bps == 9_000_000
        await shaper.remove()
        assert "ed6" not in tc("qdisc show dev wan0")


async def test_running_emits_holds_the_wanted_rates_and_cleans_up_when_cancelled() -> None:
    readings: list[ShaperReading] = []
    with in_line_box():
        before = tree("wan0")
        wanted = WantedRates()
        task = asyncio.create_task(run(site(reading_s=0.2, verify_s=1), readings.append, wanted))
        await until(lambda: bool(readings))
        assert (readings[0].state, readings[0].classes) == (ShaperState.OFF, ())
        wanted.set(Rates(up_bps=20_000_000))
        await until(lambda: readings[-1].state is ShaperState.ACTIVE)
        wanted.set(Rates(up_bps=4_000_000))
        await until(lambda: readings[-1].rate_bps == 3_800_000)
        seen = len(readings)
        await until(lambda: len(readings) >= seen + 3)
        tc("class change dev wan0 parent ed6f:1 classid ed6f:10 htb rate 1mbit ceil 2mbit prio 0")
        await until(lambda: any(each.state is ShaperState.DRIFTED for each in readings))
        await until(lambda: readings[-1].state is ShaperState.ACTIVE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert readings[-1].state is ShaperState.OFF
        assert tree("wan0") == before


async def test_cancelled_in_the_middle_of_building_nothing_is_left() -> None:
    with in_line_box():
        before = tree("wan0")
        for steps in (5, 40, 150):
            task = asyncio.create_task(run(site(), lambda _: None, WantedRates(FAST)))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert tree("wan0") == before
