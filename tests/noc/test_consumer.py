"""The whole consumer, on a real mosquitto, with a site that loses, doubles and reorders."""

import asyncio
import sqlite3
import urllib.request
from contextlib import closing
from random import Random

import pytest

from edged.core.events import Channel
from tests.edged.report.broker import Mosquitto
from tests.noc.consumers import Consuming
from tests.noc.sites import BASE, Site, measurement, site_on, tombstone


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
    with closing(sqlite3.connect(consuming.db)) as base:
        kept = base.execute("SELECT body FROM message ORDER BY sequence").fetchall()
    assert [body for (body,) in kept] == [site.kept[n] for n in numbers]
