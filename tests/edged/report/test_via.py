"""The connection is bound to a link, and its Will knows when to be silent."""

import asyncio
import subprocess
import sys
from pathlib import Path

from edged.record.store import Store
from edged.report.dial import Way
from edged.report.reading import BrokerCause
from tests.edged.record.scene import tier_event
from tests.edged.report.broker import Mosquitto, free_port
from tests.edged.report.conftest import Running
from tests.edged.report.noc import noc_on

WAYS = {"fiber": Way("127.0.0.11"), "cellular": Way("127.0.0.12"), "port": Way(interface="lo")}


def peers(port: int) -> set[str]:
    """The addresses of this machine that are connected to `port`, as the kernel lists them (proc(5), net/tcp)."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        if int(remote.rpartition(":")[2], 16) == port and state == "01":
            found.add(".".join(str(byte) for byte in bytes.fromhex(local[:8])[::-1]))
    return found


async def test_the_connection_leaves_by_the_link_it_belongs_on(
    broker: Mosquitto, store: Store, running: Running
) -> None:
    running.start(broker.port, ways=WAYS, link="fiber")
    reading = await running.until(lambda r: r.connected)
    assert (reading.link, peers(broker.port)) == ("fiber", {"127.0.0.11"})
    running.reporter.via("cellular")
    await running.until(lambda r: r.connected and r.link == "cellular" and r.epoch == 2)
    assert peers(broker.port) == {"127.0.0.12"}
    running.reporter.via("cellular")  # said again, nothing moves
    running.reporter.via("port")
    await running.until(lambda r: r.connected and r.epoch == 3)
    running.reporter.via(None)
    reading = await running.until(lambda r: r.connected and r.epoch == 4)
    assert (reading.link, peers(broker.port)) == (None, {"127.0.0.1"})
    assert BrokerCause.MOVED in {told.cause for told in running.readings}


async def test_a_link_that_is_back_is_tried_at_once_however_long_the_pause(broker: Mosquitto, running: Running) -> None:
    ways = {"dead": Way("192.0.2.1"), "back": Way("127.0.0.12")}  # the first is no address of this machine
    running.start(broker.port, ways=ways, link="dead", reconnect_first_s=60, reconnect_cap_s=60)
    await running.until(lambda r: r.cause is BrokerCause.UNREACHABLE)
    running.reporter.via("back")
    await running.until(lambda r: r.connected)


async def test_the_next_broker_of_the_list_is_taken_when_one_is_gone(broker: Mosquitto, running: Running) -> None:
    running.start(free_port(), also=[f"127.0.0.1:{broker.port}"])
    reading = await running.until(lambda r: r.connected)
    assert reading.broker == f"127.0.0.1:{broker.port}"


async def test_a_move_is_no_loss_and_a_kill_is_one_after_the_delay(tmp_path: Path, broker: Mosquitto) -> None:
    command = [sys.executable, "-m", "tests.edged.report.lonely_reporter", str(tmp_path / "s"), str(broker.port), "1"]
    async with noc_on(broker.port) as noc:
        with subprocess.Popen(command) as process:
            await noc.until(lambda: noc.states() == ["online"])
            process.kill()
        with subprocess.Popen(command) as process:  # back within the delay: the broker keeps silent
            await noc.until(lambda: noc.states() == ["online", "online"])
            process.kill()
        await noc.until(lambda: noc.states() == ["online", "online", "lost"])
        assert noc.on("state")[-1].envelope["epoch"] == 2


async def test_a_moved_connection_never_says_lost(broker: Mosquitto, store: Store, running: Running) -> None:
    async with noc_on(broker.port) as noc:
        running.start(broker.port, ways=WAYS, link="fiber", will_delay_s=1)
        for epoch, link in enumerate(("cellular", "fiber", "cellular"), 2):
            await running.until(lambda r, before=epoch - 1: r.connected and r.epoch == before)  # type: ignore[misc]
            running.reporter.via(link)
        await running.until(lambda r: r.connected and r.epoch == 4)
        await store.append([tier_event()])
        await noc.until(lambda: noc.events() == [1])
        await asyncio.sleep(1.5)  # longer than the delay
        assert noc.states() == ["online"] * 4
