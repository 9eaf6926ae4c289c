"""The reporter against a real mosquitto, and against doubles where a real broker would have to misbehave."""

import asyncio

from edged.record.store import Store
from edged.report.reading import BrokerCause
from edged.report.reading import Noc as NocState
from tests.edged.record.scene import log_event, tier_event
from tests.edged.report.broker import Mosquitto
from tests.edged.report.conftest import Running
from tests.edged.report.noc import noc_on


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
    assert (reading.cause, reading.protocol, reading.epoch, reading.broker) == (
        BrokerCause.NONE,
        "5",
        1,
        f"127.0.0.1:{broker.port}",
    )


async def test_replay_comes_in_order_state_snapshots_tier_log(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    await store.append([log_event(), tier_event(), log_event(), tier_event(), tier_event()])
    async with noc_on(broker.port) as noc:
        running.start(broker.port)
        await noc.until(lambda: len(noc.events()) == 5)
        topics = [message.topic.split("/", 4)[4] for message in noc.messages]
        assert topics == ["state", "snap/tier", "evt/t2", "evt/t2", "evt/t2", "evt/log", "evt/log"]
        assert noc.events() == [2, 4, 5, 1, 3]
        rows = {row.sequence: row.body for row in await store.recent(10)}
        assert {m.envelope["sequence"]: m.raw for m in noc.on("evt")} == rows, "sent byte for byte as kept"
    await running.until(lambda r: r.pending_log == 0)
    assert running.last.pending_tier == 3


async def test_what_happens_while_connected_goes_out_at_once(broker: Mosquitto, store: Store, running: Running) -> None:
    running.start(broker.port)
    async with noc_on(broker.port) as noc:
        await running.until(lambda r: r.connected)
        await store.append([tier_event()])
        await noc.until(lambda: noc.events() == [1], timeout_s=1.0)
        await store.append([log_event()])
        await noc.until(lambda: noc.events() == [1, 2], timeout_s=1.0)


async def test_only_the_nocs_word_prunes_and_until_then_every_connection_sends_again(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    stream = store.opening.stream
    await store.append([tier_event(), log_event(), tier_event()])
    async with noc_on(broker.port) as noc:
        running.start(broker.port)
        await noc.until(lambda: noc.events() == [1, 3, 2])
        await running.until(lambda r: r.pending_log == 0)
        await noc.acknowledge(stream, 1)
        await running.until(lambda r: r.pending_tier == 1)
        running.reporter.reconnect()
        await noc.until(lambda: noc.events() == [1, 3, 2, 3])
        await noc.acknowledge(stream, 3)
        await running.until(lambda r: r.pending_tier == 0)
        running.reporter.reconnect()
        await noc.until(lambda: len([s for s in noc.states() if s == "online"]) == 3)
        await store.append([log_event()])
        await noc.until(lambda: noc.events() == [1, 3, 2, 3, 4])


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
