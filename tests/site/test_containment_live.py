"""The containment protocol on the line: real namespaces, real daemon, real broker, SNMP and NUT."""

import asyncio

import pytest

from edged.core.protocol import DEFAULT
from lab.noc_copy import compare
from tests.site.scene import Doc, Scene, quick, site

pytestmark = pytest.mark.lab


def is_tier(tier: int) -> object:
    return lambda event: event["type"] == "edge.tier.entered.v1" and event["tier"] == tier


async def all_arrived(scene: Scene) -> list[str]:
    """Wait until the NOC holds and has acknowledged every tier event recorded; what is wrong with its copy then."""
    wrong = ["never compared"]
    for _ in range(100):
        scene.noc.read()
        recorded = await scene.recorded()
        tiers = tuple(event["tier"] for event in recorded if event["type"] == "edge.tier.entered.v1")
        wrong = compare(scene.noc, recorded, tiers)
        kept = (await scene.status())["record"]["tier_pending"]
        wrong += [f"{kept} tier events not acknowledged"] if kept else []
        if not wrong:
            break
        await asyncio.sleep(0.2)
    return wrong


async def test_t2_t6_rule4_rule10_n6_a_cut_fiber_is_tier_2_at_the_noc_once_the_router_has_failed_over() -> None:
    async with site() as scene:
        await scene.act("session_opened", "s-1")
        await scene.lab.do("cut", "fiber")
        await scene.tier(2, within_s=6)
        told = await scene.at_noc(lambda e: e["type"] == "edge.wan.failover.v1", within_s=15, what="failover")
        assert (told["data"]["previous"], told["data"]["active"]) == ("fiber", "cellular")
        entered = await scene.at_noc(is_tier(2), within_s=5, what="tier 2")  # type: ignore[arg-type]
        assert (entered["data"]["cause"], entered["data"]["cause_at"]) == ("link_down", "fiber")
        doc = await scene.until(lambda d: d["tier"]["av_compliant"] is True, within_s=10, what="A/V over cellular")
        assert doc["tier"]["tier"] == 2
        rates = {19_000_000}  # 95 % of cellular's 20 Mbit/s
        await scene.until(lambda d: {s["rate_bps"] for s in d["qos"]} == rates, within_s=5, what="shapers follow")
        assert await all_arrived(scene) == []


async def test_t3_t4_c1_rule9_both_lines_cut_then_the_phone_and_down_again_in_the_order_of_the_rules() -> None:
    async with site(edit=quick) as scene:
        await scene.act("session_opened", "s-1")
        await scene.lab.do("cut", "fiber")
        await scene.lab.do("cut", "cellular")
        doc = await scene.tier(3, within_s=10)
        assert doc["tier"]["say"] == DEFAULT.responses["t3.av"].say
        assert doc["tier"]["cause"] == "all_links_down"
        await scene.lab.do("phone", "off")
        doc = await scene.tier(4, within_s=15)
        assert doc["tier"]["say"].startswith("Halt now")

        await scene.lab.do("heal", "all")
        doc = await scene.until(lambda d: d["tier"]["av_compliant"] is True, within_s=20, what="A/V back")
        assert doc["tier"]["tier"] == 4, "tier 4 never unlatches by itself"
        await scene.act("acknowledged")
        doc = await scene.status()
        assert doc["tier"]["tier"] < 4
        if doc["tier"]["tier"] == 3:
            await scene.until(lambda d: d["tier"]["tier"] < 3, within_s=30, what="tier below 3")
        await scene.act("continuity_confirmed")
        await scene.tier(0, within_s=100)
        tiers = [e["tier"] for e in await scene.recorded() if e["type"] == "edge.tier.entered.v1"]
        down = tiers[tiers.index(4) :]
        assert down == sorted(down, reverse=True)
        assert await all_arrived(scene) == []


async def test_u1_lost_mains_are_a_power_event_at_the_noc_and_cleared_when_they_return() -> None:
    async with site() as scene:
        await scene.lab.do("mains", "off")
        raised = await scene.at_noc(
            lambda e: e["type"] == "edge.power.on_battery.raised.v1" and e["data"]["at"] == "network",
            within_s=10,
            what="power event",
        )
        assert raised["data"]["severity"] == "alarm"
        both = {"network", "workstation"}
        await scene.until(
            lambda d: {ups["ups"] for ups in d["ups"] if ups["power"] == "battery"} == both,
            within_s=5,
            what="both UPSes",
        )
        await scene.lab.do("mains", "on")
        await scene.at_noc(lambda e: e["type"] == "edge.power.on_battery.cleared.v1", within_s=20, what="its end")


async def test_rule8_killed_in_the_middle_of_tier_3_it_is_in_tier_3_at_once_and_nothing_is_lost_or_doubled() -> None:
    async with site(edit=quick) as scene:
        await scene.act("session_opened", "s-1")
        for link in ("fiber", "cellular"):
            await scene.lab.do("cut", link)
        before = await scene.tier(3, within_s=10)
        await scene.lab.do("daemon", "kill")
        await scene.lab.do("daemon", "start")
        first = await scene.until(lambda _: True, within_s=5, what="status")
        assert first["tier"]["tier"] >= 3
        assert first["tier"]["for_s"] > before["tier"]["for_s"]
        assert first["session"]["id"] == "s-1"
        await scene.lab.do("heal", "all")
        await scene.until(lambda d: d["tier"]["tier"] < 3, within_s=40, what="tier below 3")
        assert await all_arrived(scene) == []
        sequences = [int(event["sequence"]) for event in await scene.recorded()]
        assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
        held = sorted(int(line["event"]["sequence"]) for line in scene.noc.events)
        assert len(held) == len(set(held))


async def test_q1_media_are_counted_in_p1_and_everything_is_removed_on_stop() -> None:
    async with site() as scene:

        def p1(doc: Doc) -> int:
            return sum(c["packets"] for shaper in doc["qos"] for c in shaper["classes"] if c["name"] == "p1")

        before = p1(await scene.status())
        doc = await scene.until(lambda d: p1(d) > before + 100, within_s=10, what="media in p1")
        assert all(shaper["leaf"] for shaper in doc["qos"])
        tree = await scene.in_node("edge", "tc", "class", "show", "dev", "wan0")
        assert tree.count("htb") >= 4  # an independent look
        await scene.lab.do("daemon", "stop")
        for interface in ("wan0", "lan0"):
            assert "htb" not in await scene.in_node("edge", "tc", "qdisc", "show", "dev", interface)
