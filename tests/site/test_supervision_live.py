"""One supervised procedure on the real site, from request to close, with a cut in the middle: what was told of it, and
what can be proven of it afterwards.
"""

import asyncio
import json
import os
import pwd
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from lab.client import start_lab
from lab.daemon_config import toml_for
from tests.edged.cli.as_nobody import AS_NOBODY
from tests.site.scene import EDGECTL, Doc, Scene, at_once, is_told, run

pytestmark = [pytest.mark.lab, pytest.mark.asyncio(loop_scope="module")]

WITHIN_S = 45.0
SESSION, MARKER = "s-0815", "rx-77"
LANES = ("audio_to", "audio_from", "video_to", "video_from")
COURSE = (
    *("session_requested", "session_joined", "contrast_started", "continuity_confirmed", "held", "reaction_marked"),
    *("contrast_ended", "monitoring_ended", "session_closed"),
)


@dataclass(frozen=True, slots=True)
class Procedure:
    """What it left behind: everywhere."""

    events: tuple[Doc, ...]
    """At the NOC, in their order."""
    ready: Doc
    """What `edgectl ready` said between the request and the joining."""
    tally: Doc
    packet: Path
    witness: Path

    def told(self, kind: str, **data: Any) -> list[Doc]:
        return [event for event in self.events if is_told(event, kind, **data)]

    @property
    def derived(self) -> Doc:
        found: Doc = json.loads(self.packet.read_text())["derived"]
        return found


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def procedure(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Procedure]:
    async with start_lab(failover_s=3, failback_s=2) as lab:
        (lab.directory / "edged.toml").write_text(at_once(toml_for(lab.directory)))
        await lab.do("daemon", "start")
        for folder in (lab.directory, lab.directory.parent):
            folder.chmod(0o711)  # a stranger may knock at the socket in it
        scene = Scene(lab)
        await scene.rest()
        ready = await supervise(scene)
        await seal(scene)
        events = tuple(scene.at_the_noc(""))
        out = tmp_path_factory.mktemp("evidence")
        await scene.edgectl("evidence", SESSION, "--out", str(out))
        witness = out / "witness.json"
        witness.write_text(json.dumps(witness_of(events)))
        tally = (await scene.status())["tally"]
        yield Procedure(events, ready, tally, out / f"evidence-{SESSION}.json", witness)


async def supervise(scene: Scene) -> Doc:
    """The course, as people type it; fiber is cut while contrast is given, and the session goes on over cellular."""
    await scene.edgectl("session", "request", SESSION)
    ready: Doc = json.loads(await scene.edgectl("ready", "--json", status=2))
    await scene.edgectl("session", "join")
    await scene.edgectl("contrast", "start")
    assert "already recorded" in await scene.edgectl("contrast", "start")
    await run(AS_NOBODY, "session", "close", status=1, EDGED_SOCKET=str(scene.socket))
    await live(scene, True)
    await scene.lab.do("cut", "fiber")
    await live(scene, False)
    await live(scene, True)
    await asyncio.sleep(2.5)  # the proof counts whole seconds: two of them are live again
    await scene.edgectl("continuity", "--reason", "line_failed")
    await scene.edgectl("hold", "--reason", "line_failed")
    await scene.edgectl("reaction", MARKER)
    await scene.edgectl("contrast", "end")
    await scene.edgectl("monitoring", "end")
    await scene.edgectl("session", "close")
    return ready


async def live(scene: Scene, compliant: bool) -> None:
    what = f"live audio and video {compliant}"
    await scene.until(lambda doc: doc["tier"]["av_compliant"] is compliant, within_s=WITHIN_S, what=what)


async def seal(scene: Scene) -> None:
    """At tier 3 the record is sealed at once: the cheapest way to a checkpoint behind the session's end."""
    for line in ("fiber", "cellular"):
        await scene.lab.do("cut", line)
    await scene.tier(3, within_s=WITHIN_S)
    await scene.rest()
    closed = await scene.told("act.session_closed", session=SESSION)
    last = int(closed["sequence"])
    await scene.at_noc(
        lambda e: is_told(e, "ledger.checkpoint") and e["data"]["at"] >= last, within_s=90, what="the last checkpoint"
    )
    await scene.until(lambda doc: doc["record"]["log_pending"] == 0, within_s=WITHIN_S, what="everything told")


def witness_of(events: tuple[Doc, ...]) -> Doc:
    """As config/noc/checkpoints.py hands it out, of what the lab's NOC holds."""
    said = ("stream", "at", "row_hash", "key", "public_key", "signature")
    held = [event for event in events if is_told(event, "ledger.checkpoint")]
    checkpoints = [{"time": event["time"], **{name: event["data"][name] for name in said}} for event in held]
    return {"format": "edged-witness-1", "site": "lab/room-1", "checkpoints": checkpoints}


def seconds(procedure: Procedure, lane: str) -> str:
    return "".join(event["data"][lane] for event in procedure.told("av.seconds", session=SESSION))


# ── what the NOC was told ──────────────────────────────────────────────────────────────────────────────
async def test_e1_every_second_of_the_session_is_at_the_noc_live_but_where_the_line_was_cut(
    procedure: Procedure,
) -> None:
    lanes = {lane: seconds(procedure, lane) for lane in LANES}
    av = seconds(procedure, "av")
    assert set(map(len, lanes.values())) == {len(av)}
    (closed,) = procedure.told("act.session_closed", session=SESSION)
    (joined,) = procedure.told("act.session_joined", session=SESSION)
    lasted_s = (int(closed["monoms"]) - int(joined["monoms"])) / 1000
    assert len(av) == pytest.approx(lasted_s, abs=2)
    assert 0 <= av.find("N") < av.rfind("Y"), av
    for at, second in enumerate(av):
        assert (second == "Y") == all(lane[at] == "L" for lane in lanes.values())
    assert "observer" in {event["data"]["source"] for event in procedure.told("av.seconds")}


async def test_e2_the_time_until_somebody_joined_is_measured_and_has_its_class(procedure: Procedure) -> None:
    assert procedure.ready["rooms"][0]["reasons"][0]["code"] == "not_joined"
    (answered,) = procedure.told("session.answered", session=SESSION)
    assert answered["data"]["response_class"] == "best"
    assert answered["data"]["needs_escalation"] is False
    assert procedure.derived["session"]["response"]["class"] == "best"
    assert procedure.derived["session"]["response"]["took_s"] == answered["data"]["response_s"]


async def test_e5_a_marked_reaction_asks_how_the_line_was_around_it(procedure: Procedure) -> None:
    (marked,) = procedure.told("act.reaction_marked", session=SESSION)
    assert marked["data"]["subject"] == MARKER
    assert [each["marker"] for each in procedure.derived["reactions"]] == [MARKER]


async def test_e6_contrast_held_because_of_the_line_is_counted_as_that(procedure: Procedure) -> None:
    (held,) = procedure.told("act.held", session=SESSION)
    assert (held["data"]["reason"], held["data"]["by_connectivity"]) == ("line_failed", True)
    assert (procedure.tally["held"], procedure.tally["held_by_connectivity"]) == (1, 1)


async def test_h2_h4_a_stranger_closes_no_session_and_the_noc_hears_of_the_attempt(procedure: Procedure) -> None:
    (refused,) = procedure.told("access.refused")
    assert (refused["data"]["role"], refused["data"]["asked"]) == ("none", "act")
    assert refused["data"]["actor"] not in ("root", None)


async def test_h3_every_act_is_at_the_noc_with_who_as_what_why_and_when(procedure: Procedure) -> None:
    acts = [event for event in procedure.told("act.", session=SESSION) if not is_told(event, "act.repeated")]
    assert [event["data"]["act"] for event in acts] == list(COURSE)
    (again,) = procedure.told("act.repeated", session=SESSION)
    assert again["data"]["act"] == "contrast_started"
    for event in (*acts, again):
        assert (event["data"]["actor"], event["data"]["role"], event["data"]["room"]) == (me(), "admin", "room-1")
        assert event["data"]["reason"] in ("procedure", "line_failed", "clinical")
        assert event["time"]


def me() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


async def test_t6_each_tier_of_the_session_says_why_on_what_evidence_and_what_to_do(procedure: Procedure) -> None:
    entered = procedure.told("tier.entered", session=SESSION)
    assert [event["tier"] for event in entered][:1] == [2]
    for event in entered:
        data = event["data"]
        assert data["evidence"]["links"].keys() == {"fiber", "cellular"}
        if event["tier"]:
            assert data["cause"] != "none"
            assert data["response"]["say"]
            assert data["response"]["who"]


# ── what can be proven ─────────────────────────────────────────────────────────────────────────────────
async def test_e3_e4_the_packet_holds_and_shows_the_cut_as_a_gap_with_cause_and_answer(procedure: Procedure) -> None:
    said = await edgectl("verify", str(procedure.packet), "--witness", str(procedure.witness))
    assert said.startswith("GOOD"), said
    cut = next(gap for gap in procedure.derived["gaps"] if gap["cause"] == "link_down")
    assert (cut["cause_at"], cut["phase"]) == ("fiber", "injecting")
    assert cut["dead_s"] > 0
    assert cut["tier"] >= 2
    assert "t2.switching" in {each["row"] for each in cut["demanded"]}
    assert "continuity_confirmed" in {each["act"] for each in cut["given"]}
    assert procedure.derived["supervision"]["continuous"] is False
    missing = set(procedure.derived["completeness"]["missing"])
    assert missing <= {"trusted_clock", "every_second_observed"}, missing
    assert SESSION in procedure.packet.with_suffix(".html").read_text()


async def test_e3_a_word_changed_in_the_packet_is_found(procedure: Procedure, tmp_path: Path) -> None:
    forged = tmp_path / procedure.packet.name
    forged.write_text(procedure.packet.read_text().replace("line_failed", "procedure", 1))
    said = await edgectl("verify", str(forged), "--witness", str(procedure.witness), status=1)
    assert said.startswith("BAD"), said


async def edgectl(*words: str, status: int = 0) -> str:
    return await run(EDGECTL, *words, status=status)
