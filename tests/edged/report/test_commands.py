import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.report.commands import (
    MAX_BYTES,
    MAX_RESEND,
    Reason,
    Rebirth,
    Refusal,
    Resend,
    Signed,
    Watermark,
    parse_command,
    parse_noc,
    parse_watermark,
)
from edged.report.reading import Noc


def said(**what: object) -> bytes:
    return json.dumps(what).encode()


def resend(**changes: object) -> bytes:
    return said(**({"command": "resend", "id": "1", "stream": "s", "from": 3, "to": 5} | changes))


UNDERSTOOD = [
    (resend(), Resend.model_validate({"command": "resend", "id": "1", "stream": "s", "from": 3, "to": 5})),
    (resend(to=3), Resend.model_validate({"command": "resend", "id": "1", "stream": "s", "from": 3, "to": 3})),
    (said(command="rebirth", id="1"), Rebirth(command="rebirth", id="1")),
]

REFUSED = [
    (b"", None, Reason.MALFORMED),
    (b"\xff\xfe", None, Reason.MALFORMED),
    (b"null", None, Reason.MALFORMED),
    (b'"resend"', None, Reason.MALFORMED),
    (b"[" * MAX_BYTES, None, Reason.MALFORMED),
    (b" " * (MAX_BYTES + 1), None, Reason.TOO_LARGE),
    (said(id="1"), "1", Reason.MALFORMED),
    (said(command="resend"), None, Reason.MALFORMED),
    (said(command="resend", id="1"), "1", Reason.MALFORMED),
    (said(command="rebirth", id=1), None, Reason.MALFORMED),
    (said(command="rebirth", id="x" * 65), None, Reason.MALFORMED),
    (said(command="rebirth", id="Jane Doe"), None, Reason.MALFORMED),
    (said(command="rebirth", id="1\n"), None, Reason.MALFORMED),
    (said(command="rebirth", id="1", force=True), "1", Reason.MALFORMED),
    (said(command="acknowledge_tier", id="1"), "1", Reason.NOT_ALLOWED),
    (said(command="rebirth", id="1", signature="AAAA"), "1", Reason.MALFORMED),
    (said(command="qos_off", id="1", not_before=0, signature_of="AAAA"), "1", Reason.NOT_ALLOWED),
    (resend(**{"from": "3"}), "1", Reason.MALFORMED),
    (resend(**{"from": 0}), "1", Reason.MALFORMED),
    (resend(to=5.5), "1", Reason.MALFORMED),
    (resend(to=2**60), "1", Reason.MALFORMED),
    (resend(to=2), "1", Reason.RANGE),
    (resend(to=3 + MAX_RESEND), "1", Reason.RANGE),
]


@pytest.mark.parametrize(("payload", "command"), UNDERSTOOD)
def test_a_command_that_asks_for_what_was_said_is_understood(payload: bytes, command: Resend | Rebirth) -> None:
    assert parse_command(payload, retained=False) == command
    assert parse_command(payload, retained=True) == Refusal("1", Reason.RETAINED)


@pytest.mark.parametrize(("payload", "identity", "reason"), REFUSED)
def test_everything_else_is_refused_with_a_code(payload: bytes, identity: str | None, reason: Reason) -> None:
    assert parse_command(payload, retained=False) == Refusal(identity, reason)


SIGNED = [
    (said(command="qos_off", id="1", signature="AAAA"), "1"),
    (said(command="qos_off", id="1", signature=None), "1"),
    (said(id="x" * 65, signature={"r": 1}), None),
    (said(signature="AAAA"), None),
]


@pytest.mark.parametrize(("payload", "identity"), SIGNED)
def test_what_says_it_is_signed_is_passed_on_unread(payload: bytes, identity: str | None) -> None:
    assert parse_command(payload, retained=False) == Signed(identity, payload)
    assert parse_command(payload, retained=True) == Refusal(identity, Reason.RETAINED)


_near = st.builds(
    lambda what: json.dumps(what).encode(),
    st.dictionaries(
        st.sampled_from(["command", "id", "stream", "from", "to", "seq", "state", "signature"]),
        st.sampled_from(["resend", "rebirth", "s", "online"])
        | st.integers()
        | st.floats()
        | st.none()
        | st.lists(st.text())
        | st.text(),
    ),
)


@given(st.binary(max_size=200) | _near, st.booleans())
def test_no_garbage_is_an_error(payload: bytes, retained: bool) -> None:
    assert isinstance(parse_command(payload, retained=retained), (Resend, Rebirth, Signed, Refusal))
    assert isinstance(parse_watermark(payload), (Watermark, Refusal))
    assert isinstance(parse_noc(payload), Noc)


@pytest.mark.parametrize(
    ("payload", "watermark"),
    [
        (said(stream="s", seq=7), Watermark(stream="s", seq=7)),
        (said(stream="s", seq=0), Watermark(stream="s", seq=0)),
        (said(stream="s", seq=-1), None),
        (said(stream="s", seq=True), None),
        (said(stream="", seq=1), None),
        (said(stream="s", seq=1, sure=True), None),
        (said(seq=1), None),
    ],
)
def test_a_watermark_names_a_stream_and_a_number(payload: bytes, watermark: Watermark | None) -> None:
    assert parse_watermark(payload) == (watermark or Refusal(None, Reason.MALFORMED))


@pytest.mark.parametrize(
    ("payload", "noc"),
    [
        (b'{"state":"online","since":"2026"}', Noc.ONLINE),
        (b'{"state":"offline"}', Noc.OFFLINE),
        (b'{"state":"unknown"}', Noc.UNKNOWN),
        (b'{"state":["online"]}', Noc.UNKNOWN),
        (b"", Noc.UNKNOWN),
        (b"[" * 5000, Noc.UNKNOWN),
        (b"[" * 4000, Noc.UNKNOWN),
        (b"9" * 4096, Noc.UNKNOWN),
    ],
)
def test_the_noc_is_there_only_if_it_says_so(payload: bytes, noc: Noc) -> None:
    assert parse_noc(payload) is noc
