import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.control.protocol import (
    ControlError,
    Refusal,
    decode_reply,
    decode_request,
    encode_refusal,
    encode_reply,
    encode_request,
)


def test_a_request_arrives_as_it_was_sent() -> None:
    request = decode_request(encode_request("act", {"act": "acknowledged"}, number=9))
    assert (request.v, request.id, request.do, request.args) == (1, 9, "act", {"act": "acknowledged"})


@pytest.mark.parametrize(
    ("line", "code", "names"),
    [
        (b"", "bad_request", "line"),
        (b"hello\n", "bad_request", "line"),
        (b"[]\n", "bad_request", "line"),
        (b'{"v":1}', "bad_request", "do"),
        (b'{"v":"1","do":"status"}', "bad_request", "v"),
        (b'{"v":1,"do":"status","extra":1}', "bad_request", "extra"),
        (b'{"v":2,"do":"status"}', "bad_version", "speaks 1"),
        (b"\xff\xfe\x00", "bad_request", "line"),
    ],
)
def test_a_bad_line_is_refused_and_the_key_named(line: bytes, code: str, names: str) -> None:
    with pytest.raises(Refusal, match=names) as refused:
        decode_request(line)
    assert refused.value.code == code


@given(st.binary(max_size=300))
def test_garbage_is_only_ever_refused(line: bytes) -> None:
    with pytest.raises(Refusal):
        decode_request(line)


def test_replies_and_refusals_come_back_as_such() -> None:
    assert decode_reply(encode_reply(1, {"tier": 2})) == {"tier": 2}
    with pytest.raises(Refusal, match="no role"):
        decode_reply(encode_refusal(1, Refusal("forbidden", "you have no role")))


@given(st.one_of(st.binary(max_size=100), st.integers().map(lambda n: json.dumps(n).encode())))
def test_garbage_from_the_daemon_is_no_reply(line: bytes) -> None:
    with pytest.raises(ControlError):
        decode_reply(line)
