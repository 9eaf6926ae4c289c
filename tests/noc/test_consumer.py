"""The whole consumer, on a real mosquitto, with a site that loses, doubles and reorders."""

import asyncio
import sqlite3
import urllib.request
from collections.abc import Callable
from contextlib import closing
from random import Random

import pytest

from edged.core.events import Channel
from tests.edged.report.broker import Mosquitto
from tests.noc.consumers import Consuming
from tests.noc.sites import BASE, Site, T, measurement, site_on, tombstone


def bodies(consuming: Consuming) -> list[bytes]:
    with closing(sqlite3.connect(consuming.db)) as base:
        return [body for (body,) in base.execute("SELECT body FROM message ORDER BY sequence")]


async def scraped(consuming: Consuming, line: str) -> None:
    """Waits until `/metrics` says so."""
    page = ""

    def scrape() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{consuming.metrics_port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    async with asyncio.timeout(10):
        while line not in page:
            page = await asyncio.to_thread(scrape)


@pytest.mark.parametrize("mqtt", ["5", "3.1.1"])
async def test_what_is_lost_doubled_and_out_of_order_is_all_held_once_in_the_end(
    broker: Mosquitto, consuming: Consuming, mqtt: str
) -> None:
    await consuming.start("--mqtt", mqtt)
    async with site_on(broker.port) as site:
        await site.online()
        numbers = site.record(60)
        chance = Random(7)
        sent = [n for n in numbers if chance.random() > 0.3] * 2
        chance.shuffle(sent)
        await site.send(sent)
        await site.online(epoch=2)  # whatever was lost at the end: the head tells
        await site.until_acknowledged(60)
        held = await consuming.stream(site.stream, lambda each: each["held"] == 60)
    assert held["gaps"] == held["tombstones"] == []
    assert (held["last"], held["watermark"]) == (60, 60)
    assert bodies(consuming) == [site.kept[n] for n in numbers]


async def test_backlog_tombstones_and_an_evicted_part_leave_no_hole(broker: Mosquitto, consuming: Consuming) -> None:
    await consuming.start()
    async with site_on(broker.port) as site:
        site.record(10, Channel.LOG)
        site.record(1)
        for number in (*range(1, 4), 7):
            site.gone[number] = "evicted"
            del site.kept[number]
        await site.online()
        await site.send([11])
        await site.send_history(tombstone(site.stream, 1, 3), *(site.kept[n] for n in (4, 5, 6, 8, 9)))
        await site.until_acknowledged(11)
        held = await consuming.stream(site.stream, lambda each: not each["gaps"])
    assert held["tombstones"] == [{"first": 1, "last": 3, "why": "evicted"}, {"first": 7, "last": 7, "why": "evicted"}]
    assert (held["held"], held["duplicates"]) == (7, 2)  # 8 and 9 lay between two holes and came again
    assert site.asked == [(7, 10)]


async def test_telemetry_that_stands_for_several_leaves_no_hole(broker: Mosquitto, consuming: Consuming) -> None:
    await consuming.start()
    async with site_on(broker.port) as site:
        await site.online()
        await site.client.publish(f"{BASE}/tel/links", measurement(T, 9), qos=1)
        await site.send_history(measurement(T, 8, first=1))
        held = await consuming.stream(T, lambda each: each["held"] == 9)
        await scraped(consuming, 'edged_noc_link_rtt_seconds{link="fiber",site="room-1",tenant="clinic"} 0.02')
    assert (held["kind"], held["gaps"], held["watermark"]) == ("telemetry", [], 0)


async def test_a_stream_the_site_no_longer_knows_is_closed_as_lost(broker: Mosquitto, consuming: Consuming) -> None:
    await consuming.start()
    async with site_on(broker.port) as site:
        site.knows_stream = False
        site.record(5)
        await site.online()
        await site.send([2, 5])
        held = await consuming.stream(site.stream, lambda each: each["lost"])
        await site.until_acknowledged(5)
    assert held["lost"] == [[1, 1], [3, 4]]


async def test_a_site_is_told_whether_the_noc_is_there(broker: Mosquitto, consuming: Consuming) -> None:
    async with site_on(broker.port) as site:
        await consuming.start()
        await heard(site, lambda: site.noc == ["online"])
        await consuming.kill()
        await heard(site, lambda: site.noc == ["online", "offline"])
        await consuming.start()
        await heard(site, lambda: site.noc == ["online", "offline", "online"])
        assert await consuming.stop() == 0
        await heard(site, lambda: site.noc == ["online", "offline", "online", "offline"])


async def heard(site: Site, met: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not met():
            site.news.clear()
            await site.news.wait()


async def test_what_was_sent_while_the_consumer_was_away_is_waiting_for_it(
    broker: Mosquitto, consuming: Consuming
) -> None:
    await consuming.start()
    async with site_on(broker.port) as site:
        await site.online()
        await site.send(site.record(1))
        await site.until_acknowledged(1)
        assert await consuming.stop() == 0
        await site.send(site.record(9))
        await consuming.start()
        await site.until_acknowledged(10)
        assert site.asked == []


async def test_what_was_acknowledged_is_there_after_any_kill_and_what_was_lost_with_it_comes_again(
    broker: Mosquitto, consuming: Consuming
) -> None:
    """PUBACKed and not yet written when the process dies: only numbers and `resend` bring that back."""
    chance = Random(3)
    async with site_on(broker.port) as site:
        await site.online()
        for _ in range(4):
            await consuming.start()
            sending = asyncio.create_task(site.send(site.record(150)))
            await site.until_acknowledged(site.acknowledged + 1 + chance.randrange(100))
            await consuming.kill()
            held = await consuming.stream(site.stream, lambda each: True)
            assert held["held"] >= held["watermark"] >= site.acknowledged
            await sending
        await consuming.start()
        await site.until_acknowledged(600)
        held = await consuming.stream(site.stream, lambda each: each["held"] == 600)
    assert held["gaps"] == []
    assert bodies(consuming) == [site.kept[number] for number in sorted(site.kept)]


async def test_the_next_broker_of_the_list_is_tried(broker: Mosquitto, consuming: Consuming) -> None:
    right = f"127.0.0.1:{broker.port}"
    await consuming.start("--broker", "127.0.0.1:1", "--also", right)
    async with site_on(broker.port) as site:
        await site.send(site.record(1))
        await site.until_acknowledged(1)


async def test_a_broker_that_was_killed_is_found_again(broker: Mosquitto, consuming: Consuming) -> None:
    await consuming.start()
    async with site_on(broker.port) as site:
        await site.send(site.record(3))
        await site.until_acknowledged(3)
    broker.kill()
    broker.start()
    async with site_on(broker.port, site) as site:
        await site.online(epoch=2)
        await site.send(site.record(3))
        await site.until_acknowledged(6)


async def test_a_disk_that_refuses_ends_the_consumer_and_nothing_is_acknowledged(
    broker: Mosquitto, consuming: Consuming
) -> None:
    await consuming.start()
    async with site_on(broker.port) as site:
        await site.send(site.record(1))
        await site.until_acknowledged(1)
        with closing(sqlite3.connect(consuming.db)) as other:
            other.execute("CREATE TRIGGER full BEFORE INSERT ON message BEGIN SELECT RAISE(FAIL, 'full'); END")
            other.commit()
        await site.send(site.record(1))
        assert await consuming.ended() == 1
        assert site.acknowledged == 1
        with closing(sqlite3.connect(consuming.db)) as other:
            other.execute("DROP TRIGGER full")
            other.commit()
        await consuming.start()
        await site.online(epoch=2)
        await site.until_acknowledged(2)
