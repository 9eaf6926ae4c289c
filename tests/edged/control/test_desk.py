"""What is asked at the socket becomes an observation; the answer says what came of it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edged.control.desk import Desk
from edged.control.desk_args import ActArgs
from edged.control.protocol import Refusal, Request
from edged.control.refusals import PLAIN
from edged.control.roles import Caller, Role
from edged.core import acts, conditions, drill, errands, sessions
from edged.core.events import Channel, Event, Json
from edged.core.judge import judge
from edged.core.observations import AccessRefused, Act, Observation, PersonActed, PlatformSaid, Reason
from edged.core.snapshot import snapshot
from edged.record.recorded import Recorded
from probes.reading import Verdict
from tests.edged.core.room import Room, calm_room
from tests.edged.record.scene import open_store
from tests.edged.test_judging import SetClock

TECH = Caller(1000, "tech", Role.OPERATE)
NOW_S = 100.0


class Court:
    """Hears and says what it is told to say; in the room it shows, nothing happens."""

    def __init__(self, *answers: Event, rooms: tuple[str, ...] = ("ct-1",)) -> None:
        self.heard: list[Observation] = []
        self.answers, self.rooms = answers, rooms

    def tell(self, observation: Observation) -> None:
        self.heard.append(observation)

    async def submit(self, observation: Observation) -> tuple[Event, ...]:
        self.heard.append(observation)
        return self.answers

    def document(self) -> dict[str, Json]:
        tier: Json = {"tier": 0, "say": None, "who": None, "due_in_s": None}
        session: Json = {"joined": None, "response_class": None, "escalated": None}
        rooms: list[Json] = [{"room": room, "tier": tier, "session": session} for room in self.rooms]
        return {"tier": tier, "session": session, "rooms": rooms}


class RealCourt(Court):
    """The judge itself, on a room's clock."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self.room = room

    async def submit(self, observation: Observation) -> tuple[Event, ...]:
        judged = judge(self.room.plan, self.room.state, observation, self.room.now)
        self.room.state = judged.state
        return judged.events

    def document(self) -> dict[str, Json]:
        return snapshot(self.room.plan, self.room.state, self.room.now)


def desk(
    court: Court, state_dir: Path = Path("/nonexistent"), seal: Callable[[], Awaitable[None]] | None = None
) -> Desk:
    async def recent(limit: int) -> list[Recorded]:
        return [Recorded(1, "s", 1, Channel.LOG, 0, b'{"sequence":"1"}', True)][:limit]

    clock = SetClock()
    return Desk(
        court, clock, document=court.document, recent=recent, reload=lambda: None, state_dir=state_dir, seal=seal
    )


def ask(court: Court, do: str, **args: Any) -> Any:
    return asyncio.run(desk(court).answer(Request(v=1, do=do, args=args), TECH))


def act(court: Court, act: Act, **about: Any) -> Any:
    return ask(court, "act", act=act.value, reason="procedure", **about)


# ── acts ───────────────────────────────────────────────────────────────────────────────────────────────
def test_h3_an_act_is_told_to_the_judge_with_who_role_reason_and_what_it_is_about() -> None:
    court = Court()
    about = {"session": "s-1", "room": "ct-1", "subject": "link.degraded cellular", "for_s": 1800.0}
    ask(court, "act", act="shelved", reason="nuisance", **about)
    told = (Act.SHELVED, "tech", "operate", Reason.NUISANCE, "s-1", "ct-1", "link.degraded cellular", 1800.0)
    assert court.heard == [PersonActed(NOW_S, *told)]


def test_the_answer_says_what_was_recorded_when_and_what_stands_in_that_room() -> None:
    room = calm_room().media(audio=False, video=False).wait(13)
    answer = act(RealCourt(room), Act.ACKNOWLEDGED)
    assert (answer["act"], answer["room"], answer["session"], answer["tier"]) == ("acknowledged", "room", "s-1", 3)
    assert answer["at"].endswith("Z")
    assert answer["repeated"] is False
    assert answer["say"].startswith("Hold contrast and call the radiologist")
    assert 100 < answer["due_in_s"] < 120


def test_what_is_said_twice_is_answered_as_recorded_already() -> None:
    court = RealCourt(calm_room())
    assert [act(court, Act.CONTRAST_STARTED)["repeated"] for _ in range(2)] == [False, True]


@pytest.mark.parametrize(("waited_s", "escalates", "wants"), [(10, False, False), (75, False, True), (75, True, False)])
def test_rule13_a_late_answer_wants_its_record(waited_s: float, escalates: bool, wants: bool) -> None:
    room = calm_room(session=False).act(Act.SESSION_REQUESTED, "s-2").wait(waited_s)
    court = RealCourt(room)
    answer = act(court, Act.SESSION_JOINED)
    if escalates:
        answer = act(court, Act.ESCALATED)
    assert answer["wants_escalation"] is wants


@pytest.mark.parametrize(
    ("first", "refused", "code", "says"),
    [
        (None, Act.CONTRAST_STARTED, "no_session_is_open", "request a radiologist first"),
        (Act.SESSION_OPENED, Act.CONTRAST_ENDED, "no_contrast_running", "say when it starts"),
        (None, Act.DRILL_ENDED, "no_drill", "no drill is on"),
    ],
)
def test_what_the_judge_refuses_is_refused_by_code_and_in_plain_words(
    first: Act | None, refused: Act, code: str, says: str
) -> None:
    court = RealCourt(calm_room(session=False))
    if first is not None:
        act(court, first, session="s-1")
    with pytest.raises(Refusal, match=says) as told:
        act(court, refused)
    assert told.value.code == code


@pytest.mark.parametrize("code", ["which_room", "no_such_room"])
def test_who_has_to_name_a_room_is_told_their_names(code: str) -> None:
    court = Court(Event(Channel.LOG, "act.refused", 0, 1.0, {"refused": code}), rooms=("ct-1", "mr-2"))
    with pytest.raises(Refusal, match="ct-1, mr-2"):
        act(court, Act.CONTRAST_STARTED)


def test_every_refusal_there_is_has_plain_words() -> None:
    """The codes as the core writes them down."""
    told = {each.code for each in drill.INTERLOCKS} | {each.code for each in errands.ROWS}
    written = re.compile(r'(?:refused|otherwise)=\{?"([a-z_]+)"|_Unclear\("([a-z_]+)"\)|return "([a-z_]+)"')
    for module in (acts, sessions, errands):
        found = written.findall(Path(str(module.__file__)).read_text(encoding="utf-8"))
        told |= {code for groups in found for code in groups if code}
    assert {"which_room", "no_such_alarm", "no_session_id", "no_such_link"} <= told
    assert told <= PLAIN.keys()


def test_every_alarm_there_is_can_be_named() -> None:
    plan = replace(calm_room().plan, has_mobile=True, certificates=("own", "ca", "broker"))
    names = [f"{each.name} {about}" for each in conditions.CONDITIONS for about in each.subjects(plan)]
    assert len(names) > 20
    for name in names:
        ActArgs(act=Act.ACKNOWLEDGED, reason=Reason.PROCEDURE, subject=name)


# ── the platform's word ────────────────────────────────────────────────────────────────────────────────
def test_h3_the_platforms_word_is_an_observation_and_what_it_does_not_say_is_unknown() -> None:
    court = Court()
    assert ask(court, "platform", video_to_room=False, audio_to_room=True)["tier"] == 0
    assert court.heard == [PlatformSaid(NOW_S, "ct-1", True, None, False, None)]


@pytest.mark.parametrize(("args", "code"), [({}, "which_room"), ({"room": "ct-9"}, "no_such_room")])
def test_of_several_rooms_the_platform_names_one(args: dict[str, str], code: str) -> None:
    court = Court(rooms=("ct-1", "mr-2"))
    with pytest.raises(Refusal, match="ct-1, mr-2") as told:
        ask(court, "platform", **args)
    assert (told.value.code, court.heard) == (code, [])


# ── what is no code ────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("do", "args", "names"),
    [
        ("act", {"act": "dance", "reason": "drill"}, "act"),
        ("act", {"act": "acknowledged", "reason": "Mr Smith fell ill"}, "reason"),
        ("act", {"act": "acknowledged", "reason": "noc_command"}, "reason"),
        ("act", {"act": "session_opened", "reason": "drill", "session": "Jane Doe, 1970"}, "session"),
        ("act", {"act": "session_requested", "reason": "drill", "session": "Doe"}, "session"),
        ("act", {"act": "reaction_marked", "reason": "clinical", "subject": "19700401"}, "subject"),
        ("act", {"act": "session_opened", "reason": "drill", "room": "CT 1"}, "room"),
        ("act", {"act": "reaction_marked", "reason": "clinical", "subject": "Jane Doe"}, "subject"),
        ("act", {"act": "acknowledged", "reason": "clinical", "subject": "Doe.jane 1970"}, "subject"),
        ("act", {"act": "shelved", "reason": "nuisance", "subject": "link.down fiber", "for_s": -1}, "for_s"),
        ("act", {"act": "acknowledged", "reason": "drill", "note": "x"}, "note"),
        ("platform", {"audio_to_room": "very good"}, "audio_to_room"),
        ("platform", {"quality": 5}, "quality"),
        ("evidence", {"session": "../ledger"}, "session"),
        ("evidence", {}, "session"),
        ("incident", {"number": 0}, "number"),
        ("incidents", {"limit": 501}, "limit"),
        ("events", {"limit": 10**9}, "limit"),
        ("status", {"x": 1}, "x"),
    ],
)
def test_e7_what_is_no_code_is_refused_and_the_key_named(do: str, args: dict[str, Any], names: str) -> None:
    court = Court()
    with pytest.raises(Refusal, match=f"args.{names}"):
        ask(court, do, **args)
    assert court.heard == []


# ── what is asked ──────────────────────────────────────────────────────────────────────────────────────
def test_events_come_as_they_were_recorded() -> None:
    assert ask(Court(), "events", limit=5) == [{"event": {"sequence": "1"}, "durable": True}]


@pytest.mark.parametrize(
    ("do", "args"), [("evidence", {"session": "s-1"}), ("incidents", {}), ("incident", {"number": 1})]
)
def test_what_asks_a_record_that_cannot_be_read_is_refused(tmp_path: Path, do: str, args: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as told:
        asyncio.run(desk(Court(), tmp_path).answer(Request(v=1, do=do, args=args), TECH))
    assert told.value.code == "no_record"


async def test_t6_incidents_are_told_from_the_record(tmp_path: Path) -> None:
    room = calm_room().link("fiber", Verdict.DOWN).wait(5)
    store = await open_store(tmp_path)
    await store.append(room.events)
    held = desk(Court(), tmp_path)
    try:
        (told,) = await held.answer(Request(v=1, do="incidents"), TECH)
        found = await held.answer(Request(v=1, do="incident", args={"number": 1}), TECH)
        with pytest.raises(Refusal) as refused:
            await held.answer(Request(v=1, do="incident", args={"number": 2}), TECH)
    finally:
        await store.close()
    assert (told["number"], found["number"]) == (1, 1)
    assert refused.value.code == "no_such_incident"


async def test_e7_evidence_comes_with_what_asks_for_the_rest(tmp_path: Path) -> None:
    room = calm_room().act(Act.CONTRAST_STARTED).act(Act.CONTRAST_ENDED)
    store = await open_store(tmp_path)
    await store.append(room.events)
    try:
        asked = Request(v=1, do="evidence", args={"session": "s-1"})
        told = await desk(Court(), tmp_path).answer(asked, TECH)
    finally:
        await store.close()
    assert [row for row, _, _ in told["rows"]] == [*range(1, len(room.events) + 1)]
    assert (told["last"], told["after"]) == (len(room.events), None)


async def test_e7_the_record_is_signed_before_the_first_portion_of_evidence_and_not_again(tmp_path: Path) -> None:
    room = calm_room().act(Act.CONTRAST_STARTED)
    store = await open_store(tmp_path)
    await store.append(room.events)

    async def seal() -> None:
        await store.append(room.act(Act.CONTRAST_ENDED).events[-1:])

    try:
        held = desk(Court(), tmp_path, seal)
        first = await held.answer(Request(v=1, do="evidence", args={"session": "s-1"}), TECH)
        rest = {"session": "s-1", "after": 1, "last": first["last"]}
        again = await held.answer(Request(v=1, do="evidence", args=rest), TECH)
    finally:
        await store.close()
    assert first["last"] == again["last"] == len(first["rows"])
    assert len(room.names) == len(first["rows"])  # what sealing recorded is among them, once


def test_h4_refused_access_is_told_to_the_judge() -> None:
    court = Court()
    desk(court).refused(Request(v=1, do="reload"), Caller(7, "eve", Role.VIEW))
    assert court.heard == [AccessRefused(NOW_S, "eve", "view", "reload")]
