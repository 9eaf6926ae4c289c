import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.errors import PeerError
from lab.services.webrtc_signalling import from_line, to_line


@given(st.text())
def test_what_is_said_is_heard(sdp: str) -> None:
    line = to_line("offer", sdp)
    assert line.count(b"\n") == 1
    assert from_line(line, "offer") == sdp


@pytest.mark.parametrize("line", [b"", b"\n", b"[]\n", b"{}\n", b'{"offer": 1}\n', b'{"answer": "v=0"}\n', b"\xff\n"])
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(PeerError, match="offer"):
        from_line(line, "offer")


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(lambda value: json.dumps(value).encode()))
def test_garbage_raises_nothing_but_the_rooms_error(line: bytes) -> None:
    with contextlib.suppress(PeerError):
        from_line(line, "answer")
