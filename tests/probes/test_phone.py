import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from probes.phone import PhoneLine, cause_of, judge_line, watch_phone
from probes.phone_settings import PhoneSettings
from probes.reading import PhoneCause, PhoneReading
from probes.sip import SipOutcome
from tests.probes.registrars import DOMAIN, OPEN, PASSWORD, Method, double, kamailio
from tests.probes.sip_endpoint import answers, silence, tcp_phone, udp_phone
from tests.probes.sip_subscriber import Subscriber

OK, DEAD, UNASKED = PhoneCause.NONE, PhoneCause.NO_ANSWER, PhoneCause.UNASKED


@pytest.mark.parametrize(
    ("causes", "reachable", "since_s"),
    [
        pytest.param([], None, 0, id="not asked yet"),
        pytest.param([OK], True, 1, id="one success proves it"),
        pytest.param([DEAD], None, 0, id="one failure proves nothing"),
        pytest.param([DEAD, DEAD], False, 2, id="two failures prove it dead"),
        pytest.param([OK, DEAD], True, 1, id="suspected"),
        pytest.param([OK, DEAD, OK, DEAD], True, 1, id="failures must follow each other"),
        pytest.param([OK, DEAD, PhoneCause.REJECTED], False, 3, id="any kinds of failure"),
        pytest.param([OK, DEAD, DEAD, DEAD], False, 3, id="dead since the second"),
        pytest.param([DEAD, DEAD, OK], True, 3, id="one success heals"),
        pytest.param([OK, UNASKED], True, 1, id="one probe not sent"),
        pytest.param([OK, UNASKED, UNASKED], None, 3, id="probes not sent make it unknown, not dead"),
        pytest.param([OK, UNASKED, DEAD], None, 3, id="one failure and one not sent: not proven dead"),
        pytest.param([OK, UNASKED, DEAD, DEAD], False, 4, id="then proven"),
    ],
)
def test_consecutive_probes_decide(causes: list[PhoneCause], reachable: bool | None, since_s: float) -> None:
    line = PhoneLine(None, 0)
    for second, cause in enumerate(causes, start=1):
        line = judge_line(line, cause, second, fails_to_dead=2)
    assert (line.reachable, line.since_s) == (reachable, since_s)


@pytest.mark.parametrize(
    ("code", "alive"),
    [
        (200, True),
        (202, True),
        (401, True),
        (405, True),
        (407, True),
        (486, True),
        (488, True),
        (501, True),
        (600, True),
        (302, False),
        (403, False),
        (404, False),
        (408, False),
        (480, False),
        (500, False),
        (503, False),
        (603, False),
        (604, False),
    ],
)
def test_a_final_code_tells_whether_the_line_would_ring(code: int, alive: bool) -> None:
    outcome = SipOutcome(PhoneCause.NONE, code)
    assert cause_of(outcome) is (PhoneCause.NONE if alive else PhoneCause.REJECTED)
    assert cause_of(outcome, also_alive=[code]) is PhoneCause.NONE


def test_without_a_code_the_cause_stays() -> None:
    assert cause_of(SipOutcome(PhoneCause.MALFORMED)) is PhoneCause.MALFORMED


class Watched:
    """A line under watch at a pace a test can wait for."""

    def __init__(self, port: int, room: str = "", **more: Any) -> None:
        self.room = room
        quick = {"host": "127.0.0.1", "port": port, "interval_s": 1.0, "suspect_interval_s": 0.2, "timeout_s": 0.1}
        self.settings = PhoneSettings.model_validate(quick | more)
        self.readings: list[PhoneReading] = []

    async def __aenter__(self) -> "Watched":
        self._task = asyncio.create_task(watch_phone(self.settings, self.readings.append, room=self.room))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert not self._task.done()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def until(self, wanted: Callable[[PhoneReading], bool]) -> PhoneReading:
        async with asyncio.timeout(4):
            while not (self.readings and wanted(self.readings[-1])):
                await asyncio.sleep(0.005)
        return self.readings[-1]


async def test_a_line_is_unknown_then_reachable_then_suspected_then_dead_then_back() -> None:
    async with udp_phone(answers(200)) as phone, Watched(phone.port) as line:
        alive = await line.until(lambda r: r.reachable is True)
        assert (alive.cause, alive.sip_code, alive.since_s) == (PhoneCause.NONE, 200, alive.at_s)
        assert alive.rtt_s is not None
        starting = line.readings[0]
        assert (starting.reachable, starting.cause) == (None, PhoneCause.STARTING)

        phone.answer = silence
        suspected = await line.until(lambda r: r.cause is PhoneCause.NO_ANSWER)
        assert (suspected.reachable, suspected.since_s) == (True, alive.since_s)
        dead = await line.until(lambda r: r.reachable is False)
        assert dead.at_s - suspected.at_s < 0.95  # re-probed at the suspect's pace, not a second later
        assert (dead.sip_code, dead.since_s) == (None, dead.at_s)

        phone.answer = answers(200)
        assert (await line.until(lambda r: r.reachable is True)).at_s - dead.at_s < 1.5


async def test_a_calm_line_is_asked_at_its_interval_and_told_once_a_probe() -> None:
    async with udp_phone(answers(486)) as phone, Watched(phone.port) as line:
        await line.until(lambda r: len(line.readings) == 3)
        assert len(phone.requests) == 2
        assert line.readings[2].at_s - line.readings[1].at_s == pytest.approx(1.0, abs=0.1)
        assert line.readings[2].since_s == line.readings[1].at_s


async def test_a_rejected_line_is_dead_with_its_code() -> None:
    async with tcp_phone(answers(503)) as phone, Watched(phone.port, transport="tcp") as line:
        dead = await line.until(lambda r: r.reachable is False)
        assert (dead.cause, dead.sip_code) == (PhoneCause.REJECTED, 503)


async def test_a_code_named_in_the_settings_counts_as_alive() -> None:
    async with udp_phone(answers(404)) as phone, Watched(phone.port, also_alive=[404]) as line:
        assert (await line.until(lambda r: r.reachable is not None)).reachable is True


async def test_a_refusing_port_is_dead_within_one_suspicion() -> None:
    async with udp_phone(answers(200)) as phone:
        port = phone.port
    async with Watched(port, timeout_s=5) as line:
        dead = await line.until(lambda r: r.reachable is False)
        assert dead.cause is PhoneCause.REFUSED
        assert dead.at_s - line.readings[0].at_s < 4  # the timeout is 5 s


async def test_garbage_is_a_reading_and_never_the_end_of_the_watch() -> None:
    noise = [b"", b"\xff" * 2000, b"SIP/2.0 200\r\n", b"SIP/2.0 abc def\r\n\r\n", b"\r\n" * 500]
    async with udp_phone(lambda request: noise) as phone, Watched(phone.port) as line:
        assert (await line.until(lambda r: r.reachable is False)).cause is PhoneCause.MALFORMED


async def test_every_reading_says_which_room_s_line_it_is() -> None:
    async with udp_phone(answers(200)) as phone, Watched(phone.port, room="ct2") as line:
        await line.until(lambda r: r.reachable is True)
    assert {reading.room for reading in line.readings} == {"ct2"}
    assert {reading.registered for reading in line.readings} == {None}


def registrar(port: int, transport: str = "udp", **more: Any) -> dict[str, Any]:
    given = {"host": "127.0.0.1", "port": port, "transport": transport, "aor": f"17@{DOMAIN}", "interval_s": 1}
    return {"registrar": given | more, "timeout_s": 1.0}


@pytest.mark.parametrize(("opened", "transport"), [(kamailio, "tcp"), (double, "udp")])
async def test_c1_a_line_unregistered_is_dead_though_it_answers_and_a_registrar_killed_makes_it_unknown(
    opened: Any, transport: str
) -> None:
    async with opened(OPEN) as asked, udp_phone(answers(200)) as phone:
        line = Subscriber(asked.port, f"17@{DOMAIN}", None)
        await line.register("sip:17@127.0.0.1:5999")
        async with Watched(phone.port, **registrar(asked.port, transport)) as watched:
            alive = await watched.until(lambda r: r.registered is True and r.reachable is True)
            assert (alive.cause, alive.sip_code) == (PhoneCause.NONE, 200)

            await line.register("*", 0)
            dead = await watched.until(lambda r: r.registered is False)
            assert (dead.reachable, dead.cause, dead.sip_code) == (False, PhoneCause.UNREGISTERED, 200)
            assert dead.since_s == dead.at_s

            await line.register("sip:17@127.0.0.1:5998")
            back = await watched.until(lambda r: r.registered is True)
            assert (back.reachable, back.cause) == (True, PhoneCause.NONE)

            await asked.kill()
            unknown = await watched.until(lambda r: r.registered is None)
            assert (unknown.reachable, unknown.cause) == (True, PhoneCause.NO_REGISTRAR)
            assert False not in {r.registered for r in watched.readings if r.at_s > back.at_s}


@pytest.mark.parametrize("opened", [kamailio, double])
async def test_c1_a_wrong_password_is_told_and_the_line_is_judged_by_its_own_answer(opened: Any) -> None:
    async with opened(Method("SHA-256")) as asked, udp_phone(answers(200)) as phone:
        await Subscriber(asked.port, f"17@{DOMAIN}", PASSWORD).register("sip:17@127.0.0.1:5999")
        async with Watched(phone.port, **registrar(asked.port, password="guess")) as watched:
            denied = await watched.until(lambda r: r.cause is PhoneCause.DENIED)
            assert (denied.reachable, denied.registered, denied.sip_code) == (True, None, 401)
        async with Watched(phone.port, **registrar(asked.port, password=PASSWORD)) as watched:
            assert (await watched.until(lambda r: r.registered is True)).reachable is True


async def test_a_dead_line_that_is_still_registered_is_dead() -> None:
    async with double(OPEN) as asked, udp_phone(silence) as phone:
        await Subscriber(asked.port, f"17@{DOMAIN}", None).register("sip:17@127.0.0.1:5999")
        async with Watched(phone.port, **(registrar(asked.port) | {"timeout_s": 0.2})) as watched:
            dead = await watched.until(lambda r: r.reachable is False and r.registered is True)
            assert dead.cause is PhoneCause.NO_ANSWER


async def test_garbage_from_the_registrar_never_ends_the_watch_and_leaves_it_unknown() -> None:
    noise = [b"", b"\xff" * 2000, b"SIP/2.0 200\r\n", b"\r\n" * 500]
    async with (
        udp_phone(answers(200)) as phone,
        udp_phone(lambda request: noise) as asked,
        Watched(phone.port, **(registrar(asked.port) | {"timeout_s": 0.1})) as watched,
    ):
        unknown = await watched.until(lambda r: r.cause is PhoneCause.NO_REGISTRAR)
        assert (unknown.reachable, unknown.registered) == (True, None)
