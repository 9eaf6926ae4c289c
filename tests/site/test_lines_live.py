"""What is found out of the lines, in the real site: false silence, doors, fitness, paths, capacity."""

import asyncio
from collections.abc import Callable

import pytest

from edged.cli import errands
from tests.site.scene import Doc, Refusal, Scene, site

pytestmark = pytest.mark.lab

Known = Callable[[Doc], bool]


def link(doc: Doc, name: str) -> Doc:
    return next(each for each in doc["links"] if each["link"] == name)


def raised(doc: Doc) -> set[tuple[str, str]]:
    return {(each["name"], each["at"]) for each in doc["conditions"]}


def has(condition: str, at: str) -> Known:
    return lambda doc: (condition, at) in raised(doc)


def lacks(condition: str, at: str) -> Known:
    return lambda doc: (condition, at) not in raised(doc)


async def errand(scene: Scene, what: str, name: str) -> Doc:
    return await asyncio.to_thread(errands.run, scene.socket, what, name)


async def event(scene: Scene, kind: str, at: str) -> Doc:
    """The newest recorded event of a kind about a link."""
    found = [each for each in await scene.recorded() if each["type"] == kind and each["data"]["at"] == at]
    assert found, f"no {kind} about {at}"
    data: Doc = found[-1]["data"]
    return data


async def test_reflectors_that_fall_silent_under_live_media_are_no_dead_line() -> None:
    async with site() as scene:
        await scene.lab.do("reflectors", "off")
        await scene.until(has("link.reflector_fault", "fiber"), within_s=10, what="reflector fault")
        await asyncio.sleep(2)
        doc = await scene.status()
        assert (link(doc, "fiber")["verdict"], link(doc, "fiber")["cause"]) == ("degraded", "reflector")
        assert link(doc, "fiber")["evidence"]["test"] == "user_bytes"
        assert ("link.down", "fiber") not in raised(doc)
        await scene.lab.do("cut", "fiber")
        doc = await scene.until(has("link.down", "fiber"), within_s=5, what="the cut behind it")
        await scene.lab.do("heal", "all")
        await scene.until(lacks("link.down", "fiber"), within_s=20, what="fiber back")


async def test_n5_a_detour_and_a_forgotten_pin_are_told_by_the_door_they_leave_by() -> None:
    async with site() as scene:
        both = await scene.until(lambda doc: all(each["exit"] for each in doc["links"]), within_s=10, what="exits")
        assert link(both, "fiber")["exit"]["mapped"] != link(both, "cellular")["exit"]["mapped"]
        await scene.lab.do("detour", "cellular", "on")
        await errand(scene, "prove", "cellular")
        await scene.until(has("exit.not_own", "cellular"), within_s=5, what="the other door")
        await scene.lab.do("detour", "cellular", "off")
        await errand(scene, "prove", "cellular")
        await scene.until(lacks("exit.not_own", "cellular"), within_s=5, what="its own door")
        # The router forgets the pin of fiber and fails over: fiber's probes are answered, by cellular.
        await scene.lab.do("pin", "fiber", "off")
        await scene.lab.do("cut", "fiber")
        doc = await scene.until(has("exit.not_own", "fiber"), within_s=30, what="a pin that does not hold")
        assert link(doc, "fiber")["exit"]["mapped"] == link(both, "cellular")["exit"]["mapped"]


async def test_n7_a_standby_that_drops_large_packets_and_marks_is_not_fit() -> None:
    async with site() as scene:
        known = await scene.until(lambda d: bool(link(d, "cellular")["standby"]), within_s=40, what="first proof")
        assert link(known, "cellular")["standby"]["dscp_arrived"] == 46
        assert link(known, "cellular")["standby"]["mtu_bytes"] == 1500
        await scene.lab.do("mtu", "cellular", "1400")
        await scene.lab.do("bleach", "cellular", "on")
        await errand(scene, "prove", "cellular")
        await scene.until(has("standby.unfit", "cellular"), within_s=40, what="unfit")
        told = await event(scene, "edge.standby.judged.v1", "cellular")
        assert {"mtu", "dscp"} <= set(told["lacks"])


async def test_e4_a_verdict_carries_its_evidence_and_the_path_is_looked_at_by_itself() -> None:
    async with site() as scene:
        await scene.lab.do("cut", "fiber")
        await scene.until(lambda doc: bool(link(doc, "fiber")["path"]), within_s=15, what="a diagnosis")
        down = await event(scene, "edge.link.down.raised.v1", "fiber")
        assert down["cause"] == "loss"
        assert down["evidence"]["nats"] >= down["evidence"]["trip_nats"] > 20
        found = await scene.at_noc(
            lambda e: e["type"] == "edge.path.diagnosed.v1" and e["data"]["at"] == "fiber", within_s=10, what="path"
        )
        assert found["data"]["dies_at"] == "router"
        assert found["data"]["hops"][0]["address"] == "10.77.0.1"


async def test_every_line_at_once_points_at_what_they_share() -> None:
    async with site() as scene:
        await scene.lab.do("lan", "off")
        doc = await scene.until(lambda doc: doc["tier"]["cause"] == "lan_or_router", within_s=10, what="the LAN named")
        assert {each["verdict"] for each in doc["links"]} == {"down"}


async def test_n2_capacity_is_measured_where_nobody_is_disturbed_and_says_how_many_sessions_fit() -> None:
    async with site() as scene:
        found = await errand(scene, "train", "cellular")
        assert found["capacity"]["up"]["method"] == "train"
        assert found["capacity"]["down"]["rate_bps"] == pytest.approx(20e6, rel=0.25)
        busy = await errand(scene, "train", "fiber")
        assert busy["not_measured"]["up"]["why"] == "users_hurt", "media flow on fiber"
        await scene.act("session_opened", "s-1")
        with pytest.raises(Refusal, match="a session is open"):
            await errand(scene, "ramp", "cellular")
        doc = await scene.status()
        assert (doc["admission"]["link"], doc["admission"]["sessions"]) == ("fiber", 8)


async def test_probing_of_a_metered_link_is_counted_and_outlives_a_restart() -> None:
    async with site() as scene:
        before = link(await scene.status(), "cellular")["budget"]
        assert before["limit_mb"] == 2000
        assert 0 < before["used_mb"] < 5
        await scene.lab.do("daemon", "stop")
        await scene.lab.do("daemon", "start")
        doc = await scene.until(lambda d: link(d, "cellular")["budget"] is not None, within_s=10, what="the budget")
        assert link(doc, "cellular")["budget"]["used_mb"] >= before["used_mb"]
