"""The question to the registrar, put to kamailio and to the lab's double."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from probes.phone_registrar import FetchOutcome, ask_registrar
from probes.phone_settings import RegistrarSettings
from probes.reading import PhoneCause
from tests.probes.registrars import DOMAIN, METHODS, OPEN, PASSWORD, Method, Open, Running, double, kamailio
from tests.probes.sip_endpoint import Answer, answers, header, response, silence, tcp_phone, udp_phone
from tests.probes.sip_subscriber import Subscriber

AOR = f"17@{DOMAIN}"
CONTACT, OTHER = "sip:17@127.0.0.1:5999", "sip:17@127.0.0.1:5998;transport=tcp"
DIGEST = 'WWW-Authenticate: Digest realm="r", nonce="%s"%s'

both = pytest.mark.parametrize("opened", [kamailio, double], ids=["kamailio", "double"])
over_both = pytest.mark.parametrize("transport", ["udp", "tcp"])


async def fetch(port: int, **more: Any) -> FetchOutcome:
    given = {"host": "127.0.0.1", "port": port, "aor": AOR} | more
    return await ask_registrar(RegistrarSettings.model_validate(given), source=None, timeout_s=2.0)


@pytest_asyncio.fixture(params=[kamailio, double], ids=["kamailio", "double"])
async def registrar(request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    async with request.param(OPEN) as running:
        yield running


@over_both
async def test_c1_a_line_is_registered_while_it_has_a_binding_and_asking_changes_none(
    registrar: Running, transport: str
) -> None:
    line = Subscriber(registrar.port, AOR, None)
    assert await fetch(registrar.port, transport=transport) == FetchOutcome(PhoneCause.UNREGISTERED, 200)
    await line.register(CONTACT, 300)
    for _ in range(2):
        found = await fetch(registrar.port, transport=transport)
        assert (found.cause, found.code) == (PhoneCause.NONE, 200)
        assert [binding.uri for binding in found.bindings] == [CONTACT]
        assert 290 <= (found.bindings[0].expires_s or 0) <= 300
    await line.register(OTHER, 300)
    assert {binding.uri for binding in (await fetch(registrar.port, transport=transport)).bindings} == {CONTACT, OTHER}
    assert set(await line.bindings()) == {CONTACT, OTHER}
    await line.register("*", 0)
    assert (await fetch(registrar.port, transport=transport)).cause is PhoneCause.UNREGISTERED
    assert (await fetch(registrar.port, transport=transport, aor=f"18@{DOMAIN}")).cause is PhoneCause.UNREGISTERED


async def test_c1_a_binding_that_is_not_refreshed_expires_and_asking_does_not_keep_it_alive(registrar: Running) -> None:
    await Subscriber(registrar.port, AOR, None).register(CONTACT, 1)
    seen = [(await fetch(registrar.port)).cause]
    async with asyncio.timeout(10):
        while seen[-1] is PhoneCause.NONE:
            await asyncio.sleep(0.1)
            seen.append((await fetch(registrar.port)).cause)
    assert seen[0] is PhoneCause.NONE
    assert seen[-1] is PhoneCause.UNREGISTERED


@both
@over_both
@pytest.mark.parametrize("method", METHODS, ids=["md5", "md5-without-qop", "sha256"])
async def test_c1_the_right_password_is_let_in_and_a_wrong_one_told(
    opened: Open, transport: str, method: Method, tmp_path: Path
) -> None:
    async with opened(method) as guarded:
        await Subscriber(guarded.port, AOR, PASSWORD).register(CONTACT)
        file = tmp_path / "password"
        file.write_text(PASSWORD + "\n")
        for right in ({"password": PASSWORD}, {"password_file": file}):
            assert (await fetch(guarded.port, transport=transport, **right)).cause is PhoneCause.NONE
        for wrong in ({"password": "guess"}, {}, {"password": PASSWORD, "user": "18"}):
            found = await fetch(guarded.port, transport=transport, **wrong)
            assert found == FetchOutcome(PhoneCause.DENIED, 401)


@over_both
async def test_a_registrar_that_was_killed_says_nothing_of_the_line(registrar: Running, transport: str) -> None:
    await registrar.kill()
    assert await fetch(registrar.port, transport=transport) == FetchOutcome(PhoneCause.REFUSED)


async def test_a_password_file_that_is_gone_asks_nothing_and_ends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    async with udp_phone(answers(200)) as phone:
        given = {"host": "127.0.0.1", "port": phone.port, "aor": AOR, "password_file": file}
        settings = RegistrarSettings.model_validate(given)
        file.unlink()
        assert await ask_registrar(settings, source=None, timeout_s=1) == FetchOutcome(PhoneCause.UNASKED)
        assert phone.requests == []


def with_lines(request: str, code: int, *lines: str) -> list[bytes]:
    return [
        response(request, code).replace(
            b"Content-Length", "".join(f"{x}\r\n" for x in lines).encode() + b"Content-Length"
        )
    ]


class Script:
    """One answer after the other."""

    def __init__(self, *steps: tuple[int, str]) -> None:
        self._steps = iter(steps)

    def __call__(self, request: str) -> list[bytes]:
        code, line = next(self._steps)
        return with_lines(request, code, *filter(None, [line]))


BOUND = (200, f"m: <{CONTACT}>;expires=9")


@pytest.mark.parametrize(
    ("steps", "cause", "code"),
    [
        pytest.param(
            [(401, DIGEST % ("1", "")), (401, DIGEST % ("2", ", stale=true")), BOUND], "none", 200, id="stale"
        ),
        pytest.param([(401, DIGEST % ("1", "")), (401, DIGEST % ("2", ""))], "denied", 401, id="wrong"),
        pytest.param(
            [(407, (DIGEST % ("1", "")).replace("WWW", "Proxy")), (401, DIGEST % ("2", "")), BOUND],
            "none",
            200,
            id="a proxy, then the registrar",
        ),
        pytest.param(
            [(401, DIGEST % ("1", "")), *[(401, DIGEST % ("2", ", stale=true"))] * 3], "denied", 401, id="ever stale"
        ),
        pytest.param([(401, "")], "denied", 401, id="no challenge at all"),
        pytest.param([(401, DIGEST % ("1", ", algorithm=SHA-512-256"))], "denied", 401, id="not one of ours"),
        pytest.param([(401, "WWW-Authenticate: Digest nonsense")], "malformed", 401, id="a garbled challenge"),
        pytest.param([(200, "Contact: *")], "malformed", 200, id="a garbled list"),
        pytest.param([(200, "Contact: <sip:a@b>;expires=0")], "unregistered", 200, id="expired right now"),
        pytest.param([(404, "")], "unregistered", 404, id="no such line"),
        pytest.param([(403, "")], "denied", 403, id="not for us to ask"),
        pytest.param([(503, "")], "rejected", 503, id="overloaded"),
        pytest.param([(302, "Contact: <sip:a@b>")], "rejected", 302, id="moved"),
    ],
)
async def test_every_answer_of_a_registrar_has_its_meaning(steps: list[tuple[int, str]], cause: str, code: int) -> None:
    async with udp_phone(Script(*steps)) as phone:
        found = await fetch(phone.port, password="x")
        assert (found.cause, found.code) == (PhoneCause(cause), code)
        assert len(phone.requests) == len(steps)


async def test_an_answer_cut_off_in_its_headers_does_not_make_the_line_unregistered() -> None:
    """What is missing may be the bindings."""

    def cut(request: str) -> list[bytes]:
        return [with_lines(request, 200, f"Contact: <{CONTACT}>")[0].partition(b"Contact:")[0]]

    async with udp_phone(cut) as phone:
        assert await fetch(phone.port) == FetchOutcome(PhoneCause.MALFORMED, 200)


async def test_rfc3261_22_2_the_answer_to_a_challenge_is_the_same_question_with_the_next_number() -> None:
    async with udp_phone(Script((401, DIGEST % ("1", "")), BOUND)) as phone:
        await fetch(phone.port, password="x")
    first, second = phone.requests
    for name in ("From", "To", "Call-ID"):
        assert header(first, name) == header(second, name)
    assert header(first, "Via") != header(second, "Via")
    number = int(header(first, "CSeq").split()[0])
    assert header(second, "CSeq") == f"{number + 1} REGISTER"
    assert 'nonce="1"' in header(second, "Authorization")
    for request in phone.requests:
        assert request.startswith(f"REGISTER sip:{DOMAIN} SIP/2.0\r\n")
        assert not any(line.lower().startswith(("contact", "m:", "expires")) for line in request.split("\r\n"))


async def test_rfc7616_a_proxy_that_is_answered_twice_with_one_nonce_gets_the_next_count() -> None:
    """To a proxy that counts, the same count again is a replay: it would let nobody through to the registrar."""
    proxy, registrar = 'Digest realm="p", nonce="1", qop="auth"', 'Digest realm="r", nonce="2", qop="auth"'
    steps = (407, f"Proxy-Authenticate: {proxy}"), (401, f"WWW-Authenticate: {registrar}"), BOUND
    async with udp_phone(Script(*steps)) as phone:
        assert (await fetch(phone.port, password="x")).cause is PhoneCause.NONE
    _, second, third = phone.requests
    assert "nc=00000001" in header(second, "Proxy-Authorization")
    assert "nc=00000002" in header(third, "Proxy-Authorization")
    assert "nc=00000001" in header(third, "Authorization")


async def test_c1_behind_a_proxy_that_counts_the_right_password_is_let_in_and_a_wrong_one_told() -> None:
    async with kamailio(Method("MD5", proxy=True)) as guarded:
        assert (await fetch(guarded.port, password=PASSWORD)).cause is PhoneCause.UNREGISTERED
        assert await fetch(guarded.port, password="guess") == FetchOutcome(PhoneCause.DENIED, 407)


@both
async def test_a_user_of_other_letters_than_english_ones_ends_nothing(opened: Open) -> None:
    async with opened(Method("MD5")) as guarded:
        found = await fetch(guarded.port, user="\u0141ukasz", password=PASSWORD)
        assert found == FetchOutcome(PhoneCause.DENIED, 401)


@pytest.mark.parametrize("open_phone", [udp_phone, tcp_phone])
@pytest.mark.parametrize(
    "answer", [silence, lambda request: [b"\xff\x00" * 50 + b"\r\n\r\n"]], ids=["silence", "garbage"]
)
async def test_no_usable_answer_ends_with_the_timeout_at_the_latest(open_phone: Any, answer: Answer) -> None:
    async with open_phone(answer) as phone:
        transport = "tcp" if open_phone is tcp_phone else "udp"
        given = {"host": "127.0.0.1", "port": phone.port, "aor": AOR, "transport": transport}
        found = await ask_registrar(RegistrarSettings.model_validate(given), source=None, timeout_s=0.2)
        assert found.cause is (PhoneCause.NO_ANSWER if answer is silence else PhoneCause.MALFORMED)
