"""Media, seen not told: real WebRTC through the site, and nothing said to the daemon about ports or payload types."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lab.client import start_lab
from lab.daemon_config import toml_for
from lab.services.webrtc_end import book_of
from tests.site.scene import Doc, Scene, quick

pytestmark = [pytest.mark.lab, pytest.mark.asyncio(loop_scope="module")]

WITHIN_S = 25.0
"""For what takes two to four seconds on an idle machine."""
LINES = ("fiber", "cellular")
SOON_CALM = {"t2 = { raise_s = 1, clear_s = 60 }": "t2 = { raise_s = 1, clear_s = 1 }", "clear_s = 4": "clear_s = 1"}
EVERYTHING = {(medium, way) for medium in ("audio", "video") for way in ("from_room", "to_room")}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site() -> AsyncIterator[Scene]:
    """A site with a supervision session, its media those of real platforms."""
    async with start_lab(failover_s=3, failback_s=2, media="webrtc") as lab:
        toml = quick(toml_for(lab.directory, "webrtc"))
        for slow, soon in SOON_CALM.items():
            toml = toml.replace(slow, soon)
        (lab.directory / "edged.toml").write_text(toml)
        await lab.do("daemon", "start")
        scene = Scene(lab)
        await scene.act("session_opened", "s-1")
        yield scene


@pytest_asyncio.fixture(loop_scope="module")
async def scene(site: Scene) -> AsyncIterator[Scene]:
    """Live both ways and in no tier; what a test broke is healed after it."""
    await site.until(is_well, within_s=2 * WITHIN_S, what="live session at tier 0")
    yield site
    await site.lab.do("heal", "all")


def live(doc: Doc) -> set[tuple[str, str]]:
    return {(stream["medium"], stream["way"]) for stream in doc["media"]["streams"] if stream["live"] is True}


def is_well(doc: Doc) -> bool:
    links = all(link["verdict"] == "up" for link in doc["links"])
    return (
        bool(doc["media"]) and live(doc) == EVERYTHING and doc["tier"]["av_compliant"] is True and links and calm(doc)
    )


def calm(doc: Doc) -> bool:
    return bool(doc["tier"]["tier"] == 0)


async def in_tier(scene: Scene, tier: int, *dead: tuple[str, str]) -> Doc:
    """The first status with this tier, no live two-way audio and video, and just these streams dead."""

    def there(doc: Doc) -> bool:
        return doc["tier"]["tier"] == tier and live(doc) == EVERYTHING - set(dead)

    doc = await scene.until(there, within_s=WITHIN_S, what=f"tier {tier} without {dead}")
    assert doc["tier"]["av_compliant"] is False
    return doc


def calls_made(scene: Scene) -> int:
    """Peer connections of the workstation so far."""
    *_, last, _ = book_of(scene.lab.directory, "workstation").read_text().split("\n")
    calls: int = json.loads(last)["calls"]
    return calls


def both_ways(medium: str) -> list[tuple[str, str]]:
    return [(medium, "from_room"), (medium, "to_room")]


async def test_t2_rule10_video_off_is_tier_2_and_no_live_audio_and_video(scene: Scene) -> None:
    await scene.lab.do("video", "off")
    await in_tier(scene, 2, *both_ways("video"))
    await scene.lab.do("video", "on")
    await scene.until(is_well, within_s=WITHIN_S, what="end of tier 2")


async def test_t2_frozen_video_is_lost_video_though_its_packets_go_on(scene: Scene) -> None:
    await scene.lab.do("video", "freeze", "to_room")
    doc = await in_tier(scene, 2, ("video", "to_room"))
    frozen = next(s for s in doc["media"]["streams"] if (s["medium"], s["way"]) == ("video", "to_room"))
    assert frozen["frozen_for_s"] > 0
    assert frozen["packet_rate_hz"] > 0


async def test_rule5_audio_off_is_tier_3(scene: Scene) -> None:
    await scene.lab.do("audio", "off")
    await in_tier(scene, 3, *both_ways("audio"))


@pytest.mark.parametrize("way", ["from_room", "to_room"])
async def test_rule7_a_medium_lost_one_way_is_not_live(scene: Scene, way: str) -> None:
    await scene.lab.do("media", "off", way)
    await in_tier(scene, 3, ("audio", way), ("video", way))


async def test_t3_both_lost_is_tier_3(scene: Scene) -> None:
    await scene.lab.do("media", "off")
    await in_tier(scene, 3, *EVERYTHING)


async def test_h1_media_in_clear_text_raise_the_alarm_and_still_live(scene: Scene) -> None:
    await scene.lab.do("clear", "on")

    def told(doc: Doc) -> bool:
        raised = any(each["name"] == "media.clear_text" for each in doc["conditions"])
        return raised and doc["media"]["protection"] == "clear" and live(doc) == EVERYTHING

    await scene.until(told, within_s=2 * WITHIN_S, what="alarm of clear text")


async def test_e1_a_session_that_calls_again_over_the_other_line_is_live_again(scene: Scene) -> None:
    """The last test here: what a failover latches, only somebody's word lets go of."""
    before, calls = (await scene.lab.status())["world"]["router"]["active"], calls_made(scene)
    await scene.lab.do("cut", "fiber")
    await scene.until(lambda doc: doc["tier"]["av_compliant"] is False, within_s=WITHIN_S, what="loss of both media")
    doc = await scene.until(
        lambda doc: doc["tier"]["av_compliant"] is True, within_s=2 * WITHIN_S, what="live session over cellular"
    )
    assert live(doc) == EVERYTHING
    after = (await scene.lab.status())["world"]["router"]["active"]
    assert (before, after) == ("0", "1")
    assert calls_made(scene) > calls, "the address changed: the old connection is no good"
    assert doc["tier"]["tier"] >= 2, "a failover is latched (rule 4)"
