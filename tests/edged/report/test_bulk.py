"""Backlog, tombstones and telemetry on their way, against a real mosquitto."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from edged.clock import SystemClock
from edged.record.backlog import Backlog, BacklogSettings
from edged.record.settings import RecordSettings
from edged.record.store import Store
from edged.report.reading import BrokerCause, Noc
from tests.edged.record.scene import ORIGIN, log_event, open_store, tier_event
from tests.edged.report.broker import Mosquitto
from tests.edged.report.conftest import Running
from tests.edged.report.noc import BASE, noc_on


async def soon(met: Callable[[], bool], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not met():
            await asyncio.sleep(0.01)


@pytest.fixture
async def small_store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(tmp_path / "small", RecordSettings(keep_rows=100))
    yield store
    await store.close()


async def test_what_had_to_make_way_is_told_by_a_tombstone_once(broker: Mosquitto, small_store: Store) -> None:
    for _ in range(15):
        await small_store.append([log_event() for _ in range(20)])
    running = Running(small_store).start(broker.port)
    async with noc_on(broker.port) as noc:
        await noc.until(lambda: noc.tombstones() and 300 in noc.events())
        (grave,) = noc.tombstones()
        assert (grave["stream"], grave["first"], grave["why"]) == (small_store.opening.stream, 1, "evicted")
        assert sorted(noc.events()) == list(range(grave["last"] + 1, 301)), "the rest is here"
        await noc.say("cmd/req", {"command": "resend", "id": "r", "stream": grave["stream"], "from": 1, "to": 300})
        await noc.until(noc.answers)
        (missing,) = noc.answers()[0]["missing"]
        assert missing["why"] == "evicted"
        assert missing["first"] == 1
        running.move()
        await noc.until(lambda: noc.states().count("online") == 2)
        await small_store.append([log_event()])
        await noc.until(lambda: 301 in noc.events())
        assert len(noc.tombstones()) == 1
    await running.stop()


async def test_while_the_noc_is_away_only_what_cannot_wait_is_sent(
    broker: Mosquitto, store: Store, running: Running, backlog: Backlog
) -> None:
    await store.append([log_event(), tier_event()])
    async with noc_on(broker.port) as noc:
        await noc.present("offline")
        backlog.put("links", {"n": 1})
        running.start(broker.port, backlog=backlog)
        await running.until(lambda r: r.noc is Noc.OFFLINE)
        await store.append([log_event()])
        await noc.until(lambda: 3 in noc.events())
        backlog.put("links", {"n": 2})
        await asyncio.sleep(0.3)
        assert noc.events() == [2, 3], "state, tier events and what happens now; no backlog"
        telemetry = len(noc.on("tel"))
        await noc.present("online")
        await noc.until(lambda: 1 in noc.events() and len(noc.on("tel")) == 2)
        assert telemetry <= 1, "what went out before the word was heard"


async def test_backlog_keeps_to_its_rate_and_live_events_do_not_wait_for_it(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    noise = [log_event(**{f"k{n}": n / 7 for n in range(60)}) for _ in range(50)]
    for _ in range(40):
        await store.append(noise)
    async with noc_on(broker.port) as noc:
        running.start(broker.port, links={"fiber": {"replay_kbit": 64}}, link="fiber")
        await noc.until(lambda: len(noc.on("hist")) >= 2)
        began_s, began = time.monotonic(), sum(len(message.raw) for message in noc.on("hist"))
        await store.append([tier_event()])
        await noc.until(lambda: 2001 in noc.events())
        assert len(noc.events()) < 2001, "it overtook the backlog"
        await noc.until(lambda: len(noc.on("hist")) >= 8, timeout_s=30)
        sent = sum(len(message.raw) for message in noc.on("hist")) - began
        assert 8 * sent <= 64_000 * (time.monotonic() - began_s) + 2 * 64_000, "a burst, then the rate"


async def test_a_used_up_budget_holds_telemetry_and_no_event(
    broker: Mosquitto, store: Store, running: Running, backlog: Backlog
) -> None:
    await store.append([log_event(), tier_event()])
    async with noc_on(broker.port) as noc:
        running.start(broker.port, links={"fiber": {"monthly_mb": 1}}, link="fiber", backlog=backlog)
        await running.until(lambda r: r.connected)
        running.reporter._shares["fiber"].spent(2_000_000, time.time())
        await running.until(lambda r: r.over_budget)
        backlog.put("links", {"n": 1})
        await store.append([tier_event(), log_event()])
        await noc.until(lambda: {1, 2, 3, 4} <= set(noc.events()))
        assert noc.on("tel") == []
        running.move()  # the other link is not metered
        await noc.until(lambda: noc.on("tel"))
        assert not running.last.over_budget


async def test_what_the_connection_costs_is_charged_to_its_link(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    async with noc_on(broker.port) as noc:
        running.start(broker.port, links={"fiber": {"monthly_mb": 1}}, link="fiber")
        await store.append([tier_event() for _ in range(200)])
        await noc.until(lambda: len(noc.events()) == 200)
        budget = running.reporter._shares["fiber"].budget
        assert budget
        payload = sum(len(message.raw) for message in noc.messages)
        await soon(lambda: budget.used_bytes > payload)
        assert budget.used_bytes < 2 * payload + 20_000


async def test_unanswered_telemetry_is_kept_for_the_next_connection(
    broker: Mosquitto, store: Store, running: Running, backlog: Backlog
) -> None:
    running.start(broker.port, backlog=backlog)
    await running.until(lambda r: r.connected)
    broker.kill()
    await running.until(lambda r: not r.connected)
    backlog.put("links", {"n": 1})
    assert backlog.status().waiting == 1
    broker.start()
    async with noc_on(broker.port) as noc:
        await noc.until(lambda: [told["data"] for told in noc.told()] == [{"n": 1}])
    await soon(lambda: backlog.status().waiting == 0)


async def test_telemetry_that_is_denied_is_kept_and_not_tried_all_the_time(
    tmp_path: Path, running: Running, backlog: Backlog
) -> None:
    acl = tmp_path / "acl"
    acl.write_text(f"topic readwrite {BASE}/state\ntopic read {BASE}/#\n")
    broker = Mosquitto(tmp_path, "allow_anonymous true", f"acl_file {acl}").start()
    try:
        running.start(broker.port, backlog=backlog)
        backlog.put("links", {"n": 1})
        await running.until(lambda r: r.cause is BrokerCause.PUBLISH_REFUSED and r.in_flight == 0)
        backlog.put("links", {"n": 2})
        await asyncio.sleep(0.3)
        assert (running.last.waiting, running.last.in_flight) == (2, 0)
    finally:
        broker.kill()


async def test_what_of_a_telemetry_stream_cannot_come_is_answered(
    broker: Mosquitto, running: Running, tmp_path: Path
) -> None:
    (tmp_path / "crash").mkdir()
    command = [sys.executable, "-m", "tests.edged.report.lonely_backlog", str(tmp_path / "crash")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        stream = process.stdout.readline().strip()
        process.kill()
    settings = BacklogSettings()
    backlog = await Backlog.open(tmp_path / "crash", origin=ORIGIN, clock=SystemClock(), settings=settings)
    async with noc_on(broker.port) as noc:
        running.start(broker.port, backlog=backlog)
        await noc.until(lambda: any(grave["stream"] == stream for grave in noc.tombstones()))
        (grave,) = [grave for grave in noc.tombstones() if grave["stream"] == stream]
        assert (grave["last"], grave["why"]) == (None, "crash")
        await noc.say("cmd/req", {"command": "resend", "id": "r", "stream": stream, "from": grave["first"], "to": 90})
        await noc.until(noc.answers)
        assert noc.answers()[0]["missing"] == [{"first": grave["first"], "last": 90, "why": "crash"}]
    await running.stop()
    await backlog.close()
