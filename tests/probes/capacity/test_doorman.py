"""Who gets in: stories of packets and what is answered."""

from dataclasses import replace

import pytest

from probes.capacity.doorman import Doorman, Grant, Limits
from probes.packets.capacity import OPENING_BYTES, Challenge, Denied, Hello, Open, Refused, Why, Wish

KEY, SECRET = b"a key of the NOC", b"of this process"
BOX, OTHER = ("203.0.113.7", 4000), ("203.0.113.8", 4000)
NONCE = bytes(range(16))


def doorman(limits: Limits | None = None) -> Doorman:
    return Doorman(KEY, SECRET, limits or Limits(), 0.0)


def cookie_for(at: Doorman, peer: tuple[str, int] = BOX, nonce: bytes = NONCE, now_s: float = 1.0) -> bytes:
    challenge = at.hello(peer, Hello(1, 1, nonce), OPENING_BYTES, now_s)
    assert isinstance(challenge, Challenge)
    return challenge.cookie


def wish(cookie: bytes, nonce: bytes = NONCE, session: int = 1, kind: int = Wish.RAMP_UP) -> Open:
    return Open(session, 2, nonce, cookie, kind, 1472, 10**12, 10**9, 10**6)


def test_who_returns_the_cookie_gets_a_session_within_the_limits() -> None:
    at = doorman(Limits(rate_bps=50e6, bytes=1000, seconds=5.0))
    granted = at.open(BOX, wish(cookie_for(at)), OPENING_BYTES, 1.1)
    assert isinstance(granted, Grant)
    assert (granted.rate_bps, granted.bytes_max, granted.until_s) == (50e6, 1000, 6.1)
    assert (granted.opened.rate_kbps, granted.opened.bytes_max, granted.opened.duration_ms) == (50_000, 1000, 5000)


def test_an_answer_that_got_lost_is_given_again_and_is_the_same_session() -> None:
    at = doorman()
    asked = wish(cookie_for(at))
    assert at.open(BOX, asked, OPENING_BYTES, 1.1) is at.open(BOX, asked, OPENING_BYTES, 1.2)


FORGED = {
    "another address": ((OTHER[0], BOX[1]), {}),
    "another port": ((BOX[0], 4001), {}),
    "another nonce": (BOX, {"nonce": bytes(16)}),
    "another session": (BOX, {"session": 2}),
    "no cookie": (BOX, {"cookie": bytes(24)}),
    "a changed time of issue": (BOX, {"cookie": b"later"}),
    "a wish there is none of": (BOX, {"wish": 9}),
}


@pytest.mark.parametrize(("peer", "changes"), FORGED.values(), ids=FORGED.keys())
def test_a_cookie_is_good_for_one_address_and_one_nonce_only(peer: tuple[str, int], changes: dict[str, object]) -> None:
    at = doorman()
    asked = wish(cookie_for(at))
    if changes.get("cookie") == b"later":
        changes = {"cookie": (10**6).to_bytes(8) + asked.cookie[8:]}
    assert at.open(peer, replace(asked, **changes), OPENING_BYTES, 1.1) is None  # type: ignore[arg-type]


def test_a_cookie_ages() -> None:
    at = doorman()
    refused = at.open(BOX, wish(cookie_for(at, now_s=1.0)), OPENING_BYTES, 4.1)
    assert refused == Refused(1, 2, NONCE, Why.STALE)


def test_a_cookie_opens_once_also_when_its_session_is_over() -> None:
    at = doorman()
    asked = wish(cookie_for(at))
    granted = at.open(BOX, asked, OPENING_BYTES, 1.1)
    assert isinstance(granted, Grant)
    at.gone(granted)
    assert at.open(BOX, asked, OPENING_BYTES, 1.5) == Refused(1, 2, NONCE, Why.STALE)
    assert isinstance(at.open(BOX, wish(cookie_for(at, now_s=1.6)), OPENING_BYTES, 1.7), Grant)


def test_one_session_a_client_and_a_bounded_number_of_them() -> None:
    at = doorman(Limits(sessions=2))
    other_nonce = bytes(16)
    clients = [(f"203.0.113.{host}", 4000) for host in range(3)]
    cookies = [cookie_for(at, peer) for peer in clients]
    granted = [at.open(peer, wish(cookie), OPENING_BYTES, 1.1) for peer, cookie in zip(clients, cookies, strict=True)]
    assert [type(each) for each in granted] == [Grant, Grant, Refused]
    another = cookie_for(at, clients[0], other_nonce, now_s=1.2)
    again = at.open(clients[0], wish(another, other_nonce), OPENING_BYTES, 1.2)
    assert again == Refused(1, 2, other_nonce, Why.BUSY)
    assert isinstance(granted[0], Grant)
    at.gone(granted[0])
    assert isinstance(at.open(clients[2], wish(cookies[2]), OPENING_BYTES, 1.3), Grant)


@pytest.mark.parametrize("size", [0, 68, OPENING_BYTES - 1])
def test_a_question_smaller_than_its_answer_may_be_is_not_answered(size: int) -> None:
    at = doorman()
    assert at.hello(BOX, Hello(1, 1, NONCE), size, 1.0) is None
    assert at.denied(Hello(1, 1, NONCE), size, 1.0) is None
    assert at.open(BOX, wish(cookie_for(at)), size, 1.1) is None


def test_a_flood_is_answered_at_a_bounded_rate() -> None:
    at = doorman()
    hellos = [at.hello(BOX, Hello(n, 1, NONCE), OPENING_BYTES, n / 10_000) for n in range(10_000)]
    denials = [at.denied(Hello(n, 1, NONCE), OPENING_BYTES, n / 10_000) for n in range(10_000)]
    assert sum(isinstance(each, Challenge) for each in hellos) <= 111
    assert sum(isinstance(each, Denied) for each in denials) <= 12


def test_a_flood_with_a_wrong_key_does_not_keep_the_right_one_out() -> None:
    at = doorman()
    for n in range(1000):
        at.denied(Hello(n, 1, NONCE), OPENING_BYTES, 1.0)
    assert at.hello(BOX, Hello(1, 1, NONCE), OPENING_BYTES, 1.0) is not None
