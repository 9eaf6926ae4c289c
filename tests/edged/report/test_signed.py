"""What is not signed by a known key, for this site and this hour, and allowed to that key, is not carried out."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edged.clock import ClockQuality, rfc3339
from edged.control.roles import NEEDED, Role
from edged.core import sessions
from edged.core.effects import Errand
from edged.core.observations import Act, Asked, PersonActed, Reason
from edged.report.commands import MAX_BYTES
from edged.report.signed import (
    POLICY,
    By,
    Command,
    Denied,
    Key,
    Meaning,
    Moment,
    Order,
    Permitted,
    Why,
    parse_order,
    permit,
    signer,
)
from tests.edged.core.room import calm_room
from tests.edged.report.orders import NOW, SITE, after, pen

NOC = pen()
KEYS = {"noc-1": NOC.trusted()}
BY = By(7.0, "noc:noc-1", "operate")


def judged(payload: bytes, keys: dict[str, Key] | None = None, now: Moment = NOW) -> Permitted | Why:
    """All the checks in their order."""
    order = parse_order(payload)
    if isinstance(order, Denied):
        return order.why
    key = signer(order, KEYS if keys is None else keys, SITE)
    return key if isinstance(key, Why) else permit(order, key, now)


def meaning(payload: bytes) -> Meaning:
    permitted = judged(payload)
    assert isinstance(permitted, Permitted)
    return permitted.meaning(BY)


# ── what may be asked ──────────────────────────────────────────────────────────────────────────────────
def acted(act: Act, room: str | None = None) -> PersonActed:
    return PersonActed(7.0, act, BY.actor, "operate", Reason.NOC_COMMAND, "s-1", room)


ACTS = {
    "session_request": Act.SESSION_REQUESTED,
    "session_join": Act.SESSION_JOINED,
    "session_open": Act.SESSION_OPENED,
    "session_close": Act.SESSION_CLOSED,
    "contrast_start": Act.CONTRAST_STARTED,
    "contrast_end": Act.CONTRAST_ENDED,
    "monitoring_end": Act.MONITORING_ENDED,
    "escalate": Act.ESCALATED,
    "phone_failed": Act.PHONE_FAILED,
}
MEANT: list[tuple[str, dict[str, str], Meaning]] = [
    *((command, {"session": "s-1"}, acted(act)) for command, act in ACTS.items()),
    ("contrast_start", {"session": "s-1", "room": "ct-1"}, acted(Act.CONTRAST_STARTED, "ct-1")),
    ("diagnose", {"link": "fiber"}, Asked(7.0, Errand.DIAGNOSE, "fiber", BY.actor, "operate")),
    ("prove", {"link": "lte"}, Asked(7.0, Errand.PROVE, "lte", BY.actor, "operate")),
    ("train", {"link": "lte"}, Asked(7.0, Errand.TRAIN, "lte", BY.actor, "operate")),
]


@pytest.mark.parametrize(("command", "args", "meant"), MEANT)
def test_a_good_command_becomes_a_fact_for_the_judge(command: str, args: dict[str, str], meant: Meaning) -> None:
    assert meaning(NOC.order(command=command, args=args)) == meant


def test_every_command_is_in_the_table_and_needs_no_less_than_at_the_control_socket() -> None:
    assert {command for command, _, _ in MEANT} == set(Command) == set(POLICY)
    assert all(rule.needs >= NEEDED["act"] for rule in POLICY.values())


def test_nothing_that_loosens_safety_can_be_said_from_afar() -> None:
    """What attests, acknowledges, shelves or drills is for those who are there; a ramp fills a line for seconds."""
    meant = [meaning(NOC.order(command=command, args=args)) for command, args, _ in MEANT]
    acts = {told.act for told in meant if isinstance(told, PersonActed)}
    errands = {told.errand for told in meant if isinstance(told, Asked)}
    assert acts == {*sessions.STEPS, Act.PHONE_FAILED}
    assert errands == {Errand.DIAGNOSE, Errand.PROVE, Errand.TRAIN}


@pytest.mark.parametrize("command", ["monitoring_end", "contrast_end", "session_close"])
def test_rule9_no_command_lets_go_of_tier_4(command: str) -> None:
    room = calm_room().act(Act.CONTRAST_STARTED).media(audio=False, video=False).wait(20).act(Act.PHONE_FAILED)
    if command == "monitoring_end":
        room.act(Act.CONTRAST_ENDED)
    assert room.wait(1).state.tier == 4
    told = meaning(NOC.order(command=command, args={"session": "s-1"}))
    assert isinstance(told, PersonActed)
    room.act(told.act, told.session, reason=told.reason).media().wait(300)
    assert room.state.tier == 4


# ── what is refused ────────────────────────────────────────────────────────────────────────────────────
def changed(payload: bytes, **changes: Any) -> bytes:
    """Changed after it was signed; `...` leaves a key out."""
    said = json.loads(payload) | changes
    return json.dumps({key: value for key, value in said.items() if value is not ...}).encode()


GOOD = NOC.order()
MUTATED: list[tuple[str, bytes, Why]] = [
    ("nothing", b"", Why.MALFORMED),
    ("no JSON", b"open sesame", Why.MALFORMED),
    ("no UTF-8", b"\xff" + GOOD, Why.MALFORMED),
    ("UTF-16", GOOD.decode().encode("utf-16"), Why.MALFORMED),
    ("a list", b"[" + GOOD + b"]", Why.MALFORMED),
    ("deep", b"[" * MAX_BYTES, Why.MALFORMED),
    ("long", GOOD + b" " * MAX_BYTES, Why.TOO_LARGE),
    ("a key twice", GOOD[:-1] + b', "command": "session_open"}', Why.MALFORMED),
    ("a key more", changed(GOOD, force=True), Why.MALFORMED),
    ("signed with a key more", NOC.order(force=True), Why.MALFORMED),
    *((f"no {key}", changed(GOOD, **{key: ...}), Why.MALFORMED) for key in json.loads(GOOD)),
    ("no text", changed(GOOD, key=7), Why.MALFORMED),
    ("an id with room for text", NOC.order(id="Jane Doe"), Why.MALFORMED),
    ("an id too long", NOC.order(id="x" * 65), Why.MALFORMED),
    ("a name for a session", NOC.order(command="session_open", args={"session": "Doe"}), Why.MALFORMED),
    ("a shout", NOC.order(command="SESSION_OPEN"), Why.MALFORMED),
    ("local time", NOC.order(expires="2026-01-01T00:05:00+01:00"), Why.MALFORMED),
    ("no such day", NOC.order(expires="2026-02-30T00:05:00Z"), Why.MALFORMED),
    ("a 61st second", NOC.order(expires="2026-01-01T00:05:60Z"), Why.MALFORMED),
    ("foreign digits", NOC.order(expires="２０26-01-01T00:05:00Z"), Why.MALFORMED),
    ("seconds since 1970", NOC.order(expires=1_767_225_900), Why.MALFORMED),
    ("nested args", NOC.order(args={"session": {"id": "s-1"}}), Why.MALFORMED),
    ("a fraction", NOC.order(args={"session": 1.5}), Why.MALFORMED),
    ("true", NOC.order(args={"session": True}), Why.MALFORMED),
    ("half a surrogate pair", changed(GOOD, args={"session": "\ud800"}), Why.MALFORMED),
    ("no base64", changed(GOOD, signature="*" * 88), Why.MALFORMED),
    ("half a signature", changed(GOOD, signature=json.loads(GOOD)["signature"][:44]), Why.MALFORMED),
    ("a key nobody knows", pen("noc-2").order(), Why.UNKNOWN_KEY),
    ("an empty signature", changed(GOOD, signature="A" * 86 + "=="), Why.BAD_SIGNATURE),
    ("another's signature", pen(seed=2).order(), Why.BAD_SIGNATURE),
    ("another id", changed(GOOD, id="c-2"), Why.BAD_SIGNATURE),
    ("another command", changed(GOOD, command="phone_failed"), Why.BAD_SIGNATURE),
    ("other args", changed(GOOD, args={"session": "s-2"}), Why.BAD_SIGNATURE),
    ("more args", changed(GOOD, args={"session": "s-1", "link": "fiber"}), Why.BAD_SIGNATURE),
    ("a longer life", changed(GOOD, expires="2026-01-01T00:06:00Z"), Why.BAD_SIGNATURE),
    ("the same end, spelled otherwise", changed(GOOD, expires="2026-01-01T00:05:00Z"), Why.BAD_SIGNATURE),
    ("an earlier beginning", changed(GOOD, not_before="2025-12-31T00:06:00Z"), Why.BAD_SIGNATURE),
    ("carried to another site", changed(GOOD, site="clinic/room-2"), Why.BAD_SIGNATURE),
    ("signed for another site", NOC.order(site="clinic/room-2"), Why.NOT_THIS_SITE),
    ("signed for another tenant", NOC.order(site="klinik/room-1"), Why.NOT_THIS_SITE),
    ("a command there is not", NOC.order(command="qos_off"), Why.NOT_ALLOWED),
    ("one for the CLI only", NOC.order(command="acknowledge"), Why.NOT_ALLOWED),
    ("a drill from afar", NOC.order(command="drill_start"), Why.NOT_ALLOWED),
    ("no args", NOC.order(args={}), Why.MALFORMED),
    ("args of another command", NOC.order(args={"link": "fiber"}), Why.MALFORMED),
    ("args too many", NOC.order(args={"session": "s-1", "link": "fiber"}), Why.MALFORMED),
    ("a session with room for text", NOC.order(args={"session": "Jane Doe, 1970"}), Why.MALFORMED),
    ("a room with room for text", NOC.order(args={"session": "s-1", "room": "CT 1"}), Why.MALFORMED),
    ("a room alone", NOC.order(args={"room": "ct-1"}), Why.MALFORMED),
    ("a number as session", NOC.order(args={"session": 7}), Why.MALFORMED),
    ("a link no topic could name", NOC.order(command="train", args={"link": "../lte"}), Why.MALFORMED),
]


@pytest.mark.parametrize(("payload", "why"), [row[1:] for row in MUTATED], ids=[row[0] for row in MUTATED])
def test_what_is_not_exactly_right_is_refused_with_its_reason(payload: bytes, why: Why) -> None:
    assert judged(payload) is why


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({}, Why.NOT_ALLOWED),
        ({"noc-1": NOC.trusted(allow=(Command.DIAGNOSE,))}, Why.NOT_ALLOWED),
        ({"noc-1": NOC.trusted(role=Role.VIEW)}, Why.ROLE),
        ({"noc-1": NOC.trusted(role=Role.VIEW, allow=(Command.DIAGNOSE,))}, Why.NOT_ALLOWED),
        ({"noc-2": NOC.trusted()}, Why.UNKNOWN_KEY),
    ],
)
def test_a_key_may_do_what_the_configuration_says(keys: dict[str, Key], why: Why) -> None:
    assert judged(GOOD, keys) is why


@pytest.mark.parametrize("role", [Role.OPERATE, Role.ADMIN])
def test_a_role_that_suffices_suffices(role: Role) -> None:
    assert isinstance(judged(GOOD, {"noc-1": NOC.trusted(role=role)}), Permitted)


def window(begin_s: float, end_s: float) -> Callable[[], bytes]:
    times = {"not_before": rfc3339(NOW.wall_s + begin_s), "expires": rfc3339(NOW.wall_s + end_s)}
    return lambda: NOC.order(**times)


TIMES: list[tuple[Callable[[], bytes], Moment, Why | None]] = [
    (window(0, 300), after(0), None),
    (window(0, 300), after(299.999), None),
    (window(0, 300), after(300), Why.EXPIRED),
    (window(0, 300), after(300, error_s=500), Why.EXPIRED),
    (window(0, 300), after(-60), None),
    (window(0, 300), after(-61), Why.NOT_YET),
    (window(0, 300), after(-61, error_s=70), None),
    (window(0, 300), after(-61, error_s=1), Why.NOT_YET),
    (window(0, 300), after(-599, error_s=1e9), None),
    (window(0, 300), after(-601, error_s=1e9), Why.NOT_YET),
    (window(0, 86_400), after(0), None),
    (window(0, 86_401), after(0), Why.WINDOW),
    (window(0, 0), after(0), Why.WINDOW),
    (window(300, 0), after(0), Why.WINDOW),
    (window(0, 300), after(0, ClockQuality.HOLDOVER), None),
    (window(0, 300), after(0, ClockQuality.UNSET), Why.CLOCK_UNSET),
    (window(0, 86_401), after(0, ClockQuality.UNSET), Why.CLOCK_UNSET),
    (window(0, 300), after(-NOW.wall_s), Why.NOT_YET),
]


@pytest.mark.parametrize(("make", "now", "why"), TIMES)
def test_a_command_has_its_hour(make: Callable[[], bytes], now: Moment, why: Why | None) -> None:
    verdict = judged(make(), now=now)
    assert verdict is why if why else isinstance(verdict, Permitted)


def test_the_signature_comes_before_everything_it_covers() -> None:
    """Everything else is wrong too, and nothing of it shows in the reason."""
    forged = pen(seed=2).order(site="x/y", command="qos_off", args={}, expires="2020-01-01T00:00:00Z")
    assert judged(forged, now=after(0, ClockQuality.UNSET)) is Why.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("payload", "identity"),
    [
        (changed(GOOD, force=True), "c-1"),
        (b'{"id": "c-9"}', "c-9"),
        (b'{"id": "Jane Doe"}', None),
        (b'{"id": 9}', None),
        (b"[]", None),
        (b"", None),
    ],
)
def test_a_refusal_echoes_the_id_if_there_is_one(payload: bytes, identity: str | None) -> None:
    assert parse_order(payload) == Denied(identity, Why.MALFORMED)


def test_one_command_has_one_digest_however_it_is_spelled() -> None:
    spaced, reordered = json.dumps(json.loads(GOOD), indent=2), dict(reversed(json.loads(GOOD).items()))
    digests = {parsed(text.encode()).digest for text in (GOOD.decode(), spaced, json.dumps(reordered))}
    assert len(digests) == 1
    assert parsed(NOC.order(id="c-2")).digest not in digests
    assert parsed(pen("noc-2").order()).digest not in digests


def parsed(payload: bytes) -> Order:
    order = parse_order(payload)
    assert isinstance(order, Order)
    return order


# ── whatever is done to it ─────────────────────────────────────────────────────────────────────────────
@given(at=st.integers(0, len(GOOD)), byte=st.integers(0, 255), how=st.sampled_from(["replace", "insert", "delete"]))
@example(at=len(GOOD), byte=0x0A, how="insert")
def test_no_edit_of_one_byte_makes_another_command(at: int, byte: int, how: str) -> None:
    kept_from = at if how == "insert" else at + 1
    edited = GOOD[:at] + (b"" if how == "delete" else bytes([byte])) + GOOD[kept_from:]
    verdict = judged(edited)
    assert isinstance(verdict, Why) or verdict == judged(GOOD)


def test_no_single_bit_of_it_can_be_turned() -> None:
    turned = [bytearray(GOOD) for _ in range(len(GOOD) * 8)]
    for bit, edited in enumerate(turned):
        edited[bit // 8] ^= 1 << bit % 8
    permitted = [bytes(edited) for edited in turned if isinstance(judged(bytes(edited)), Permitted)]
    assert permitted == []


_near = st.builds(
    lambda what: json.dumps(what).encode(),
    st.dictionaries(
        st.sampled_from([*json.loads(GOOD), "x"]),
        st.sampled_from(["session_open", "c-1", SITE, "noc-1", "2026-01-01T00:00:00Z", "A" * 86 + "=="])
        | st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.integers())
        | st.integers()
        | st.floats()
        | st.none()
        | st.text(),
    ),
)


@given(st.binary(max_size=300) | _near)
def test_no_garbage_is_an_error_or_a_command(payload: bytes) -> None:
    assert isinstance(judged(payload), Why)
