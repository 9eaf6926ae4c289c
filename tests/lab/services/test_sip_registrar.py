import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.sip_registrar import Guard, Registrar, Said

TO = {"to": ["<sip:17@lab.test>"]}
BIND = {**TO, "contact": ["<sip:17@10.0.0.5>"], "expires": ["60"]}


def listed(said: Said) -> list[str]:
    assert said[0] == "200 OK"
    return [re.sub(r"Contact: <(.*)>;expires=(\d+)", r"\1 \2", row) for row in said[1]]


def test_bindings_come_are_refreshed_and_end() -> None:
    registrar = Registrar(Guard())
    assert listed(registrar.answer(TO, 0)) == []
    assert listed(registrar.answer(BIND, 0)) == ["sip:17@10.0.0.5 60"]
    assert listed(registrar.answer({**TO, "contact": ["<sip:b@c>;expires=10"]}, 1)) == [
        "sip:17@10.0.0.5 59",
        "sip:b@c 10",
    ]
    assert listed(registrar.answer(TO, 30)) == ["sip:17@10.0.0.5 30"]
    assert listed(registrar.answer(BIND, 30)) == ["sip:17@10.0.0.5 60"]
    assert listed(registrar.answer({**BIND, "expires": ["0"]}, 31)) == []
    registrar.answer(BIND, 40)
    assert listed(registrar.answer({**TO, "contact": ["*"], "expires": ["0"]}, 41)) == []


def test_a_question_without_contact_changes_nothing() -> None:
    registrar = Registrar(Guard())
    registrar.answer(BIND, 0)
    for at_s in (10, 20, 59):
        assert listed(registrar.answer({**TO, "expires": ["0"]}, at_s)) == [f"sip:17@10.0.0.5 {60 - at_s}"]
    assert listed(registrar.answer(TO, 60)) == []


def test_the_lab_s_own_line_is_bound_as_long_as_the_lab_says() -> None:
    registrar = Registrar(Guard(), "17")
    assert len(listed(registrar.answer(TO, 0))) == 1
    assert listed(registrar.answer(TO, 0, line_is_bound=False)) == []
    assert listed(registrar.answer({"to": ["<sip:18@lab.test>"]}, 0)) == []


def answered(challenge: str, password: str = "secret") -> dict[str, list[str]]:
    """By RFC 2617, with qop=auth."""
    found = re.search(r'nonce="(\w+)"', challenge)
    assert found
    who = hashlib.md5(f"17:lab.test:{password}".encode()).hexdigest()
    what = hashlib.md5(b"REGISTER:sip:lab.test").hexdigest()
    response = hashlib.md5(f"{who}:{found[1]}:00000001:c:auth:{what}".encode()).hexdigest()
    line = f'Digest username="17", realm="lab.test", nonce="{found[1]}", uri="sip:lab.test", response="{response}"'
    return {**TO, "authorization": [f'{line}, algorithm=MD5, qop=auth, nc=00000001, cnonce="c"']}


def test_only_the_right_answer_to_a_fresh_challenge_is_let_in() -> None:
    registrar = Registrar(Guard({"17": "secret"}, algorithms=("MD5",)))
    status, (challenge,) = registrar.answer(TO, 0)
    assert status == "401 Unauthorized"
    assert "stale" not in challenge
    assert registrar.answer(answered(challenge), 1)[0] == "200 OK"
    assert registrar.answer(answered(challenge, "guess"), 1)[0] == "401 Unauthorized"
    status, (again,) = registrar.answer(answered(challenge), 100)
    assert status == "401 Unauthorized"
    assert "stale=true" in again
    assert registrar.answer(answered(again), 101)[0] == "200 OK"


def test_algorithms_are_offered_in_order_and_qop_only_if_wanted() -> None:
    _, rows = Registrar(Guard({"17": "x"}, qop=False)).answer(TO, 0)
    assert [re.findall(r"algorithm=([\w-]+)$", row) for row in rows] == [["SHA-256"], ["MD5"]]


def test_a_to_that_names_nobody_is_a_bad_request() -> None:
    assert Registrar(Guard()).answer({"to": ["nobody"]}, 0)[0] == "400 Bad Request"


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_garbage_never_raises(to: str, contact: str, authorization: str) -> None:
    registrar = Registrar(Guard({"17": "x"}))
    fields = {"to": [to], "contact": [contact], "expires": [contact], "authorization": [authorization]}
    assert registrar.answer(fields, 0)[0].startswith(("400", "401"))
    assert Registrar(Guard()).answer(fields, 0)[0].startswith(("200", "400"))


@pytest.mark.parametrize("count", [1000])
def test_its_memory_of_challenges_is_bounded(count: int) -> None:
    registrar = Registrar(Guard({"17": "secret"}, algorithms=("MD5",)))
    _, (first,) = registrar.answer(TO, 0)
    for _ in range(count):
        _, (last,) = registrar.answer(TO, 0)
    assert registrar.answer(answered(first), 0)[0] == "401 Unauthorized"
    assert registrar.answer(answered(last), 0)[0] == "200 OK"
