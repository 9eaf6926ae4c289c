"""The box's ear and the workstation's program, on loopback."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from probes.errors import MisuseError
from probes.mobile import ANSWERS_A_SECOND, watch_mobile
from probes.mobile_heartbeat import Beats, Network, beat, beat_on, main
from probes.mobile_settings import MobileSettings, read_key
from probes.packets.heartbeat import NO_CHALLENGE, PORT, Heartbeat, decode_answer, encode_heartbeat
from probes.reading import MobileReading

KEY = b"a key of one workstation"
NETWORK = Network("310-260", 65001, True)


class Clock:
    """The box's monotonic clock, `ahead_s` of the machine's."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead_s


class Listening:
    def __init__(self, port: int, key_file: Path, **more: Any) -> None:
        given = {"address": "127.0.0.1", "port": port, "key_file": key_file, "interval_s": 1, "silence_s": 2}
        self.settings = MobileSettings.model_validate(given | more)
        self.readings: list[MobileReading] = []
        self.clock = Clock()

    async def until(self, wanted: Callable[[MobileReading], bool]) -> MobileReading:
        async with asyncio.timeout(5):
            while not (self.readings and wanted(self.readings[-1])):
                await asyncio.sleep(0.005)
        return self.readings[-1]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_bytes(KEY + b"\n")
    return file


@asynccontextmanager
async def box(key_file: Path, port: int = 0, **more: Any) -> AsyncIterator[Listening]:
    port = port or free_port()
    listening = Listening(port, key_file, **more)
    task = asyncio.create_task(watch_mobile(listening.settings, listening.readings.append, monotonic=listening.clock))
    try:
        await listening.until(lambda r: True)
        yield listening
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_c3_the_workstation_is_unknown_then_there_with_its_network_then_silent_then_back(key_file: Path) -> None:
    async with box(key_file, interval_s=1) as listening:
        first = listening.readings[0]
        assert (first.heard, first.mcc_mnc, first.asn, first.registered) == (None, None, None, None)
        beats = Beats(NETWORK)
        assert await beat("127.0.0.1", listening.settings.port, beats, KEY)
        there = await listening.until(lambda r: r.heard is True)
        assert (there.mcc_mnc, there.asn, there.registered, there.since_s) == ("310-260", 65001, True, there.at_s)

        listening.clock.ahead_s += 60
        gone = await listening.until(lambda r: r.heard is False)
        assert (gone.mcc_mnc, gone.asn, gone.registered, gone.since_s) == (None, None, None, gone.at_s)
        told = len(listening.readings)
        listening.clock.ahead_s += 1
        await listening.until(lambda r: len(listening.readings) > told)  # said again while nothing changes
        assert listening.readings[-1].since_s == gone.since_s

        assert await beat("127.0.0.1", listening.settings.port, beats, KEY)
        assert (await listening.until(lambda r: r.heard is True)).since_s > gone.since_s


async def test_c3_another_network_is_told_at_once(key_file: Path) -> None:
    async with box(key_file, interval_s=60) as listening:
        port = listening.settings.port
        assert await beat("127.0.0.1", port, Beats(NETWORK), KEY)
        assert await beat("127.0.0.1", port, Beats(Network("311-480", None, None)), KEY)
        assert [(r.heard, r.mcc_mnc, r.asn, r.registered) for r in listening.readings] == [
            (None, None, None, None),
            (True, "310-260", 65001, True),
            (True, "311-480", None, None),
        ]
        assert listening.readings[1].since_s == listening.readings[2].since_s


async def recorded_by_a_stranger(port: int, count: int) -> list[bytes]:
    """Heartbeats the box took, as somebody on the way saw them."""
    beats = Beats(NETWORK)
    seen: list[bytes] = []
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.setblocking(False)
        own.connect(("127.0.0.1", port))
        while len(seen) < count:
            seen.append(encode_heartbeat(beats.next(1000), KEY))
            await loop.sock_sendall(own, seen[-1])
            if not beats.take(decode_answer(await asyncio.wait_for(loop.sock_recv(own, 100), 3), KEY)):
                seen.pop()
    return seen


async def test_c3_what_was_recorded_does_not_make_a_silent_workstation_heard_nor_after_a_restart_of_the_box(
    key_file: Path,
) -> None:
    port = free_port()
    async with box(key_file, port) as listening:
        recorded = await recorded_by_a_stranger(port, 3)
        await listening.until(lambda r: r.heard is True)
        listening.clock.ahead_s += 3  # silent for the box, and every challenge is still fresh
        await listening.until(lambda r: r.heard is False)
        told = len(listening.readings)
        await send_to(port, *recorded, b"", b"\xff" * 48, b"x" * 2000)
        listening.clock.ahead_s += 1
        await listening.until(lambda r: len(listening.readings) > told)
        assert {r.heard for r in listening.readings[told - 1 :]} == {False}
    async with box(key_file, port) as restarted:
        await send_to(port, *recorded)
        restarted.clock.ahead_s += 3
        await restarted.until(lambda r: r.heard is False)
        assert {r.heard for r in restarted.readings} == {None, False}


async def send_to(port: int, *packets: bytes) -> None:
    """Signed ones are answered, so what was sent before the last answer has been looked at."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.setblocking(False)
        own.connect(("127.0.0.1", port))
        for packet in packets:
            await loop.sock_sendall(own, packet)
        await loop.sock_sendall(own, encode_heartbeat(Heartbeat(NO_CHALLENGE, 0, None, None, None), KEY))
        async with asyncio.timeout(3):
            while decode_answer(await loop.sock_recv(own, 100), KEY).counter != 0:
                pass


async def test_who_does_not_sign_gets_no_answer_and_who_does_no_flood(key_file: Path) -> None:
    async with box(key_file) as listening:
        port, loop = listening.settings.port, asyncio.get_running_loop()
        assert not await beat("127.0.0.1", port, Beats(NETWORK), b"the key of somebody else")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.setblocking(False)
            own.connect(("127.0.0.1", port))
            for counter in range(5 * ANSWERS_A_SECOND):
                await loop.sock_sendall(own, encode_heartbeat(Heartbeat(NO_CHALLENGE, counter, None, None, None), KEY))
            answers = 0
            with suppress(TimeoutError):
                while True:
                    await asyncio.wait_for(loop.sock_recv(own, 100), 0.5)
                    answers += 1
        assert 0 < answers <= 2 * ANSWERS_A_SECOND  # a second may turn meanwhile
        assert listening.readings[-1].heard is not True


async def test_c3_a_flood_of_one_recorded_heartbeat_does_not_silence_the_workstation(key_file: Path) -> None:
    """It is signed, so it is answered; the workstation's own answers must not be used up by that."""
    async with box(key_file) as listening:
        port, beats = listening.settings.port, Beats(NETWORK)
        (recorded,) = await recorded_by_a_stranger(port, 1)
        assert await beat("127.0.0.1", port, beats, KEY)
        flooding = asyncio.create_task(flood(port, recorded))
        await asyncio.sleep(0.2)
        assert [await beat("127.0.0.1", port, beats, KEY) for _ in range(5)] == [True] * 5
        flooding.cancel()


async def flood(port: int, packet: bytes) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.setblocking(False)
        own.connect(("127.0.0.1", port))
        while True:
            for _ in range(20):
                await loop.sock_sendall(own, packet)
            await asyncio.sleep(0.01)


async def test_the_sender_goes_on_through_a_restart_of_the_box(key_file: Path) -> None:
    port, told = free_port(), asyncio.Queue[bool]()
    sending = asyncio.create_task(beat_on("127.0.0.1", port, Beats(NETWORK), KEY, every_s=0.05, tell=told.put_nowait))
    async with asyncio.timeout(10):
        for _ in range(2):
            async with box(key_file, port) as listening:
                while not await told.get():
                    pass
                await listening.until(lambda r: r.heard is True)
            assert await told.get() is False
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


def program(*args: str) -> tuple[str, ...]:
    return sys.executable, "-m", "probes.mobile_heartbeat", *args


async def test_c3_the_workstation_s_program_is_heard_and_ends_on_sigterm(key_file: Path) -> None:
    async with box(key_file) as listening:
        process = await asyncio.create_subprocess_exec(
            *program("--to", f"127.0.0.1:{listening.settings.port}", "--key-file", str(key_file)),
            *("--mcc-mnc", "310-260", "--asn", "65001", "--registered", "yes", "--every", "0.5"),
            stdout=asyncio.subprocess.PIPE,
        )
        there = await listening.until(lambda r: r.heard is True)
        assert (there.mcc_mnc, there.asn, there.registered) == ("310-260", 65001, True)
        assert process.stdout is not None
        assert b"the box hears us" in await asyncio.wait_for(process.stdout.readline(), 5)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 5) == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"--to": "192.0.2.10"}, "HOST:PORT"),
        ({"--to": "192.0.2.10:0"}, "HOST:PORT"),
        ({"--to": "2001:db8::10"}, "HOST:PORT"),
        ({"--mcc-mnc": "Carrier"}, "serving network"),
        ({"--asn": "0"}, "within"),
        ({"--every": "0.1"}, "within"),
        ({"--key-file": "/nowhere/key"}, "No such file"),
    ],
)
def test_a_mistake_of_the_workstation_s_is_named(
    key_file: Path,
    change: dict[str, str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chosen = {"--to": "127.0.0.1:9", "--key-file": str(key_file), "--count": "1"} | change
    monkeypatch.setattr(sys, "argv", ["mobile_heartbeat", *(word for pair in chosen.items() for word in pair)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (1, 2)
    assert says in capsys.readouterr().err


def test_a_system_whose_loop_takes_no_signals_runs_the_workstation_s_program(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""

    def refuse(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", refuse)
    arguments = "--to", "127.0.0.1:9", "--key-file", str(key_file), "--count", "1"
    monkeypatch.setattr(sys, "argv", ["mobile_heartbeat", *arguments])
    main()


async def test_an_address_that_cannot_be_had_is_our_own_mistake(key_file: Path) -> None:
    listening = Listening(PORT, key_file, address="192.0.2.1")
    with pytest.raises(MisuseError, match=r"192\.0\.2\.1"):
        await watch_mobile(listening.settings, listening.readings.append)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"address": "box.example.org"}, "no IP address"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"key_file": "/nowhere/key"}, "not point to a file"),
        ({"silence_s": 1}, "greater than or equal to 2"),
        ({"interval_s": 100}, "less than or equal to 60"),
        ({"silence": 5}, "Extra inputs"),
    ],
)
def test_a_mistake_in_the_settings_is_named(key_file: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        MobileSettings.model_validate({"key_file": key_file} | change)


def test_a_key_is_read_without_its_line_end_and_a_short_one_refused(key_file: Path) -> None:
    assert read_key(key_file) == KEY
    key_file.write_text("short\n")
    with pytest.raises(MisuseError, match="5 bytes"):
        read_key(key_file)
