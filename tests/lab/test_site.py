"""The network of the site, built for real and used for real: no services, no daemon."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from lab import plan
from lab.client import LabClient, start_lab
from lab.errors import LabFailure, LabMisuse
from lab.services.world import read as read_world
from tests.lab.site_hands import median_ms, pings_ms, run_in, until_active

pytestmark = [pytest.mark.lab, pytest.mark.asyncio(loop_scope="module")]

FAILOVER_S, FAILBACK_S = 1.0, 1.0
SINK, PORT = "198.51.100.30", "5999"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site() -> AsyncIterator[LabClient]:
    async with start_lab(failover_s=FAILOVER_S, failback_s=FAILBACK_S, with_services=False) as lab:
        yield lab


@pytest_asyncio.fixture(loop_scope="module")
async def lab(site: LabClient) -> AsyncIterator[LabClient]:
    """The running site, healed after each test and back on fiber."""
    yield site
    await site.do("heal", "all")
    await until_active(site, "0", within_s=5 * FAILBACK_S)


@asynccontextmanager
async def counting(lab: LabClient, quiet_s: float) -> AsyncIterator["asyncio.Future[Any]"]:
    """A listener on the internet for the length of a block; its future is what it heard."""
    argv = lab.node_command("internet", [sys.executable, "-m", "tests.lab.udp_count", SINK, PORT, str(quiet_s)])
    ear = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    assert ear.stdout is not None
    assert await ear.stdout.readline() == b"ready\n"
    heard: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    yield heard
    heard.set_result(json.loads(await ear.stdout.read()))
    await ear.wait()


async def test_each_pin_takes_its_own_link(lab: LabClient) -> None:
    assert median_ms(await pings_ms(lab, plan.PIN_FIBER)) == pytest.approx(21, abs=2)
    assert median_ms(await pings_ms(lab, plan.PIN_CELLULAR, count=9)) == pytest.approx(61, abs=4)


async def test_the_room_and_both_providers_are_reached(lab: LabClient) -> None:
    room = [address.split("/")[0] for port, (address, *_) in plan.ADDRESSES.items() if port.ifname == "lan0"]
    assert len(room) == 6
    for target in [*room, *(wan.provider for wan in plan.WANS)]:
        assert await pings_ms(lab, "10.77.0.10", target, count=1) != [None], target


async def test_a_cut_moves_the_traffic_after_the_failover_time_and_healing_moves_it_back(lab: LabClient) -> None:
    words = [sys.executable, "-m", "tests.lab.udp_burst", SINK, PORT, "90", "0.02"]
    async with counting(lab, quiet_s=1.6 * FAILOVER_S) as heard:
        burst = await asyncio.create_subprocess_exec(*lab.node_command("workstation", words))
        await asyncio.sleep(0.3)
        await lab.do("cut", "fiber")
        took_s = await until_active(lab, "1", within_s=3 * FAILOVER_S)
        wans = (await lab.status())["world"]["router"]["wans"]
        assert await pings_ms(lab, plan.PIN_FIBER, count=1) == [None]  # pinned: it does not follow
        assert median_ms(await pings_ms(lab, "10.77.0.10")) == pytest.approx(61, abs=5)
        await burst.wait()
        await lab.do("heal", "fiber")
        back_s = await until_active(lab, "0", within_s=4 * FAILBACK_S)
    assert took_s == pytest.approx(FAILOVER_S, abs=0.5)
    assert {index: (wan["state"], wan["health"]) for index, wan in wans.items()} == {"0": (6, 0), "1": (3, 1)}
    assert back_s >= FAILBACK_S
    _assert_flow_moved(heard.result(), last=89)


def _assert_flow_moved(heard: list[tuple[int, float, float, str]], last: int) -> None:
    """One socket sent all the time; the far end saw it come from the one WAN and, a failover later, from the other."""
    numbers, _, received_s, senders = zip(*heard, strict=True)
    moved = senders.index("100.64.2.2")
    assert set(senders[:moved]) == {"100.64.1.2"}
    assert set(senders[moved:]) == {"100.64.2.2"}
    assert received_s[moved] - received_s[moved - 1] == pytest.approx(FAILOVER_S, abs=0.6)
    assert numbers[-1] == last


async def test_a_pulled_cable_is_seen_at_once(lab: LabClient) -> None:
    await lab.do("failover", "30s")
    await lab.do("unplug", "fiber")
    assert await until_active(lab, "1", within_s=2.0) < 1.0
    wans = (await lab.status())["world"]["router"]["wans"]
    assert wans["0"]["state"] == 2
    await lab.do("failover", f"{FAILOVER_S}s")
    await lab.do("plug", "fiber")
    await until_active(lab, "0", within_s=4 * FAILBACK_S)
    assert None not in await pings_ms(lab, plan.PIN_FIBER)


async def test_both_links_cut_leave_nothing(lab: LabClient) -> None:
    await lab.do("cut", "fiber")
    await lab.do("cut", "cellular")
    assert await pings_ms(lab, "10.77.0.10", count=1) == [None]


async def test_a_full_queue_delays_before_it_drops(lab: LabClient) -> None:
    await lab.do("rate", "fiber", "4mbit")
    await lab.do("queue", "fiber", "50kB")  # 40 packets, 100 ms
    async with counting(lab, quiet_s=0.5) as heard:
        await run_in(lab, "workstation", sys.executable, "-m", "tests.lab.udp_burst", SINK, PORT, "120", "0")
    numbers, sent_s, received_s, _ = zip(*heard.result(), strict=True)
    delays_s = [received - sent for sent, received in zip(sent_s, received_s, strict=True)]
    assert 35 <= len(numbers) <= 60
    assert list(numbers) == sorted(numbers)
    assert max(delays_s) == pytest.approx(0.110, abs=0.02)
    counts = (await lab.status())["links"]["fiber"]["up"]["counts"]
    assert counts["queue_full"] == 120 - len(numbers)


async def test_lag_loss_and_rate_can_be_changed_while_running(lab: LabClient) -> None:
    assert await lab.do("lag", "fiber", "100ms") == "fiber: 100 ms added to the round trip, which is now 120 ms"
    assert median_ms(await pings_ms(lab, plan.PIN_FIBER, count=3)) == pytest.approx(121, abs=3)
    await lab.do("lag", "fiber", "0ms")
    await lab.do("loss", "fiber", "100%", "down")
    assert await pings_ms(lab, plan.PIN_FIBER, count=1) == [None]
    fiber = (await lab.status())["links"]["fiber"]
    assert [fiber[way]["settings"]["loss"] for way in ("up", "down")] == [0.0, 1.0]


async def test_tcp_crosses_in_frames_that_a_wire_can_carry(lab: LabClient) -> None:
    """With offloads left on, the relay would see 64 KB segments with unfinished checksums, and nothing would arrive."""
    serve = f"import socket; s = socket.create_server(('{SINK}', 8443)); print(flush=True); c, _ = s.accept(); n = 0\n"
    serve += "while d := c.recv(65536): n += len(d)\nprint(n)"
    argv = lab.node_command("internet", [sys.executable, "-c", serve])
    server = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    await server.stdout.readline()
    send = f"import socket; socket.create_connection(('{SINK}', 8443)).sendall(bytes(3_000_000))"
    before = (await lab.status())["links"]["fiber"]["up"]["counts"]
    await run_in(lab, "staff", sys.executable, "-c", send)
    assert await server.stdout.readline() == b"3000000\n"
    await server.wait()
    after = (await lab.status())["links"]["fiber"]["up"]["counts"]
    frames, size = (after[name] - before[name] for name in ("carried", "carried_bytes"))
    assert 1000 < size / frames <= 1514


async def test_the_status_is_shown_to_people_and_fails_scripts_only_when_something_died(lab: LabClient) -> None:
    await lab.do("cut", "cellular")
    argv = [sys.executable, "-m", "lab", "--dir", str(lab.directory), "status"]
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    lines = out.decode().splitlines()
    assert lines[0].split()[:3] == ["link", "fiber", "up"]
    assert lines[1].split()[:3] == ["link", "cellular", "CUT"]
    assert process.returncode == 0


async def test_a_command_line_runs_inside_a_node(lab: LabClient) -> None:
    words = ["exec", "edge", "--", "sh", "-c", "ls /sys/class/net; exit 7"]
    argv = [sys.executable, "-m", "lab", "--dir", str(lab.directory), *words]
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert out.split() == [b"br0", b"lan0", b"lo", b"mobile0", b"wan0"]
    assert process.returncode == 7


async def test_a_switch_is_written_to_the_world_the_services_read(lab: LabClient) -> None:
    assert await lab.do("mains", "off") == "mains power is off"
    assert await lab.do("upsd", "stale") == "the UPS server answers, its data is stale"
    world = json.loads((lab.directory / "world.json").read_text())
    assert (world["mains"], world["phone"], world["upsd"]) == (False, True, "stale")
    assert world["router"]["wans"]["1"] == {"name": "Cellular", "state": 8, "health": 1, "ifname": "wan1"}
    await lab.do("heal", "all")
    assert json.loads((lab.directory / "world.json").read_text())["mains"] is True


async def test_the_fallbacks_are_switched_each_by_itself_and_healed(lab: LabClient) -> None:
    assert await lab.do("registration", "off") == "the registrar knows nothing of the direct line"
    assert await lab.do("mobile", "off") == "the mobile workstation is off"
    world = read_world(lab.directory)
    assert (world.phone, world.phone_registered, world.mobile) == (True, False, False)
    await lab.do("heal", "all")
    world = read_world(lab.directory)
    assert (world.phone, world.phone_registered, world.mobile) == (True, True, True)


async def test_the_mobile_workstation_is_reached_while_both_links_are_cut(lab: LabClient) -> None:
    for link in plan.LINKS:
        await lab.do("cut", link)
    assert await pings_ms(lab, plan.BOX_FOR_MOBILE, plan.MOBILE, count=1) != [None]


async def test_each_medium_is_switched_both_ways_or_one_and_healed(lab: LabClient) -> None:
    assert await lab.do("audio", "off") == "audio, both ways: lost"
    assert await lab.do("audio", "on", "from_room") == "audio, from the room: flows"
    assert await lab.do("video", "freeze", "to_room") == "video, to the room: frozen, its packets go on"
    assert await lab.do("clear", "on") == "the media are in clear text"
    media = ["audio_to_room", "audio_from_room", "video_to_room", "video_from_room", "clear"]
    world = json.loads((lab.directory / "world.json").read_text())
    assert [world[field] for field in media] == ["off", "on", "frozen", "on", True]
    assert await lab.do("media", "off", "from_room") == "audio and video, from the room: lost"
    await lab.do("heal", "all")
    world = json.loads((lab.directory / "world.json").read_text())
    assert [world[field] for field in media] == ["on"] * 4 + [False]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("cut", "copper"), "the link must be fiber or cellular, not 'copper'. Usage: lab cut"),
        (("lag", "fiber"), "the added delay is missing"),
        (("lag", "fiber", "200"), "a time is written like 200ms"),
        (("queue", "fiber", "1kB"), "queue must hold one frame"),
        (("loss", "fiber", "90%", "1.5"), "too short for a loss"),
        (("loss", "fiber", "5%", "often"), "the mean burst in packets"),
        (("mains", "off", "now"), "'now' is too much"),
        (("upsd", "sleepy"), "ok or stale or dead"),
        (("failover", "1ms"), "between 0.5 s and 600 s"),
        (("daemon", "dance"), "start or stop or kill or reboot or status"),
        (("daemon", "kill"), "edged does not run"),
        (("mtu", "fiber", "1400B"), "an MTU is written in bytes like 1400, or off"),
        (("mtu", "fiber", "60"), "MTU must lie between 68 and 65535 bytes, not 60"),
        (("bleach", "fiber", "white"), "the switch must be on or off, not 'white'"),
        (("pin", "on"), "the link must be fiber or cellular, not 'on'"),
        (("audio", "freeze"), "the switch must be on or off, not 'freeze'"),
        (("media", "off", "sideways"), "'sideways' is too much"),
        (("fly",), "no command 'fly'"),
        ((), "no command ''"),
    ],
)
async def test_a_wrong_command_is_refused_with_its_reason(
    lab: LabClient, words: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(LabMisuse, match=complaint.replace("'", ".")):
        await lab.do(*words)


@pytest.mark.parametrize(
    "garbage",
    [b"\n", b"{\n", b"[]\n", b'{"do": "cut"}\n', b'{"do": [1]}\n', b"\xff\xfe\n", b"null\n", b"9" * 70_000 + b"\n"],
)
async def test_garbage_at_the_control_socket_harms_nothing(lab: LabClient, garbage: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(lab.directory / "lab.sock")
    writer.write(garbage)
    writer.write_eof()
    answer = await reader.read()
    assert answer == b"" or json.loads(answer)["ok"] is False
    writer.close()
    assert (await lab.status())["ok"]


async def test_a_second_lab_in_the_same_place_is_refused(lab: LabClient) -> None:
    with pytest.raises(LabFailure, match="a lab already runs in"):
        async with start_lab(directory=lab.directory, with_services=False):
            pass
    assert (await lab.status())["ok"]


async def test_an_unknown_node_is_refused_with_the_names_there_are(lab: LabClient) -> None:
    with pytest.raises(LabMisuse, match="no node 'moon'; the nodes are edge, router"):
        lab.node_command("moon", ["true"])
