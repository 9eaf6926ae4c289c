"""What can be wrong with the way and with the far side, done to the real network of the site and seen from its ends."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from lab import plan
from lab.client import LabClient, start_lab
from tests.lab.site_hands import pings_ms, run_in, until_active
from tests.lab.udp_marks import MARK

pytestmark = [pytest.mark.lab, pytest.mark.asyncio(loop_scope="module")]

PORT, SMALL = "6100", 200
FIBER, CELLULAR = (wan.address for wan in plan.WANS)
UNMARKED = MARK & 0x03

Seen = list[tuple[int, int, str] | None]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site() -> AsyncIterator[LabClient]:
    async with start_lab(failover_s=1.0, failback_s=1.0, with_services=False) as lab:
        words = [sys.executable, "-m", "tests.lab.udp_marks", "serve", PORT, plan.REFLECTOR, plan.PLATFORM]
        far = await asyncio.create_subprocess_exec(*lab.node_command("internet", words), stdout=asyncio.subprocess.PIPE)
        assert far.stdout is not None
        assert await far.stdout.readline() == b"ready\n"
        yield lab
        far.kill()
        await far.wait()


@pytest_asyncio.fixture(loop_scope="module")
async def lab(site: LabClient) -> AsyncIterator[LabClient]:
    """The running site, healed after each test and back on fiber."""
    yield site
    await site.do("heal", "all")
    await until_active(site, "0", within_s=5)


async def seen(lab: LabClient, source: str, *sizes: int, at: str = plan.PLATFORM) -> Seen:
    """Of each packet of that size: TOS there, TOS of the answer, and the address it seemed to come from."""
    words = ("-m", "tests.lab.udp_marks", "ask", source, at, PORT, *map(str, sizes))
    found: Seen = [tuple(one) if one else None for one in json.loads(await run_in(lab, "edge", sys.executable, *words))]
    return found


async def last_seen_as(lab: LabClient, pin: str) -> str | None:
    """After a change of the way the first packet of a flow may be lost."""
    found = [one[2] for one in await seen(lab, pin, SMALL, SMALL) if one]
    return found[-1] if found else None


async def fated(lab: LabClient, link: str, fate: str) -> tuple[int, int]:
    """How many packets of each direction had that fate so far."""
    status = (await lab.status())["links"][link]
    return status["up"]["counts"][fate], status["down"]["counts"][fate]


async def test_packets_larger_than_the_mtu_vanish_in_the_way_it_was_said_of(lab: LabClient) -> None:
    said = await lab.do("mtu", "fiber", "600")
    assert said == "fiber: IP packets larger than 600 bytes vanish each way, nobody is told"
    fits, too_large = await seen(lab, plan.PIN_FIBER, 600, 601)
    assert (fits is None, too_large) == (False, None)
    assert await fated(lab, "fiber", "too_long") == (1, 0)
    await lab.do("mtu", "fiber", "off", "up")
    assert await seen(lab, plan.PIN_FIBER, 1500) == [None]
    assert await fated(lab, "fiber", "too_long") == (1, 1)
    assert None not in await seen(lab, plan.PIN_CELLULAR, 1500)
    await lab.do("heal", "fiber")
    assert None not in await seen(lab, plan.PIN_FIBER, 1500)


async def test_a_provider_that_bleaches_takes_the_dscp_and_leaves_the_ecn(lab: LabClient) -> None:
    async def marks(pin: str) -> list[tuple[int, int] | None]:
        return [one and one[:2] for one in await seen(lab, pin, SMALL)]

    assert await marks(plan.PIN_FIBER) == [(MARK, MARK)]
    assert await lab.do("bleach", "fiber", "on", "up") == "fiber: the provider sets DSCP to 0 on what it forwards up"
    assert await marks(plan.PIN_FIBER) == [(UNMARKED, MARK)]
    await lab.do("bleach", "fiber", "on")
    assert await marks(plan.PIN_FIBER) == [(UNMARKED, UNMARKED)]
    assert await marks(plan.PIN_CELLULAR) == [(MARK, MARK)]
    await lab.do("bleach", "fiber", "off")
    assert await marks(plan.PIN_FIBER) == [(MARK, MARK)]


async def test_a_pin_without_its_rule_follows_the_failover(lab: LabClient) -> None:
    said = await lab.do("pin", "fiber", "off")
    assert said == "fiber: the router forgot its rule, 10.77.0.11 follows the active WAN"
    assert await last_seen_as(lab, plan.PIN_FIBER) == FIBER
    await lab.do("unplug", "fiber")
    await until_active(lab, "1", within_s=5)
    assert await last_seen_as(lab, plan.PIN_FIBER) == CELLULAR
    await lab.do("pin", "fiber", "on")
    assert await last_seen_as(lab, plan.PIN_FIBER) is None


async def test_a_detoured_link_leaves_by_the_other_door_and_the_router_goes_on_as_before(lab: LabClient) -> None:
    said = await lab.do("detour", "fiber", "on")
    assert said == "fiber: the router sends 10.77.0.11 out by Cellular (100.64.2.1)"
    assert await last_seen_as(lab, plan.PIN_FIBER) == await last_seen_as(lab, plan.PIN_CELLULAR) == CELLULAR
    assert await last_seen_as(lab, "10.77.0.10") == FIBER
    assert [wan["health"] for wan in (await lab.status())["world"]["router"]["wans"].values()] == [1, 1]
    await lab.do("detour", "cellular", "on")
    assert await last_seen_as(lab, plan.PIN_CELLULAR) == FIBER
    await lab.do("heal", "cellular")
    assert await last_seen_as(lab, plan.PIN_CELLULAR) == CELLULAR
    await lab.do("detour", "fiber", "off")
    assert await last_seen_as(lab, plan.PIN_FIBER) == FIBER


async def test_silent_reflectors_say_nothing_at_all_and_the_platform_goes_on(lab: LabClient) -> None:
    """An ICMP error would end the asking socket with ECONNREFUSED or the like."""
    said = await lab.do("reflectors", "off")
    assert said == "198.51.100.20 and 198.51.100.40 are silent; the platform goes on"
    assert await seen(lab, plan.PIN_FIBER, SMALL, at=plan.REFLECTOR) == [None]
    assert await pings_ms(lab, plan.PIN_FIBER, plan.FAR_HOSTS[0], count=1) == [None]
    assert await pings_ms(lab, plan.PIN_FIBER, plan.REFLECTOR, count=1) == [None]
    assert None not in await seen(lab, plan.PIN_FIBER, SMALL)
    assert None not in await pings_ms(lab, plan.PIN_FIBER, plan.FAR_HOSTS[1], count=1)
    await lab.do("reflectors", "on")
    assert None not in await seen(lab, plan.PIN_FIBER, SMALL, at=plan.REFLECTOR)


async def test_the_pulled_lan_cable_takes_the_carrier_and_every_link(lab: LabClient) -> None:
    async def carrier() -> str:
        return (await run_in(lab, "edge", "cat", "/sys/class/net/wan0/carrier")).decode().strip()

    assert (
        await lab.do("lan", "off") == "the cable between edge box and router is pulled: no carrier, every link is dead"
    )
    assert await carrier() == "0"
    assert [await seen(lab, pin, SMALL) for pin in (plan.PIN_FIBER, plan.PIN_CELLULAR)] == [[None], [None]]
    assert (await lab.status())["world"]["router"]["active"] == "0"
    await lab.do("lan", "on")
    while await carrier() == "0":
        await asyncio.sleep(0.02)
    assert [await last_seen_as(lab, pin) for pin in (plan.PIN_FIBER, plan.PIN_CELLULAR)] == [FIBER, CELLULAR]


FAULTS = (
    "mtu fiber 900 up",
    "bleach cellular on",
    "pin cellular off",
    "detour fiber on",
    "reflectors off",
    "lan off",
)


async def test_the_status_names_every_fault_and_one_word_heals_them_all(lab: LabClient) -> None:
    before = as_it_stands(await lab.status())
    for fault in FAULTS:
        await lab.do(*fault.split())
        await lab.do(*fault.split())  # again: the same
    argv = [sys.executable, "-m", "lab", "--dir", str(lab.directory), "status"]
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    text = (await process.communicate())[0].decode()
    fiber, cellular = text.splitlines()[:2]
    assert "MTU 900 B up, any down" in fiber
    assert "pin DETOURED" in fiber
    assert "DSCP BLEACHED" in cellular
    assert "PIN NOT ENFORCED" in cellular
    assert "LAN cable OFF, reflectors OFF" in text
    await lab.do("heal", "all")
    assert as_it_stands(await lab.status()) == before


def as_it_stands(status: dict[str, Any]) -> dict[str, Any]:
    links = {
        name: (link["pinned"], link["detoured"], link["up"]["settings"], link["down"]["settings"])
        for name, link in status["links"].items()
    }
    return {"links": links, "lan": status["lan"], "reflectors": status["reflectors"]}


async def test_the_status_names_the_process_of_each_wire(lab: LabClient) -> None:
    for name, link in (await lab.status())["links"].items():
        pid = link["relay_pid"]
        assert b"lab.relay" in Path(f"/proc/{pid}/cmdline").read_bytes()
        home = await run_in(lab, name, "readlink", "/proc/self/ns/net")
        assert str(Path(f"/proc/{pid}/ns/net").readlink()) == home.decode().strip()
