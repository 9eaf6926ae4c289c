"""Tiers that the lines alone decide, on the site: slow lines, the grace of a switch, a room without a session."""

import pytest

from tests.site.scene import Doc, Scene, quick, site

pytestmark = pytest.mark.lab


def rows(doc: Doc) -> set[str]:
    return {each["row"] for each in doc["tier"]["rows"]}


def shaped_to(doc: Doc) -> set[int]:
    """Bit/s: 95 % of fiber's 100 Mbit/s, or less of it while its queue is bloated."""
    return {shaper["rate_bps"] for shaper in doc["qos"]}


async def entered(scene: Scene, tier: int) -> Doc:
    """The newest time this tier was entered, as recorded."""
    found = [e for e in await scene.recorded() if e["type"] == "edge.tier.entered.v1" and e["tier"] == tier]
    assert found, f"tier {tier} was never entered"
    return found[-1]


async def test_t1_rule3_a_slow_line_is_tier_1_and_makes_room_on_itself_until_it_is_calm() -> None:
    async with site(edit=quick) as scene:
        await scene.act("session_opened", "s-1")
        await scene.lab.do("lag", "fiber", "180ms")
        doc = await scene.tier(1, within_s=15)
        assert rows(doc) == {"t1.latency"}
        told = await entered(scene, 1)
        assert told["data"]["cause"] == "latency"
        assert told["data"]["evidence"]["links"]["fiber"]["rtt_ms"] > 150
        await scene.until(lambda d: shaped_to(d) == {80_750_000}, within_s=10, what="shapers at 85 %")
        await scene.lab.do("heal", "fiber")
        await scene.tier(0, within_s=30)
        await scene.until(lambda d: shaped_to(d) == {95_000_000}, within_s=10, what="shapers as they were")


async def test_t3_rule6_a_switch_that_takes_too_long_is_tier_3_after_its_grace_whatever_the_router_says() -> None:
    async with site(failover_s=40.0, edit=quick) as scene:
        await scene.act("session_opened", "s-1")
        await scene.lab.do("cut", "fiber")
        doc = await scene.tier(2, within_s=6)
        assert "t2.switching" in rows(doc)
        doc = await scene.tier(3, within_s=25)
        assert "t3.av" in rows(doc)
        two, three = await entered(scene, 2), await entered(scene, 3)
        assert int(three["monoms"]) - int(two["monoms"]) > 10_000, "the grace, less the dwells of media and tier 2"


async def test_t3_rule17_without_a_session_the_lines_alone_are_judged_and_nobody_is_timed() -> None:
    async with site(edit=quick) as scene:
        for link in ("fiber", "cellular"):
            await scene.lab.do("cut", link)
        doc = await scene.tier(3, within_s=15)
        assert "t3.links" in rows(doc)
        assert doc["tier"]["av_compliant"] is None
        assert not [event for event in await scene.recorded() if event["type"].startswith("edge.timer.")]
        await scene.lab.do("heal", "all")
        await scene.until(lambda d: d["tier"]["tier"] < 3, within_s=40, what="tier below 3")
