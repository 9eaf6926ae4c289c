import hmac
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.errors import MisuseError, PeerError
from probes.packets.heartbeat import (
    NO_CHALLENGE,
    SIZE,
    SLOT_S,
    Answer,
    Heartbeat,
    challenge_at,
    decode_answer,
    decode_heartbeat,
    encode_answer,
    encode_heartbeat,
    is_fresh,
    is_network,
)

KEY, OTHER = b"a key of one workstation", b"a key of another one"
BEAT = Heartbeat(b"fresh!!!", 1_790_000_000_000, "310-260", 65001, True)
ANSWER = Answer(b"newer!!!", 1_790_000_000_000, 1_790_000_000_000, True)

BEATS = st.builds(
    Heartbeat,
    st.binary(min_size=8, max_size=8),
    st.integers(0, 2**64 - 1),
    st.none() | st.from_regex(r"\A[0-9]{3}-[0-9]{2,3}\Z").map(lambda text: text if text.isascii() else "001-01"),
    st.none() | st.integers(1, 2**32 - 1),
    st.none() | st.booleans(),
)
ANSWERS = st.builds(
    Answer, st.binary(min_size=8, max_size=8), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.booleans()
)


def test_the_layout_on_the_wire() -> None:
    data = encode_heartbeat(BEAT, KEY)
    assert data[:32].hex(" ", 4) == (
        b"eM\1\1fresh!!!".hex(" ", 4) + " " + (1_790_000_000_000).to_bytes(8, "big").hex(" ", 4) + " "
        "1f000136 01040000 fde90000"
    )
    assert data[32:] == hmac.digest(KEY, data[:32], "sha256")[:16]


@given(BEATS)
def test_c3_what_a_heartbeat_says_is_what_is_read(heartbeat: Heartbeat) -> None:
    data = encode_heartbeat(heartbeat, KEY)
    assert len(data) == SIZE
    assert decode_heartbeat(data, KEY) == heartbeat


@given(ANSWERS)
def test_an_answer_is_read_as_written_and_no_larger_than_its_question(answer: Answer) -> None:
    data = encode_answer(answer, KEY)
    assert len(data) == SIZE
    assert decode_answer(data, KEY) == answer


@given(BEATS, st.integers(0, SIZE * 8 - 1))
def test_c3_a_heartbeat_changed_in_any_bit_is_refused(heartbeat: Heartbeat, bit: int) -> None:
    data = bytearray(encode_heartbeat(heartbeat, KEY))
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(PeerError):
        decode_heartbeat(bytes(data), KEY)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        encode_heartbeat(BEAT, KEY)[:-1],
        encode_heartbeat(BEAT, KEY) + b"\0",
        encode_heartbeat(BEAT, OTHER),
        encode_answer(ANSWER, KEY),
    ],
    ids=["nothing", "too short", "too long", "another key", "an answer"],
)
def test_what_is_no_heartbeat_of_ours_is_refused(data: bytes) -> None:
    with pytest.raises(PeerError):
        decode_heartbeat(data, KEY)


def test_a_heartbeat_sent_back_is_no_answer() -> None:
    with pytest.raises(PeerError):
        decode_answer(encode_heartbeat(BEAT, KEY), KEY)


@pytest.mark.parametrize(("at", "value"), [(22, 0xFFFF), (24, 1000)], ids=["country", "network"])
def test_a_network_that_cannot_be_is_refused_though_signed(at: int, value: int) -> None:
    packet = bytearray(encode_heartbeat(BEAT, KEY)[:32])
    packet[at : at + 2] = value.to_bytes(2, "big")
    with pytest.raises(PeerError, match="network"):
        decode_heartbeat(bytes(packet) + hmac.digest(KEY, bytes(packet), "sha256")[:16], KEY)


@pytest.mark.parametrize(
    "wrong", [{"mcc_mnc": "T-Mobile"}, {"mcc_mnc": "310-2600"}, {"asn": 2**32}, {"asn": -1}, {"counter": 2**64}]
)
def test_what_does_not_fit_is_our_own_mistake(wrong: dict[str, object]) -> None:
    with pytest.raises(MisuseError):
        encode_heartbeat(replace(BEAT, **wrong), KEY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "good"),
    [("310-260", True), ("262-01", True), ("310260", False), ("31-260", False), ("310-2", False), ("٣١٠-٢٦٠", False)],
)
def test_how_a_serving_network_is_written(text: str, good: bool) -> None:
    assert is_network(text) is good


@given(st.floats(0, 1e7), st.floats(0, 1e4))
def test_c3_a_challenge_is_good_for_one_slot_at_least_and_two_at_most(made_s: float, later_s: float) -> None:
    fresh = is_fresh(challenge_at(b"secret", made_s), b"secret", made_s + later_s)
    if later_s <= SLOT_S * 0.999:
        assert fresh
    if later_s >= 2 * SLOT_S:
        assert not fresh


@given(st.floats(0, 1e7))
def test_c3_no_challenge_outlives_the_box_s_secret_and_none_is_the_empty_one(at_s: float) -> None:
    assert not is_fresh(challenge_at(b"before the restart", at_s), b"after it", at_s)
    assert not is_fresh(NO_CHALLENGE, b"secret", at_s)


@given(st.binary(max_size=64))
def test_garbage_raises_nothing_but_the_room_s_error(data: bytes) -> None:
    for read in (decode_heartbeat, decode_answer):
        with suppress(PeerError):
            read(data, KEY)
