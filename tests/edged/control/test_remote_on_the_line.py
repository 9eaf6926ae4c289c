"""From the NOC's tool over a broker to the judge, the record and back: every part is the real one."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edged.clock import ClockQuality, SystemClock, rfc3339
from edged.control.remote import Remote
from edged.core.effects import Effect
from edged.core.events import Json
from edged.judging import Judging
from edged.report.mqtt import Reporter
from edged.report.settings import BrokerSettings
from tests.edged.core.room import SITE as PLAN
from tests.edged.record.scene import ORIGIN, open_store
from tests.edged.report.broker import Mosquitto
from tests.edged.report.noc import Noc, noc_on
from tests.edged.report.orders import SITE, pen

NOC = pen()


class SyncedClock(SystemClock):
    """A test machine's own word on this may be anything."""

    def quality(self) -> ClockQuality:
        return ClockQuality.SYNCED


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path, "allow_anonymous true").start()
    yield mosquitto
    mosquitto.kill()


@dataclass
class Life:
    """One life of the daemon, as far as commands go."""

    judge: Judging

    @property
    def session(self) -> str | None:
        return self.judge.state.session.id if self.judge.state.session else None


@asynccontextmanager
async def life(directory: Path, port: int) -> AsyncIterator[Life]:
    store, clock = await open_store(directory), SyncedClock()
    judge = Judging(PLAN, store, clock, boot_id="b", act=_ignore, ticked=lambda: None)
    await judge.resume()
    remote = Remote(judge, store, clock, site=SITE, keys={NOC.name: NOC.trusted()})
    reporter = Reporter(
        store,
        BrokerSettings.model_validate({"host": "127.0.0.1", "port": port, "reconnect_first_s": 0.1, "will_delay_s": 0}),
        origin=ORIGIN,
        clock=clock,
        birth={},
        snapshots=dict,
        emit=_ignore,
        remote=remote,
    )
    jobs = [asyncio.create_task(job) for job in (judge.run(), remote.run(), reporter.run())]
    try:
        yield Life(judge)
    finally:
        for job in reversed(jobs):
            job.cancel()
            with suppress(asyncio.CancelledError):
                await job
        await store.close()


def _ignore(_: Effect | object) -> None:
    pass


def order(**changes: Any) -> bytes:
    now_s = time.time()
    return NOC.order(**{"not_before": rfc3339(now_s), "expires": rfc3339(now_s + 300), **changes})


async def ask(noc: Noc, what: bytes, *, retain: bool = False) -> dict[str, Json]:
    before = len(noc.answers())
    await noc.say("cmd/req", what, retain=retain)
    await noc.until(lambda: len(noc.answers()) > before)
    answer: dict[str, Json] = noc.answers()[-1]
    return answer


async def test_a_command_is_done_once_across_restarts_and_leaves_its_trace(broker: Mosquitto, tmp_path: Path) -> None:
    command, told = order(), {"id": "c-1", "command": "session_open"}
    async with noc_on(broker.port) as noc:
        async with life(tmp_path, broker.port) as site:
            await noc.until(lambda: noc.states() == ["online"])
            first = await ask(noc, command)
            assert first == {**told, "status": "done", "result": {"tier": 0}}
            assert site.session == "s-1"
        async with life(tmp_path, broker.port) as site:
            await noc.until(lambda: noc.states()[-1] == "online")
            assert await ask(noc, command) == {**first, "repeated": True}
            await noc.until(lambda: len(commands(noc)) == 2)
        traces = [(trace["id"], trace["key"], trace["role"], trace["repeated"]) for trace in commands(noc)]
        assert traces == [("c-1", "noc-1", "operate", False), ("c-1", "noc-1", "operate", True)]
        acts = [m.data for m in noc.on("evt") if m.envelope["type"] == "edge.act.session_opened.v1"]
        assert [(act["actor"], act["session"]) for act in acts] == [("noc:noc-1", "s-1")]


def commands(noc: Noc) -> list[dict[str, Any]]:
    return [message.data for message in noc.on("evt") if message.envelope["type"] == "edge.command.done.v1"]


async def test_what_is_refused_is_answered_with_the_reason_and_changes_nothing(
    broker: Mosquitto, tmp_path: Path
) -> None:
    forged = json.loads(order(id="c-2")) | {"args": {"session": "s-9"}}
    rows = [
        (json.dumps(forged).encode(), "c-2", "bad_signature"),
        (order(id="c-3", site="clinic/room-2"), "c-3", "not_this_site"),
        (order(id="c-4", not_before="2020-01-01T00:00:00Z", expires="2020-01-01T00:05:00Z"), "c-4", "expired"),
        (b'{"command": "session_open", "id": "c-5"}', "c-5", "not_allowed"),
    ]
    async with noc_on(broker.port) as noc, life(tmp_path, broker.port) as site:
        await noc.until(lambda: noc.states() == ["online"])
        for payload, identity, reason in rows:
            answer = await ask(noc, payload)
            assert (answer["id"], answer["status"], answer["reason"]) == (identity, "refused", reason)
        assert site.session is None


async def test_a_retained_command_is_refused_when_the_site_comes(broker: Mosquitto, tmp_path: Path) -> None:
    async with noc_on(broker.port) as noc:
        await noc.say("cmd/req", order(), retain=True)
        async with life(tmp_path, broker.port) as site:
            await noc.until(noc.answers)
            assert noc.answers() == [{"id": "c-1", "status": "refused", "reason": "retained"}]
            assert site.session is None
