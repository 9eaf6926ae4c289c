import asyncio
import os
import socket
import time
from contextlib import suppress
from typing import Any

import pytest

from probes.phone_settings import PhoneSettings
from probes.reading import PhoneCause
from probes.sip import SipOutcome, ask_options
from tests.probes.sip_endpoint import Answer, answers, header, response, silence, tcp_phone, udp_phone


def settings(port: int, **more: Any) -> PhoneSettings:
    return PhoneSettings.model_validate({"host": "127.0.0.1", "port": port, "timeout_s": 0.3} | more)


def closed_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def in_pieces(request: str) -> list[bytes]:
    whole = b"\r\n" + response(request, 180, "Ringing") + response(request, 200, "OK", b"v=0\r\n")
    return [whole[at : at + 50] for at in range(0, len(whole), 50)]


def of_another_probe(request: str) -> list[bytes]:
    branch = header(request, "Via").split("branch=")[1].split(";")[0].encode()
    return [response(request).replace(branch, b"z9hG4bKanother"), response(request, 486)]


@pytest.mark.parametrize("code", [200, 404, 486, 503, 603])
async def test_a_final_response_is_an_answer_whatever_it_says(code: int) -> None:
    async with udp_phone(answers(code)) as udp, tcp_phone(answers(code)) as tcp:
        for outcome in (await ask_options(settings(udp.port)), await ask_options(settings(tcp.port, transport="tcp"))):
            assert (outcome.cause, outcome.code) == (PhoneCause.NONE, code)
            assert outcome.rtt_s is not None
            assert outcome.rtt_s > 0


async def test_every_probe_is_a_new_transaction_from_the_address_it_names() -> None:
    async with udp_phone(answers(200)) as phone:
        for _ in range(2):
            await ask_options(settings(phone.port, source="127.0.0.77", user="direct"))
        first, second = phone.requests
    assert first.startswith(f"OPTIONS sip:direct@127.0.0.1:{phone.port} SIP/2.0\r\n")
    assert "SIP/2.0/UDP 127.0.0.77:" in header(first, "Via")
    assert ";branch=z9hG4bK" in header(first, "Via")
    for name in ("Via", "From", "Call-ID", "CSeq"):
        assert header(first, name) != header(second, name)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(silence, SipOutcome(PhoneCause.NO_ANSWER), id="silence"),
        pytest.param(answers(100, "Trying"), SipOutcome(PhoneCause.NO_ANSWER), id="trying for ever"),
        pytest.param(lambda request: [b"\xff\x00garbage"], SipOutcome(PhoneCause.MALFORMED), id="garbage"),
        pytest.param(lambda request: [request.encode()], SipOutcome(PhoneCause.MALFORMED), id="an echo"),
        pytest.param(lambda request: [b"SIP/2.0 200 OK\r\n\r\n"], SipOutcome(PhoneCause.MALFORMED), id="to nobody"),
        pytest.param(lambda request: [b"x" * 60000], SipOutcome(PhoneCause.MALFORMED), id="huge"),
        pytest.param(
            lambda request: [response(request).replace(b"z9hG4bK", b"z9hG4bKx")],
            SipOutcome(PhoneCause.NO_ANSWER),
            id="stray",
        ),
    ],
)
async def test_over_udp_what_is_no_answer_ends_with_the_timeout_and_a_cause(
    answer: Answer, outcome: SipOutcome
) -> None:
    async with udp_phone(answer) as phone:
        start_s = time.monotonic()
        assert await ask_options(settings(phone.port, timeout_s=0.1)) == outcome
        assert time.monotonic() - start_s > 0.08


@pytest.mark.parametrize(
    ("answer", "hang_up", "outcome"),
    [
        pytest.param(silence, False, SipOutcome(PhoneCause.NO_ANSWER), id="silence"),
        pytest.param(silence, True, SipOutcome(PhoneCause.REFUSED), id="hangs up"),
        pytest.param(
            lambda request: [b"\r\n" * 9], True, SipOutcome(PhoneCause.REFUSED), id="keep-alives, then hangs up"
        ),
        pytest.param(
            lambda request: [response(request)[:40]], True, SipOutcome(PhoneCause.MALFORMED), id="half an answer"
        ),
        pytest.param(
            lambda request: [b"SSH-2.0-x\r\n\r\n"], False, SipOutcome(PhoneCause.MALFORMED), id="another protocol"
        ),
        pytest.param(lambda request: [b"\xff" * 100_000], False, SipOutcome(PhoneCause.MALFORMED), id="endless"),
    ],
)
async def test_over_tcp_what_is_no_answer_has_a_cause(answer: Answer, hang_up: bool, outcome: SipOutcome) -> None:
    async with tcp_phone(answer, hang_up=hang_up) as phone:
        assert await ask_options(settings(phone.port, transport="tcp")) == outcome


async def test_over_tcp_the_answer_may_come_in_pieces_after_a_provisional_one() -> None:
    async with tcp_phone(in_pieces) as phone:
        assert (await ask_options(settings(phone.port, transport="tcp"))).code == 200


@pytest.mark.parametrize("open_phone", [udp_phone, tcp_phone])
async def test_an_answer_to_another_probe_is_passed_over(open_phone: Any) -> None:
    async with open_phone(of_another_probe) as phone:
        transport = "tcp" if open_phone is tcp_phone else "udp"
        assert (await ask_options(settings(phone.port, transport=transport))).code == 486


async def test_garbage_before_the_answer_does_not_spoil_it() -> None:
    async with udp_phone(lambda request: [b"\x00" * 50, response(request)]) as phone:
        assert (await ask_options(settings(phone.port))).code == 200


async def test_over_udp_a_lost_request_is_sent_again_as_it_was_and_its_round_trip_is_unknown() -> None:
    async with udp_phone(lambda request: [response(request)] if len(phone.requests) == 2 else []) as phone:
        start_s = time.monotonic()
        outcome = await ask_options(settings(phone.port, timeout_s=2))
        assert time.monotonic() - start_s > 0.48  # T1
    assert outcome == SipOutcome(PhoneCause.NONE, 200, None)
    assert phone.requests[0] == phone.requests[1]


@pytest.mark.parametrize(("transport", "kind"), [("udp", socket.SOCK_DGRAM), ("tcp", socket.SOCK_STREAM)])
async def test_a_closed_port_refuses_at_once(transport: str, kind: socket.SocketKind) -> None:
    start_s = time.monotonic()
    outcome = await ask_options(settings(closed_port(kind), transport=transport, timeout_s=5))
    assert outcome == SipOutcome(PhoneCause.REFUSED)
    assert time.monotonic() - start_s < 4  # the timeout is 5 s


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_what_our_own_host_cannot_send_says_nothing_of_the_line(transport: str) -> None:
    """192.0.2.1 is nobody's address here."""
    outcome = await ask_options(settings(5060, transport=transport, source="192.0.2.1"))
    assert outcome == SipOutcome(PhoneCause.UNASKED)


@pytest.mark.parametrize("open_phone", [udp_phone, tcp_phone])
async def test_a_cancelled_probe_leaves_no_socket_behind(open_phone: Any) -> None:
    async with open_phone(silence) as phone:
        before = set(os.listdir("/proc/self/fd"))
        transport = "tcp" if open_phone is tcp_phone else "udp"
        task = asyncio.create_task(ask_options(settings(phone.port, transport=transport, timeout_s=5)))
        async with asyncio.timeout(2):
            while not phone.requests:
                await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                while set(os.listdir("/proc/self/fd")) - before:
                    await asyncio.sleep(0.01)
        assert set(os.listdir("/proc/self/fd")) <= before
