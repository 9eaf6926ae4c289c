"""What is asked at the socket becomes an observation; the answer says what came of it."""

import asyncio
from typing import Any

import pytest

from edged.control.desk import Desk
from edged.control.protocol import Refusal, Request
from edged.control.roles import Caller, Role
from edged.core.events import Channel, Event
from edged.core.observations import AccessRefused, Act, Observation, PersonActed, Reason
from edged.record.recorded import Recorded
from tests.edged.test_judging import SetClock

TECH = Caller(1000, "tech", Role.OPERATE)


class Court:
    def __init__(self, *answers: Event) -> None:
        self.heard: list[Observation] = []
        self.answers = answers

    def tell(self, observation: Observation) -> None:
        self.heard.append(observation)

    async def submit(self, observation: Observation) -> tuple[Event, ...]:
        self.heard.append(observation)
        return self.answers


def desk(court: Court) -> Desk:
    async def recent(limit: int) -> list[Recorded]:
        return [Recorded(1, "s", 1, Channel.LOG, 0, b'{"sequence":"1"}', True)][:limit]

    return Desk(court, SetClock(), document=lambda: {"tier": 0}, recent=recent, reload=lambda: None)


def ask(court: Court, do: str, **args: Any) -> Any:
    return asyncio.run(desk(court).answer(Request(v=1, do=do, args=args), TECH))


def test_an_act_is_told_to_the_judge_with_who_role_and_reason() -> None:
    court = Court(Event(Channel.LOG, "act.acknowledged", 3, 1.0, {}))
    assert ask(court, "act", act="acknowledged", reason="drill") == {"tier": 3, "events": ["act.acknowledged"]}
    assert court.heard == [PersonActed(100.0, Act.ACKNOWLEDGED, "tech", "operate", Reason.DRILL, None)]


def test_what_the_judge_refuses_is_refused_by_code() -> None:
    court = Court(Event(Channel.LOG, "act.refused", 0, 1.0, {"refused": "no_session_is_open"}))
    with pytest.raises(Refusal, match="no session is open") as refused:
        ask(court, "act", act="session_closed", reason="procedure")
    assert refused.value.code == "no_session_is_open"


@pytest.mark.parametrize(
    ("do", "args", "names"),
    [
        ("act", {"act": "dance", "reason": "drill"}, "act"),
        ("act", {"act": "acknowledged", "reason": "Mr Smith fell ill"}, "reason"),
        ("act", {"act": "session_opened", "reason": "drill", "session": "Jane Doe, 1970"}, "session"),
        ("act", {"act": "acknowledged", "reason": "drill", "note": "x"}, "note"),
        ("events", {"limit": 10**9}, "limit"),
        ("status", {"x": 1}, "x"),
    ],
)
def test_what_is_no_code_is_refused_and_the_key_named(do: str, args: dict[str, Any], names: str) -> None:
    court = Court()
    with pytest.raises(Refusal, match=f"args.{names}"):
        ask(court, do, **args)
    assert court.heard == []


def test_events_come_as_they_were_recorded() -> None:
    assert ask(Court(), "events", limit=5) == [{"event": {"sequence": "1"}, "durable": True}]


def test_refused_access_is_told_to_the_judge() -> None:
    court = Court()
    desk(court).refused(Request(v=1, do="reload"), Caller(7, "eve", Role.VIEW))
    assert court.heard == [AccessRefused(100.0, "eve", "view", "reload")]
