"""Every kind there and back; and nothing that is not ours, or not signed, gets through."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.errors import MisuseError, PeerError
from probes.packets import capacity as wire

KEY, OTHER_KEY = b"a key of the NOC", b"a key of no one."
NONCE, COOKIE = bytes(range(16)), bytes(range(24))

MESSAGES: tuple[wire.Message, ...] = (
    wire.Hello(1, 2, NONCE),
    wire.Challenge(1, 2, NONCE, COOKIE),
    wire.Open(2**64 - 1, 2**32 - 1, NONCE, COOKIE, 1, 1472, 60_000_000, 300_000, 8000),
    wire.Opened(1, 2, 3, 4, 5),
    wire.Refused(1, 2, NONCE, 1),
    wire.Echo(1, 2),
    wire.Echoed(1, 2),
    wire.Order(1, 2, 3, 100_000),
    wire.Train(1, 2, 3, 290),
    wire.Ask(1, 2, 3, 290),
    wire.End(1, 2),
    wire.Feedback(1, 2, 3, 4, 5, 6, 7, 8, -9, 2**62),
    wire.Report(1, 2, 3, 4, ()),
    wire.Report(1, 2, 3, 4, (0, 5, wire.MISSING)),
    wire.Report(1, 2, 3, 0, tuple(range(wire.TRAIN_PACKETS_MAX))),
    wire.LoadUp(1, 2, 3, 4),
    wire.LoadDown(1, 2, 3, 4),
)
kinds = pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)


@kinds
@pytest.mark.parametrize("size", [0, 1472])
def test_every_kind_comes_back_as_it_was_and_padding_means_nothing(message: wire.Message, size: int) -> None:
    data = wire.encode(message, KEY, size=size)
    assert wire.decode(data, KEY) == message
    assert wire.kind_and_session(data) == (type(message), message.session)
    assert len(data) >= size


@kinds
def test_what_another_key_signed_is_refused(message: wire.Message) -> None:
    with pytest.raises(PeerError, match="not signed"):
        wire.decode(wire.encode(message, OTHER_KEY), KEY)


@kinds
def test_no_byte_of_a_packet_can_be_changed_or_cut_off(message: wire.Message) -> None:
    data = wire.encode(message, KEY)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x01
        with pytest.raises(PeerError):
            wire.decode(bytes(changed), KEY)
        with pytest.raises(PeerError):
            wire.decode(data[:at], KEY)


def test_a_denial_is_signed_by_nobody() -> None:
    denied = wire.Denied(1, 2, NONCE)
    assert wire.decode(wire.encode(denied, b""), KEY) == denied


def test_no_answer_to_an_opening_is_larger_than_the_question() -> None:
    answers = (MESSAGES[1], MESSAGES[3], MESSAGES[4], wire.Denied(1, 2, NONCE))
    assert max(len(wire.encode(answer, KEY)) for answer in answers) <= wire.OPENING_BYTES
    assert len(wire.encode(MESSAGES[2], KEY)) <= wire.OPENING_BYTES


def test_the_report_of_the_longest_train_fits_a_packet() -> None:
    report = wire.Report(1, 2, 3, 0, (wire.MISSING,) * wire.TRAIN_PACKETS_MAX)
    assert len(wire.encode(report, KEY)) <= 1280 - 48  # the least IPv6 must carry


@pytest.mark.parametrize("kind", [wire.LoadUp, wire.LoadDown])
def test_the_quick_way_for_load_is_the_same_bytes(kind: type[wire.LoadUp | wire.LoadDown]) -> None:
    head = wire.load_head(kind, 7, 8, 9, 10, KEY)
    assert head == wire.encode(kind(7, 8, 9, 10), KEY)
    assert len(head) == wire.LOAD_HEAD_BYTES
    assert wire.read_load(head + bytes(900), KEY) == (8, 9, 10)
    with pytest.raises(PeerError, match="not signed"):
        wire.read_load(head, OTHER_KEY)
    with pytest.raises(PeerError, match="bytes"):
        wire.read_load(head[:-1], KEY)


@pytest.mark.parametrize(
    "message",
    [
        wire.Echo(-1, 0),
        wire.Echo(0, 2**32),
        wire.Report(0, 0, 0, 0, (-1,)),
        wire.Open(0, 0, NONCE, COOKIE, 256, 0, 0, 0, 0),
    ],
)
def test_what_does_not_fit_its_field_is_our_own_mistake(message: wire.Message) -> None:
    with pytest.raises(MisuseError, match="does not fit"):
        wire.encode(message, KEY)


def test_a_key_is_of_one_session() -> None:
    keys = {wire.session_key(*each) for each in [(KEY, NONCE, COOKIE), (OTHER_KEY, NONCE, COOKIE), (KEY, NONCE, NONCE)]}
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}


def test_times_of_a_report_are_kept_to_a_tenth_of_a_microsecond() -> None:
    arrivals: list[int | None] = [5_000_000, None, 5_120_050, 4_999_900, 5_000_000 + 10**12]
    report = wire.Report(1, 2, 3, 0, wire.report_units(arrivals))
    assert wire.report_ns(report) == [100, None, 120_100, 0, None]
    assert wire.report_units([None, None]) == (wire.MISSING, wire.MISSING)


def test_only_a_whole_hello_may_be_denied() -> None:
    hello = wire.Hello(5, 6, NONCE)
    assert wire.unsigned_hello(wire.encode(hello, OTHER_KEY, size=wire.OPENING_BYTES)) == hello
    assert wire.unsigned_hello(wire.encode(hello, OTHER_KEY)) is None
    assert wire.unsigned_hello(wire.encode(wire.Echo(1, 2), KEY, size=wire.OPENING_BYTES)) is None


def only_a_peer_error(data: bytes) -> None:
    for read in (
        lambda: wire.decode(data, KEY),
        lambda: wire.kind_and_session(data),
        lambda: wire.read_load(data, KEY),
    ):
        try:
            read()
        except PeerError:
            continue
    wire.unsigned_hello(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2000))
def test_garbage_is_a_peer_error_and_nothing_else(data: bytes) -> None:
    only_a_peer_error(data)
    only_a_peer_error(b"eC\x01" + data)


def test_a_hundred_thousand_damaged_packets_are_peer_errors_and_nothing_else() -> None:
    rng = random.Random(20)
    packets = [wire.encode(message, KEY, size=size) for message in MESSAGES for size in (0, 160)]
    for _ in range(100_000):
        data = bytearray(rng.choice(packets))
        for _ in range(rng.randrange(4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        only_a_peer_error(bytes(data[: rng.randrange(len(data) + 1)]))
