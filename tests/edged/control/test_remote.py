"""What the NOC signed is done once, told to the judge alone, and leaves a trace; the answer says what came of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edged.clock import ClockQuality
from edged.control.remote import MOST_ANSWERS, MOST_WAITING, Remote
from edged.control.roles import Role
from edged.core.effects import Errand
from edged.core.events import Channel, Event, Json
from edged.core.observations import Act, Asked, Commanded, Observation, PersonActed, Reason
from edged.record.recorded import KeptCommand
from edged.report.signed import Command, Key
from tests.edged.record.scene import open_store
from tests.edged.report.orders import NOW, SITE, pen
from tests.edged.test_judging import Diary, SetClock, judging

NOC = pen()
KEYS = {"noc-1": NOC.trusted()}
OPENED = Event(Channel.LOG, "act.session_opened", 1, 100.0, {})
OPEN = PersonActed(100.0, Act.SESSION_OPENED, "noc:noc-1", "operate", Reason.NOC_COMMAND, "s-1")


@dataclass
class NocClock:
    now_s: float = 100.0
    trust: ClockQuality = ClockQuality.SYNCED

    def monotonic(self) -> float:
        return self.now_s

    def wall(self) -> float:
        return NOW.wall_s + self.now_s - 100.0

    def quality(self) -> ClockQuality:
        return self.trust


@dataclass
class Court:
    """A judge that remembers what it heard, and answers as it is told to."""

    answers: tuple[Event, ...] = (OPENED,)
    heard: list[Observation] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    hangs: bool = False

    def tell(self, observation: Observation) -> None:
        self.heard.append(observation)

    async def submit(self, observation: Observation) -> tuple[Event, ...]:
        self.heard.append(observation)
        self.story.append("judged")
        if self.hangs:
            await asyncio.Event().wait()
        return self.answers

    @property
    def done(self) -> list[Observation]:
        return [told for told in self.heard if not isinstance(told, Commanded)]

    @property
    def audit(self) -> list[Commanded]:
        return [told for told in self.heard if isinstance(told, Commanded)]


@dataclass
class Shelf:
    """A disk in a dictionary, which can be full. What it refuses is known until the crash."""

    story: list[str] = field(default_factory=list)
    disk: dict[str, KeptCommand] = field(default_factory=dict)
    known: dict[str, KeptCommand] = field(default_factory=dict)
    room: int = 1000
    """Writes left."""

    async def kept_command(self, identity: str) -> KeptCommand | None:
        return self.known.get(identity) or self.disk.get(identity)

    async def keep_command(self, command: KeptCommand) -> bool:
        await asyncio.sleep(0)
        self.story.append("kept")
        self.known[command.id] = command
        if self.room == 0:
            return False
        self.room -= 1
        self.disk[command.id] = command
        return True

    def crash(self) -> None:
        self.known.clear()


@dataclass
class House:
    """What outlives a daemon, and what one life of it says."""

    court: Court = field(default_factory=Court)
    shelf: Shelf = field(default_factory=Shelf)
    clock: NocClock = field(default_factory=NocClock)
    keys: dict[str, Key] = field(default_factory=lambda: dict(KEYS))

    def remote(self) -> Remote:
        return Remote(self.court, self.shelf, self.clock, site=SITE, keys=self.keys)

    async def says(self, *payloads: bytes) -> list[dict[str, Json]]:
        """The answers of one life of the daemon, in which these came."""
        async with at_work(self.remote()) as desk:
            for payload in payloads:
                await desk.ask(payload)
        return desk.said


@dataclass
class Desk:
    remote: Remote
    said: list[dict[str, Json]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, payload: bytes) -> dict[str, Json]:
        self.remote.take(payload)
        return await self.next()

    async def next(self) -> dict[str, Json]:
        async with asyncio.timeout(5):
            while not self.remote.answers:
                self._news.clear()
                await self._news.wait()
        self.said.append(self.remote.answers.popleft())
        return self.said[-1]


@asynccontextmanager
async def at_work(remote: Remote) -> AsyncIterator[Desk]:
    desk = Desk(remote)
    remote.watch(desk._news.set)
    task = asyncio.create_task(remote.run())
    try:
        yield desk
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def done(**more: Json) -> dict[str, Json]:
    return {"id": "c-1", "command": "session_open", "status": "done", "result": {"tier": 1}, **more}


def refused(reason: str, **more: Json) -> dict[str, Json]:
    return {"id": "c-1", "command": "session_open", "status": "refused", "reason": reason, **more}


async def test_a_good_command_is_told_to_the_judge_answered_and_audited() -> None:
    house = House()
    assert await house.says(NOC.order()) == [done()]
    assert house.court.heard == [OPEN, Commanded(100.0, "c-1", "session_open", "noc-1", "operate", None)]


async def test_an_errand_is_asked_and_answered_as_under_way() -> None:
    house = House(Court((Event(Channel.LOG, "errand.accepted", 0, 100.0, {}),)))
    said = await house.says(NOC.order(command="train", args={"link": "lte"}))
    assert said == [{"id": "c-1", "command": "train", "status": "done"}]
    assert house.court.done == [Asked(100.0, Errand.TRAIN, "lte", "noc:noc-1", "operate")]


async def test_what_the_judge_refuses_is_refused_with_its_code_and_stays_so() -> None:
    house = House(Court((Event(Channel.LOG, "act.refused", 0, 100.0, {"refused": "another_session_is_open"}),)))
    assert await house.says(NOC.order()) == [refused("another_session_is_open")]
    house.court.answers = (OPENED,)
    assert await house.says(NOC.order()) == [refused("another_session_is_open", repeated=True)]
    assert house.court.done == [OPEN]


async def test_it_is_kept_as_begun_before_it_is_done_and_with_its_answer_before_it_is_answered() -> None:
    house = House()
    house.shelf.story = house.court.story
    async with at_work(house.remote()) as desk:
        desk.remote.watch(lambda: house.court.story.append("answered"))
        await desk.ask(NOC.order())
    assert house.court.story == ["kept", "judged", "kept", "answered"]


# ── once ───────────────────────────────────────────────────────────────────────────────────────────────
async def test_the_same_command_again_gets_the_answer_of_then_in_this_life_and_the_next() -> None:
    house = House()
    first, again = await house.says(NOC.order(), NOC.order())
    assert (first, again) == (done(), done(repeated=True))
    assert await house.says(NOC.order()) == [done(repeated=True)]
    assert house.court.done == [OPEN]
    assert [told.repeated for told in house.court.audit] == [False, True, True]


async def test_two_of_the_same_at_once_are_done_once() -> None:
    house = House()
    async with at_work(house.remote()) as desk:
        desk.remote.take(NOC.order())
        desk.remote.take(NOC.order())
        assert [await desk.next(), await desk.next()] == [done(), done(repeated=True)]
    assert house.court.done == [OPEN]


@pytest.mark.parametrize(
    ("later", "answer"),
    [
        ("expired", done(repeated=True)),
        ("clock lost", done(repeated=True)),
        ("no longer allowed", done(repeated=True)),
        ("key retired", {"id": "c-1", "status": "refused", "reason": "unknown_key"}),
        ("all keys retired", {"id": "c-1", "status": "refused", "reason": "not_allowed"}),
    ],
)
async def test_what_was_done_is_not_called_refused_later(later: str, answer: dict[str, Json]) -> None:
    house = House()
    await house.says(NOC.order())
    match later:
        case "expired":
            house.clock.now_s += 3600
        case "clock lost":
            house.clock.trust = ClockQuality.UNSET
        case "no longer allowed":
            house.keys = {"noc-1": NOC.trusted(Role.VIEW, (Command.TRAIN,))}
        case "key retired":
            house.keys = {"noc-2": pen("noc-2", 2).trusted()}
        case _:
            house.keys = {}
    assert await house.says(NOC.order()) == [answer]
    assert house.court.done == [OPEN]


async def test_a_command_the_daemon_died_in_is_never_done_twice() -> None:
    house = House(Court(hangs=True))
    async with at_work(house.remote()) as desk:
        desk.remote.take(NOC.order())
        while not house.court.heard:
            await asyncio.sleep(0)
    house.court.hangs = False
    assert await house.says(NOC.order(), NOC.order()) == [refused("interrupted", repeated=True)] * 2
    assert house.court.done == [OPEN]


async def test_an_entry_of_the_record_that_says_nothing_counts_as_begun() -> None:
    for body in (None, b"", b"\xff", b"[]", b'{"answer": 7}'):
        house = House()
        house.shelf.disk["c-1"] = KeptCommand("c-1", NOW.wall_s + 300, body)
        assert await house.says(NOC.order()) == [refused("interrupted", repeated=True)]
        assert house.court.done == []


@pytest.mark.parametrize(
    "other",
    [NOC.order(args={"session": "s-2"}), NOC.order(expires="2026-01-01T00:09:00Z"), pen("noc-2", 2).order()],
)
async def test_an_id_belongs_to_one_command(other: bytes) -> None:
    house = House()
    house.keys["noc-2"] = pen("noc-2", 2).trusted()
    assert await house.says(NOC.order(), other) == [done(), refused("id_reused")]
    assert await house.says(NOC.order()) == [done(repeated=True)]
    assert house.court.done == [OPEN]


async def test_the_record_on_the_disk_remembers_it(tmp_path: Path) -> None:
    court, restarts = Court(), 3
    for life in range(restarts):
        store = await open_store(tmp_path)
        async with at_work(Remote(court, store, NocClock(), site=SITE, keys=KEYS)) as desk:
            assert await desk.ask(NOC.order()) == (done(repeated=True) if life else done())
        await store.close()
    assert court.done == [OPEN]


async def test_the_record_on_the_disk_remembers_a_command_the_daemon_died_in(tmp_path: Path) -> None:
    court = Court(hangs=True)
    store = await open_store(tmp_path)
    async with at_work(Remote(court, store, NocClock(), site=SITE, keys=KEYS)) as desk:
        desk.remote.take(NOC.order())
        async with asyncio.timeout(5):
            while not court.heard:
                await asyncio.sleep(0)
    await store.close()
    store = await open_store(tmp_path)
    async with at_work(Remote(court, store, NocClock(), site=SITE, keys=KEYS)) as desk:
        assert await desk.ask(NOC.order()) == refused("interrupted", repeated=True)
    await store.close()
    assert court.done == [OPEN]


# ── not at all ─────────────────────────────────────────────────────────────────────────────────────────
async def test_a_disk_that_cannot_keep_it_leaves_it_undone_and_it_may_come_again() -> None:
    house = House()
    house.shelf.room = 0
    assert await house.says(NOC.order(), NOC.order()) == [refused("not_durable")] * 2
    assert house.court.done == []
    house.shelf.room = 2
    assert await house.says(NOC.order(), NOC.order()) == [done(), done(repeated=True)]
    assert house.court.done == [OPEN]


async def test_another_command_under_the_id_of_an_undone_one_is_still_another_command() -> None:
    house = House()
    house.shelf.room = 0
    await house.says(NOC.order())
    house.shelf.room = 9
    assert await house.says(NOC.order(args={"session": "s-2"})) == [refused("id_reused")]


async def test_an_answer_only_memory_kept_is_told_until_the_crash_and_the_command_never_repeated() -> None:
    house = House()
    house.shelf.room = 1
    assert await house.says(NOC.order(), NOC.order()) == [done(), done(repeated=True)]
    house.shelf.crash()
    assert await house.says(NOC.order()) == [refused("interrupted", repeated=True)]
    assert house.court.done == [OPEN]


@pytest.mark.parametrize(
    ("payload", "answer", "traced"),
    [
        (b"{}", {"id": None, "status": "refused", "reason": "malformed"}, (None, None, None, None)),
        (
            pen(seed=2).order(),
            {"id": "c-1", "status": "refused", "reason": "bad_signature"},
            ("c-1", None, None, None),
        ),
        (
            NOC.order(command="qos_off"),
            {"id": "c-1", "command": "qos_off", "status": "refused", "reason": "not_allowed"},
            ("c-1", "qos_off", "noc-1", "operate"),
        ),
        (
            NOC.order(expires="2026-01-01T12:00:00Z", not_before="2026-01-01T11:00:00Z"),
            refused("not_yet"),
            ("c-1", "session_open", "noc-1", "operate"),
        ),
    ],
)
async def test_a_refused_command_is_answered_with_the_reason_audited_and_not_kept(
    payload: bytes, answer: dict[str, Json], traced: tuple[str | None, str | None, str | None, str | None]
) -> None:
    house = House()
    assert await house.says(payload) == [answer]
    assert house.court.heard == [Commanded(100.0, *traced, str(answer["reason"]))]
    assert house.shelf.known == {}


async def test_what_was_too_early_may_come_again_in_its_time() -> None:
    house = House()
    early = NOC.order(not_before="2026-01-01T00:02:00Z")
    assert await house.says(early) == [refused("not_yet")]
    house.clock.now_s += 61
    assert [answer["status"] for answer in await house.says(early)] == ["done"]


# ── floods ─────────────────────────────────────────────────────────────────────────────────────────────
async def test_a_flood_is_told_busy_and_the_commands_before_it_are_done() -> None:
    house = House()
    remote = house.remote()
    for number in range(MOST_WAITING + 5):
        remote.take(NOC.order(id=f"c-{number}"))
    assert [answer["reason"] for answer in remote.answers] == ["busy"] * 5
    assert [answer["id"] for answer in remote.answers] == [f"c-{MOST_WAITING + n}" for n in range(5)]
    remote.answers.clear()
    async with at_work(remote) as desk:
        assert [(await desk.next())["status"] for _ in range(MOST_WAITING)] == ["done"] * MOST_WAITING
    assert len(house.court.done) == MOST_WAITING


async def test_answers_do_not_pile_up_while_there_is_no_line() -> None:
    remote = House().remote()
    for _ in range(MOST_WAITING + MOST_ANSWERS + 10):
        remote.take(b"{}")
    assert len(remote.answers) == MOST_ANSWERS


async def test_refusals_are_told_singly_ten_times_a_minute_and_the_rest_as_one() -> None:
    house = House()
    async with at_work(house.remote()) as desk:
        for _ in range(25):
            await desk.ask(b"{}")
        assert [told.refused for told in house.court.audit] == ["malformed"] * 10
        house.clock.now_s += 60
        await desk.ask(NOC.order())
        assert [told.refused for told in house.court.audit[10:]] == ["more_refused", None]
        await desk.ask(b"{}")
        assert [told.refused for told in house.court.audit[12:]] == ["malformed"]


async def test_a_replayed_command_does_not_flood_the_record_either() -> None:
    house = House()
    await house.says(*[NOC.order()] * 50)
    assert len(house.court.audit) == 11


# ── the real judge ─────────────────────────────────────────────────────────────────────────────────────
async def test_a_session_opened_by_the_noc_is_open_and_the_record_says_by_whom() -> None:
    diary = Diary()
    async with judging(diary, SetClock()) as judge:
        clock = NocClock()
        async with at_work(Remote(judge, Shelf(), clock, site=SITE, keys=KEYS)) as desk:
            assert (await desk.ask(NOC.order()))["status"] == "done"
            another = await desk.ask(NOC.order(id="c-2", args={"session": "s-2"}))
            nowhere = await desk.ask(NOC.order(id="c-3", command="diagnose", args={"link": "nowhere"}))
        assert judge.state.session is not None
        assert judge.state.session.id == "s-1"
    assert (another["reason"], nowhere["reason"]) == ("another_session_is_open", "no_such_link")
    assert "recorded act.session_opened" in diary.order
    assert "recorded command.done" in diary.order
