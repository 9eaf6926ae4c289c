"""The reporter against a real mosquitto."""

import asyncio
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from secrets import token_hex

import pytest

from edged.record.backlog import Backlog
from edged.record.store import Store
from edged.report.reading import BrokerCause, Noc
from tests.edged.record.scene import log_event, open_store, tier_event
from tests.edged.report.broker import Mosquitto
from tests.edged.report.conftest import Running
from tests.edged.report.noc import BASE, noc_on


async def soon(met: Callable[[], bool], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not met():
            await asyncio.sleep(0.01)


def inflated(payload: bytes) -> bytes:
    return zlib.decompress(payload)


# ── birth and end ──────────────────────────────────────────────────────────────────────────────────────
async def test_a_birth_names_the_software_the_stream_and_how_far_it_goes(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    await store.append([tier_event(), log_event()])
    running.start(broker.port)
    async with noc_on(broker.port) as noc:
        await noc.until(lambda: noc.on("state"))
        born = noc.on("state")[0]
        assert born.data == {
            "state": "online",
            "version": "0.1.0",
            "config_hash": "c0ffee",
            "durable": True,
            "heads": [{"stream": store.opening.stream, "last": 2, "acknowledged": 0}],
        }
        assert born.envelope["epoch"] == 1
        assert born.content_type == "application/cloudevents+json; charset=utf-8"
    reading = await running.until(lambda r: r.connected)
    assert (reading.cause, reading.protocol, reading.epoch) == (BrokerCause.NONE, "5", 1)
    assert reading.broker == f"127.0.0.1:{broker.port}"


async def test_a_stop_is_said_and_leaves_no_will(broker: Mosquitto, running: Running) -> None:
    async with noc_on(broker.port) as noc:
        running.start(broker.port)
        await noc.until(lambda: noc.states() == ["online"])
        await running.stop()
        await noc.until(lambda: noc.states() == ["online", "stopped"])
        await asyncio.sleep(0.2)
        assert noc.states() == ["online", "stopped"]
    async with noc_on(broker.port, name="later") as noc:
        await noc.until(lambda: noc.states() == ["stopped"])
        assert noc.messages[0].retained


async def test_what_is_recorded_last_is_told_before_the_last_word(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    async with noc_on(broker.port) as noc:
        running.start(broker.port)
        await running.until(lambda r: r.connected)
        await store.append([log_event()])
        await running.stop()
        await noc.until(lambda: noc.states()[-1:] == ["stopped"])
        assert noc.events() == [1]
    assert store.status().pending_log == 0


async def test_a_killed_daemon_is_lost_and_its_next_life_sends_again(tmp_path: Path, broker: Mosquitto) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.edged.report.lonely_reporter",
        str(tmp_path / "lonely"),
        str(broker.port),
        "0",
    ]
    async with noc_on(broker.port) as noc:
        for events in ([1], [1, 1, 2]):
            with subprocess.Popen(command) as process:
                await noc.until(partial(_same, noc.events, events))
                process.kill()
            await noc.until(partial(_ends, noc.states, "lost"))
        told = [(message.data["state"], message.envelope["epoch"]) for message in noc.on("state")]
        assert told == [("online", 1), ("lost", 1), ("online", 2), ("lost", 2)]


def _same(found: Callable[[], list[int]], wanted: list[int]) -> bool:
    return found() == wanted


def _ends(found: Callable[[], list[str]], last: str) -> bool:
    return found()[-1:] == [last]


async def test_a_broker_killed_and_back_gets_what_it_missed(broker: Mosquitto, store: Store, running: Running) -> None:
    running.start(broker.port)
    await running.until(lambda r: r.connected)
    broker.kill()
    down = await running.until(lambda r: not r.connected)
    assert down.cause is BrokerCause.LOST
    await store.append([tier_event(), log_event()])
    await running.until(lambda r: r.cause is BrokerCause.REFUSED)
    broker.start()
    async with noc_on(broker.port) as noc:
        await noc.until(lambda: set(noc.events()) == {1, 2})
        await soon(lambda: store.status().pending_log == 0)
        assert store.status().pending_tier == 1
        assert noc.on("state")[-1].envelope["epoch"] == 2


# ── events ─────────────────────────────────────────────────────────────────────────────────────────────
async def test_replay_comes_in_order_state_snapshots_tier_log(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    await store.append([log_event(), tier_event(), log_event(), tier_event(), tier_event()])
    async with noc_on(broker.port) as noc:
        running.start(broker.port)
        await noc.until(lambda: len(noc.events()) == 5)
        topics = [message.topic.removeprefix(f"{BASE}/") for message in noc.messages]
        assert topics == ["state", "snap/tier", "evt/t2", "evt/t2", "evt/t2", "hist"]
        assert noc.events() == [2, 4, 5, 1, 3]
        rows = {row.sequence: row.body for row in await store.recent(10)}
        sent = {m.envelope["sequence"]: m.raw for m in noc.on("evt")}
        assert sent == {number: rows[number] for number in (2, 4, 5)}, "sent byte for byte as kept"
        assert inflated(noc.on("hist")[0].raw) == b"[" + rows[1] + b"," + rows[3] + b"]"
        await soon(lambda: (store.status().pending_log, store.status().pending_tier) == (0, 3))


async def test_what_happens_while_connected_goes_out_at_once(broker: Mosquitto, store: Store, running: Running) -> None:
    running.start(broker.port)
    async with noc_on(broker.port) as noc:
        await running.until(lambda r: r.connected)
        await store.append([tier_event()])
        await noc.until(lambda: noc.events() == [1], timeout_s=0.5)
        await store.append([log_event()])
        await noc.until(lambda: noc.events() == [1, 2], timeout_s=0.5)


async def test_only_the_nocs_word_prunes_and_until_then_every_connection_sends_again(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    stream = store.opening.stream
    await store.append([tier_event(), log_event(), tier_event()])
    async with noc_on(broker.port) as noc:
        running.start(broker.port)
        await noc.until(lambda: noc.events() == [1, 3, 2])
        await soon(lambda: store.status().pending_log == 0)
        await noc.acknowledge(stream, 1)
        await soon(lambda: store.status().pending_tier == 1)
        running.move()
        await noc.until(lambda: noc.events() == [1, 3, 2, 3])
        await noc.acknowledge(stream, 3)
        await soon(lambda: store.status().pending_tier == 0)
        running.move()
        await noc.until(lambda: noc.states().count("online") == 3)
        await store.append([log_event()])
        await noc.until(lambda: noc.events() == [1, 3, 2, 3, 4])


async def test_a_long_backlog_arrives_whole_with_at_most_eight_in_flight(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    for _ in range(4):
        await store.append([event for _ in range(50) for event in (tier_event(), log_event())])
    async with noc_on(broker.port) as noc:
        running.start(broker.port)
        await noc.until(lambda: len(noc.events()) >= 400)
        assert noc.events() == [*range(1, 401, 2), *range(2, 401, 2)]
    assert max(reading.in_flight for reading in running.readings) <= 8


async def test_events_nobody_subscribes_to_are_not_called_sent(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    await store.append([tier_event(), log_event()])
    running.start(broker.port)
    reading = await running.until(lambda r: r.cause is BrokerCause.UNHEARD)
    assert (reading.connected, reading.code, reading.pending_log, reading.pending_tier) == (True, 0x10, 1, 1)
    async with noc_on(broker.port) as noc:
        await noc.present("offline")
        await running.until(lambda r: r.noc is Noc.OFFLINE)
        await noc.present("online")
        await noc.until(lambda: noc.events() == [1, 2])
        await running.until(lambda r: r.cause is BrokerCause.NONE and r.noc is Noc.ONLINE)


async def test_a_noc_that_comes_gets_what_it_has_not_acknowledged(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    await store.append([tier_event(), log_event()])
    async with noc_on(broker.port) as noc:
        running.start(broker.port)
        await noc.until(lambda: noc.events() == [1, 2])
        await soon(lambda: store.status().pending_log == 0)
        await noc.present("online")
        await noc.until(lambda: noc.events() == [1, 2, 1])
        await noc.present("online")  # saying so again is not coming again
        await store.append([tier_event()])
        await noc.until(lambda: noc.events() == [1, 2, 1, 3])
        running.move()
        await noc.until(lambda: noc.events() == [1, 2, 1, 3, 1, 3])


async def test_a_denied_publish_is_surfaced_and_not_counted_as_sent(
    tmp_path: Path, store: Store, running: Running
) -> None:
    acl = tmp_path / "acl"
    acl.write_text(
        f"topic read {BASE}/#\ntopic readwrite {BASE}/state\ntopic readwrite {BASE}/hist\ntopic write {BASE}/ack\n"
    )
    broker = Mosquitto(tmp_path, "allow_anonymous true", f"acl_file {acl}").start()
    try:
        rows = await store.append([tier_event(), log_event(), tier_event()])
        async with noc_on(broker.port) as noc:
            running.start(broker.port)
            await noc.until(lambda: noc.events() == [2])
            reading = await running.until(lambda r: r.cause is BrokerCause.PUBLISH_REFUSED)
            assert (reading.connected, reading.code, reading.pending_tier) == (True, 0x87, 2)
            await noc.acknowledge(rows[0].stream, 3)  # it cannot have what was denied
            await asyncio.sleep(0.3)
            assert store.status().pending_tier == 2
    finally:
        broker.kill()


async def test_a_disk_that_refuses_is_said_and_its_events_arrive_all_the_same(
    tmp_path: Path, broker: Mosquitto
) -> None:
    (tmp_path / "state").write_text("in the way")
    store = await open_store(tmp_path / "state")
    running = Running(store).start(broker.port)
    async with noc_on(broker.port) as noc:
        await store.append([tier_event()])
        await noc.until(lambda: noc.events() == [1] and noc.states())
        assert noc.on("state")[-1].data["durable"] is False
        (tmp_path / "state").unlink()
        await store.append([tier_event()])
        await noc.until(lambda: noc.events() == [1, 2] and noc.on("state")[-1].data["durable"])
        await noc.acknowledge(store.status().stream, 2)
        await soon(lambda: store.status().pending_tier == 0)
    await running.stop()
    await store.close()


async def test_an_event_the_broker_finds_too_large_holds_up_no_other(
    tmp_path: Path, store: Store, running: Running
) -> None:
    broker = Mosquitto(tmp_path, "allow_anonymous true", "max_packet_size 2000").start()
    try:
        long = token_hex(2500)  # deflated it is still 2500 bytes
        await store.append([tier_event(text=long), tier_event(), log_event(text=long), log_event()])
        async with noc_on(broker.port) as noc:
            running.start(broker.port)
            await noc.until(lambda: noc.events() == [2, 4])
            reading = await running.until(lambda r: r.cause is BrokerCause.PUBLISH_REFUSED and r.pending_log == 1)
            assert (reading.code, reading.pending_tier, reading.epoch) == (0x95, 2, 1)
    finally:
        broker.kill()


# ── what the NOC says ──────────────────────────────────────────────────────────────────────────────────
GARBAGE = [
    b"",
    b"\x00\xff\xfe",
    b"null",
    b"[[[[",
    b"[" * 4000,
    b"{}",
    b"x" * 300_000,
    b'{"stream":1,"seq":"x"}',
    b'{"seq":1e999}',
]


@pytest.mark.parametrize("topic", ["ack", "cmd/req", "../noc/state"])
async def test_garbage_from_the_noc_is_refused_counted_and_survived(
    broker: Mosquitto, store: Store, running: Running, topic: str
) -> None:
    running.start(broker.port)
    async with noc_on(broker.port) as noc:
        await running.until(lambda r: r.connected)
        for garbage in GARBAGE:
            if topic == "../noc/state":
                await noc.client.publish("edge/v1/clinic/noc/state", garbage, qos=1)
            else:
                await noc.say(topic, garbage)
        await store.append([tier_event()])
        await noc.until(lambda: noc.events() == [1])
        small = len(GARBAGE) - 1  # the broker itself keeps from us what is beyond our maximum packet size
        match topic:
            case "cmd/req":
                await noc.until(lambda: len(noc.answers()) == small)
                assert {(a["status"], a["reason"]) for a in noc.answers()} == {("refused", "malformed")}
            case "ack":
                await running.until(lambda r: r.refused_input == small)
        assert running.last.epoch == 1, "still the first connection"
        assert noc.states() == ["online"]


async def test_a_watermark_of_another_stream_or_beyond_the_head_is_ignored_and_said(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    await store.append([tier_event()])
    running.start(broker.port)
    async with noc_on(broker.port) as noc:
        await running.until(lambda r: r.connected)
        await noc.acknowledge("another", 1)
        await noc.acknowledge(store.opening.stream, 2)
        await running.until(lambda r: r.refused_input == 2)
        assert store.status().pending_tier == 1


async def test_a_range_is_sent_again_and_what_is_missing_is_said(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    stream = store.opening.stream
    await store.append([event for _ in range(50) for event in (tier_event(), log_event())])
    async with noc_on(broker.port) as noc:
        running.start(broker.port)
        await noc.until(lambda: len(noc.events()) == 100)
        await noc.acknowledge(stream, 100)
        await noc.say("cmd/req", {"command": "resend", "id": "r1", "stream": stream, "from": 5, "to": 103})
        await noc.until(noc.answers)
        assert noc.events()[100:] == list(range(5, 101))
        assert noc.answers() == [
            {
                "id": "r1",
                "command": "resend",
                "status": "done",
                "stream": stream,
                "sent": 96,
                "missing_rows": 3,
                "missing": [{"first": 101, "last": 103, "why": "never"}],
            }
        ]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"command": "resend", "id": "7", "stream": "another", "from": 1, "to": 2}, "unknown_stream"),
        ({"command": "resend", "id": "7", "stream": "s", "from": 2, "to": 1}, "range"),
        ({"command": "resend", "id": "7", "stream": "s", "from": 1, "to": 10_001}, "range"),
        ({"command": "release_hold", "id": "7", "signature": "x"}, "not_allowed"),
        ({"command": "rebirth", "id": "7", "force": True}, "malformed"),
    ],
)
async def test_a_command_that_cannot_be_is_refused_with_a_code(
    broker: Mosquitto, running: Running, command: dict[str, object], reason: str
) -> None:
    running.start(broker.port)
    async with noc_on(broker.port) as noc:
        await running.until(lambda r: r.connected)
        await noc.say("cmd/req", command)
        await noc.until(noc.answers)
        assert noc.answers() == [{"id": "7", "status": "refused", "reason": reason}]


async def test_a_retained_command_is_from_some_earlier_time(broker: Mosquitto, running: Running) -> None:
    async with noc_on(broker.port) as noc:
        await noc.say("cmd/req", {"command": "rebirth", "id": "old"}, retain=True)
        running.start(broker.port)
        await noc.until(noc.answers)
        assert noc.answers() == [{"id": "old", "status": "refused", "reason": "retained"}]


async def test_a_rebirth_says_everything_again(broker: Mosquitto, store: Store, running: Running) -> None:
    await store.append([tier_event(), log_event()])
    async with noc_on(broker.port) as noc:
        running.start(broker.port)
        await noc.until(lambda: len(noc.events()) == 2)
        await soon(lambda: store.status().pending_log == 0)
        noc.messages.clear()
        await noc.say("cmd/req", {"command": "rebirth", "id": "again"})
        await noc.until(lambda: noc.answers() and noc.events() and noc.on("snap"))
        assert noc.answers() == [{"id": "again", "command": "rebirth", "status": "done"}]
        assert (noc.states(), noc.events()) == (["online"], [1])


# ── snapshots and telemetry ────────────────────────────────────────────────────────────────────────────
async def test_a_snapshot_is_retained_and_comes_again_only_when_it_changed(broker: Mosquitto, running: Running) -> None:
    running.snapshots |= {"link": {"fiber": "up"}}
    running.start(broker.port)
    async with noc_on(broker.port) as noc:
        await noc.until(lambda: len(noc.on("snap")) == 2)
        running.snapshots["link"] = {"fiber": "down"}
        await noc.until(lambda: len(noc.on("snap")) == 3)
        assert noc.messages[-1].data == {"fiber": "down"}
        del running.snapshots["link"]
        await noc.until(lambda: len(noc.on("snap")) == 4)
        assert noc.messages[-1].raw == b""
    async with noc_on(broker.port, name="later") as noc:
        await noc.until(lambda: len(noc.on("snap")) == 1)
        assert noc.on("snap")[0].retained
        assert noc.on("snap")[0].data == {"tier": 0}


async def test_a_snapshot_json_cannot_say_costs_only_itself(broker: Mosquitto, store: Store, running: Running) -> None:
    running.snapshots = {"link": {"rtt_s": float("nan")}}
    running.start(broker.port)
    async with noc_on(broker.port) as noc:
        await store.append([tier_event()])
        await noc.until(lambda: noc.events() == [1])
    assert running.last.connected


async def test_telemetry_is_live_for_five_minutes_and_kept_until_it_is_taken(
    broker: Mosquitto, running: Running, backlog: Backlog
) -> None:
    async with noc_on(broker.port) as noc:
        running.start(broker.port, backlog=backlog)
        await running.until(lambda r: r.connected)
        for n in range(3):
            backlog.put("links", {"n": n})
        await noc.until(lambda: len(noc.on("tel/links")) == 3)
        assert [message.data["n"] for message in noc.on("tel/links")] == [0, 1, 2]
        assert [message.envelope["sequence"] for message in noc.on("tel/links")] == [1, 2, 3]
        assert all(message.expiry_s and 290 < message.expiry_s <= 300 for message in noc.on("tel/links"))
        await soon(lambda: backlog.status().waiting == 0)


async def test_a_new_connection_is_made_at_once_when_the_traffic_moved(broker: Mosquitto, running: Running) -> None:
    running.start(broker.port)
    async with noc_on(broker.port) as noc:
        await running.until(lambda r: r.connected)
        asked_s = time.monotonic()
        running.move()
        await noc.until(lambda: [m.envelope["epoch"] for m in noc.on("state")][-1:] == [2])
        assert time.monotonic() - asked_s < 4  # silence would have told after 5 s
    assert BrokerCause.MOVED in {reading.cause for reading in running.readings}
