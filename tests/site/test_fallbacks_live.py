"""What is left when the lines are gone, on the real site: phone, mobile workstation, deadlines, tier 4, and drills.

One site for all of it. Each test begins calm, and nobody is supervised then.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from edged.cli.client import reload
from edged.core.containment import BY_ID
from edged.core.phase import Phase
from edged.core.protocol import DEFAULT
from lab import plan
from lab.client import start_lab
from lab.daemon import BOOT_TAKES_S
from lab.daemon_config import toml_for
from probes.packets.heartbeat import PORT
from tests.site.scene import EDGED, Doc, Scene, at_once, raised, run

pytestmark = [pytest.mark.lab, pytest.mark.asyncio(loop_scope="module")]

WITHIN_S = 45.0
"""For what takes a few seconds on an idle machine."""
PHONE_WITHIN_S = 20.0
"""Instead of two minutes: long enough for a daemon to die and come back in."""
OWN_LINE, SHARED_LINE = "[phone]\n", '[phone]\nrides_on = ["fiber", "cellular"]\n'


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site() -> AsyncIterator[Scene]:
    async with start_lab(failover_s=3, failback_s=2) as lab:
        toml = at_once(toml_for(lab.directory)) + f"phone_within_s = {PHONE_WITHIN_S}\n"
        (lab.directory / "edged.toml").write_text(toml)
        await lab.do("daemon", "start")
        scene = Scene(lab)
        await scene.rest()
        yield scene


@pytest_asyncio.fixture(loop_scope="module")
async def scene(site: Scene) -> AsyncIterator[Scene]:
    await site.begin()
    yield site
    await site.rest()


async def cut_both(scene: Scene) -> None:
    for line in plan.LINKS:
        await scene.lab.do("cut", line)


def timers(doc: Doc) -> dict[str, Doc]:
    return {timer["timer"]: timer for timer in doc["rooms"][0]["timers"]}


def reasons(doc: Doc) -> set[str]:
    return {reason["code"] for reason in doc["rooms"][0]["ready"]["reasons"]}


def rows(doc: Doc) -> set[str]:
    return {row["row"] for row in doc["tier"]["rows"]}


async def due(scene: Scene, timer: str) -> tuple[float, float]:
    """The earliest and the latest moment at which it can be due: everybody here has the same monotonic clock."""
    await scene.until(lambda d: timer in timers(d), within_s=WITHIN_S, what=f"timer {timer}")
    asked_s = time.monotonic()
    left_s = timers(await scene.status())[timer]["due_in_s"]
    return asked_s + left_s - 0.01, time.monotonic() + left_s + 0.01


async def test_c1_a_line_its_registrar_does_not_know_is_no_way_out_until_it_does(scene: Scene) -> None:
    doc = await scene.status()
    assert (doc["phone"]["reachable"], doc["phone"]["registered"]) == (True, True)
    await scene.lab.do("registration", "off")
    doc = await scene.stands("phone.unregistered", "phone")
    assert (doc["phone"]["reachable"], doc["phone"]["registered"]) == (False, False)
    assert "phone_unregistered" in reasons(doc)
    await scene.told("phone.unregistered.raised", at="phone")
    await scene.lab.do("registration", "on")
    await scene.over("phone.unregistered", "phone")
    await scene.until(lambda d: d["phone"]["reachable"] is True, within_s=WITHIN_S, what="a way out again")
    await scene.told("phone.unregistered.cleared", at="phone")


async def test_c3_rule11_the_mobile_workstation_is_missed_and_found_in_the_backup_lines_own_network(
    scene: Scene,
) -> None:
    mobile = (await scene.status())["mobile"]
    assert (mobile["heard"], mobile["mcc_mnc"], mobile["other_carrier"]) == (True, "001-02", True)
    await scene.lab.do("mobile", "off")
    assert "mobile_silent" in reasons(await scene.stands("mobile.silent", "mobile"))
    await scene.told("mobile.silent.raised", at="mobile")

    key = str(scene.lab.directory / plan.MOBILE_KEY_FILE)
    beat = [sys.executable, "-m", "probes.mobile_heartbeat", "--to", f"{plan.BOX_FOR_MOBILE}:{PORT}", "--key-file", key]
    beating = asyncio.create_task(
        scene.in_node("mobile", *beat, "--mcc-mnc", "001-01", "--every", "0.5", "--count", "4")
    )
    doc = await scene.stands("mobile.same_carrier", "mobile")
    assert "mobile_same_carrier" in reasons(doc)
    assert ("mobile.silent", "mobile") not in raised(doc)
    await beating
    await scene.told("mobile.same_carrier.raised", at="mobile")
    await scene.lab.do("mobile", "on")
    await scene.over("mobile.same_carrier", "mobile")


async def test_d1_rule16_a_drill_is_refused_under_contrast_labelled_and_watched_until_fiber_is_back(
    scene: Scene,
) -> None:
    fit = "cellular's fitness"
    await scene.until(lambda d: "standby_unproven" not in reasons(d), within_s=2 * WITHIN_S, what=fit)
    await scene.edgectl("session", "open", "s-16")
    await scene.edgectl("contrast", "start")
    assert "contrast" in await scene.edgectl("drill", "start", status=1)
    await scene.told("act.refused", act="drill_started", refused="contrast_given")
    await scene.edgectl("session", "close")

    await scene.edgectl("drill", "start")
    await scene.lab.do("cut", "fiber")
    entered = await scene.told("tier.entered", drill=True)
    assert entered["tier"] == 2
    await scene.edgectl("drill", "end")
    await scene.stands("drill.primary_offline", "box")
    await scene.told("drill.primary_offline.raised", at="box")
    await scene.lab.do("heal", "fiber")
    doc = await scene.over("drill.primary_offline", "box")
    assert doc["drill"] is None
    await scene.told("drill.over")


async def test_rule8_rule11_t4_the_deadlines_of_phone_and_mobile_run_on_through_a_kill(scene: Scene) -> None:
    await scene.edgectl("session", "open", "s-8")
    await cut_both(scene)
    await scene.tier(3, within_s=WITHIN_S)
    before = {name: await due(scene, name) for name in ("phone", "mobile")}
    await scene.lab.do("daemon", "kill")
    await scene.lab.do("daemon", "start")
    after = {name: await due(scene, name) for name in ("phone", "mobile")}
    back_s = time.monotonic()
    for name, (earliest_s, _) in after.items():
        assert earliest_s <= before[name][1], f"the {name}'s deadline was put off"
    await scene.edgectl("mobile", "up")

    doc = await scene.tier(4, within_s=2 * PHONE_WITHIN_S)
    assert (doc["session"]["id"], rows(doc) & {"t4.two_minutes", "t4.phone_dead"}) == ("s-8", {"t4.two_minutes"})
    assert timers(doc)["mobile"]["met"] is True
    assert (timers(doc)["phone"]["met"], timers(doc)["phone"]["expired"]) == (False, True)
    await scene.lab.do("heal", "all")
    entered = await scene.told("tier.entered", row="t4.two_minutes", session="s-8")
    struck_s = int(entered["monoms"]) / 1000
    assert before["phone"][0] - 1.0 <= struck_s <= max(before["phone"][1], back_s) + 10.0
    for timer, word in (("phone", "expired"), ("mobile", "met")):
        assert (await scene.told("timer.started", timer=timer, session="s-8"))["data"]["room"] == "room-1"
        await scene.told(f"timer.{word}", timer=timer, session="s-8")


async def test_e1_rule8_rule11_t4_a_reboot_lowers_no_tier_puts_off_no_deadline_and_leaves_a_proof_with_a_hole(
    scene: Scene, tmp_path: Path
) -> None:
    await scene.edgectl("session", "open", "s-9")
    await cut_both(scene)
    await scene.tier(3, within_s=WITHIN_S)
    left_s = {name: timer["due_in_s"] for name, timer in timers(await scene.status()).items()}
    before_s = time.monotonic()
    await scene.lab.do("daemon", "reboot")
    doc = await scene.status()
    gone_s = time.monotonic() - before_s
    assert doc["tier"]["tier"] >= 3
    for name, timer in timers(doc).items():
        assert timer["due_in_s"] <= left_s[name] - gone_s + 1.0, f"the {name}'s deadline was put off"
    await scene.tier(4, within_s=2 * PHONE_WITHIN_S)
    await scene.edgectl("session", "close")

    await scene.lab.do("heal", "all")
    closed = await scene.told("act.session_closed", session="s-9")
    opened = await scene.told("act.session_opened", session="s-9")
    assert closed["bootid"] != opened["bootid"]
    struck = await scene.told("tier.entered", row="t4.two_minutes", session="s-9")
    assert int(struck["monoms"]) / 1000 < BOOT_TAKES_S + 2 * PHONE_WITHIN_S, "by the clock of the new boot"
    await scene.edgectl("evidence", "s-9", "--out", str(tmp_path))
    derived: Doc = json.loads((tmp_path / "evidence-s-9.json").read_text())["derived"]
    assert derived["supervision"]["unobserved_s"] >= gone_s - 1
    assert "proven" in await scene.edgectl("verify", str(tmp_path / "evidence-s-9.json"), status=2)


async def test_c1_c2_rule8_t3_who_is_reached_by_phone_meets_the_deadline_and_why_it_was_used_is_told(
    scene: Scene,
) -> None:
    await scene.edgectl("session", "open", "s-3")
    await cut_both(scene)
    doc = await scene.until(lambda d: "t3.av" in rows(d), within_s=WITHIN_S, what="t3.av")
    assert doc["tier"]["also_say"] == DEFAULT.phone_prompt
    await scene.edgectl("phone", "confirm", "--reason", "line_failed")
    doc = await scene.status()
    assert {name: timer["met"] for name, timer in timers(doc).items()} == {"phone": True, "mobile": False}
    assert doc["tier"]["tier"] == 3
    await scene.lab.do("heal", "all")
    confirmed = await scene.told("act.phone_confirmed", session="s-3")
    assert (confirmed["data"]["reason"], confirmed["data"]["room"]) == ("line_failed", "room-1")
    await scene.told("timer.met", timer="phone", session="s-3")
    assert scene.at_the_noc("tier.entered", row="t4.two_minutes") == []


async def test_rule12_t5_a_phone_on_the_lines_own_way_dies_with_them_and_contrast_leads_at_once(scene: Scene) -> None:
    await rewire_phone(scene, OWN_LINE, SHARED_LINE)
    doc = await scene.stands("phone.shared_fate", "room-1")
    assert doc["phone"]["shared_fate"] == ["link:fiber", "link:cellular"]
    assert "phone_shared_fate" in reasons(doc)
    await scene.edgectl("session", "open", "s-12")
    await scene.edgectl("contrast", "start")
    await cut_both(scene)

    doc = await scene.tier(4, within_s=WITHIN_S)
    assert rows(doc) >= {"t4.phone_dead", "t5.contrast_given"}
    assert "t4.two_minutes" not in rows(doc), "it did not wait for the deadline"
    assert doc["tier"]["say"] == DEFAULT.responses["t5.contrast_given"].say
    assert script(doc) == [step.say for step in DEFAULT.script[Phase.INJECTING]]
    await scene.edgectl("contrast", "end")
    assert script(await scene.status()) == [step.say for step in DEFAULT.script[Phase.MONITORING]]
    assert "tier is 3" in await scene.edgectl("onsite"), "a supervisor in the room lets go of tier 4"

    await scene.lab.do("heal", "all")
    entered = await scene.told("tier.entered", session="s-12", row="t5.contrast_given")
    assert (entered["tier"], entered["data"]["phase"]) == (4, "injecting")
    await rewire_phone(scene, SHARED_LINE, OWN_LINE)
    await scene.over("phone.shared_fate", "room-1")


def script(doc: Doc) -> list[str]:
    return [step["say"] for step in doc["tier"]["script"]]


async def rewire_phone(scene: Scene, before: str, after: str) -> None:
    config = scene.lab.directory / "edged.toml"
    config.write_text(config.read_text().replace(before, after))
    await asyncio.to_thread(reload, scene.socket)


async def test_rule17_t6_without_a_session_the_links_are_judged_and_nobody_is_given_a_deadline(scene: Scene) -> None:
    await cut_both(scene)
    doc = await scene.tier(3, within_s=WITHIN_S)
    assert ({row for row in rows(doc) if BY_ID[row].tier == 3}, timers(doc)) == ({"t3.links"}, {})
    assert doc["tier"]["av_compliant"] is None
    await scene.lab.do("heal", "all")
    await scene.tier(0, within_s=WITHIN_S)
    await scene.told("tier.entered", previous=3)
    assert scene.at_the_noc("timer.") == []
    for event in scene.at_the_noc("tier.entered"):
        assert_defined_path(event)


def assert_defined_path(event: Doc) -> None:
    """T6: what was seen, why, who does what, by when. A tier that is over demands nothing."""
    data = event["data"]
    assert set(data["evidence"]["links"]) == set(plan.LINKS)
    if event["tier"] == 0:
        return
    assert data["cause"] not in (None, "none")
    assert BY_ID[data["row"]].tier == event["tier"]
    assert all(data["response"][key] for key in ("say", "who"))


async def test_t6_what_was_judged_in_all_this_is_judged_the_same_again(site: Scene) -> None:
    """The last test here, and the end of the daemon: through its kill, its reloads and its drill."""
    await site.lab.do("daemon", "stop")
    said = await run(EDGED, "replay", str(site.lab.directory / "state" / "blackbox"))
    assert "identical" in said
