from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.errors import PeerError
from probes.packets.sip_contact import Binding, read_bindings

HOUR_S = 3600


@pytest.mark.parametrize(
    ("contacts", "expires", "bindings"),
    [
        pytest.param([], None, [], id="none"),
        pytest.param(["<sip:17@10.0.0.5:5060>;expires=42"], None, [("sip:17@10.0.0.5:5060", 42, None)], id="one"),
        pytest.param(
            # RFC 3261 section 20.10
            ['"Mr. Watson" <sip:watson@bell.com>;q=0.7; expires=3600, "Mr. W" <sips:w@bell.com> ;q=0.1'],
            None,
            [("sip:watson@bell.com", 3600, 0.7), ("sips:w@bell.com", None, 0.1)],
            id="several in one header",
        ),
        pytest.param(
            ["<sip:a@b>", "<sip:c@d>"], "60", [("sip:a@b", 60, None), ("sip:c@d", 60, None)], id="two headers"
        ),
        pytest.param(["<sip:a@b>;expires=0"], "60", [], id="expired"),
        pytest.param(["<sip:a@b>;expires=000, <sip:c@d>"], "0", [], id="expired by the header, too"),
        pytest.param(["<sip:a@b>;expires=5"], "0", [("sip:a@b", 5, None)], id="its own word goes first"),
        pytest.param(["<sip:a@b>;expires=soon"], None, [("sip:a@b", HOUR_S, None)], id="no number"),
        pytest.param(["<sip:a@b>;expires=" + "9" * 4000], None, [("sip:a@b", 2**32 - 1, None)], id="far too long"),
        pytest.param(["<sip:a@b>;expires=" + "0" * 40 + "7"], None, [("sip:a@b", 7, None)], id="leading zeros"),
        pytest.param(
            ["sip:a@b;transport=tcp"], None, [("sip:a@b", None, None)], id="bare: what follows is the binding's"
        ),
        pytest.param(["<sip:a@b;expires=0;lr>"], None, [("sip:a@b;expires=0;lr", None, None)], id="the URI's own"),
        pytest.param(
            ['"a, \\"b\\" <x>;" <sip:a,b@c>;+sip.instance="<urn:uuid:0, ;expires=0>";EXPIRES = 9'],
            None,
            [("sip:a,b@c", 9, None)],
            id="commas and brackets where they mean nothing",
        ),
        pytest.param(["tel:+15551234;q=2"], None, [("tel:+15551234", None, None)], id="a preference beyond 1 is none"),
        pytest.param(["Anna B <sip:a@b>;q=1.000"], None, [("sip:a@b", None, 1.0)], id="a name without quotes"),
    ],
)
def test_c1_every_writing_of_a_list_of_bindings_is_read(
    contacts: list[str], expires: str | None, bindings: list[tuple[str, int | None, float | None]]
) -> None:
    assert read_bindings(contacts, expires) == tuple(Binding(*each) for each in bindings)


@pytest.mark.parametrize(
    "contact",
    [
        "",
        "*",
        ",",
        "<>",
        "<sip:a@b",
        "sip:a@b>",
        "<sip:a@b>,",
        "<sip:a@b> x",
        "<sip:a@b>;;",
        '"x <sip:a@b>',
        "a b",
        "sip:",
        "<no>",
    ],
)
def test_what_is_no_list_of_bindings_is_refused_and_never_an_empty_list(contact: str) -> None:
    """An empty list makes the line unregistered; garbage must not."""
    with pytest.raises(PeerError):
        read_bindings([contact])


PIECES = (
    "<",
    ">",
    '"',
    "\\",
    ",",
    ";",
    "=",
    " ",
    "sip:",
    "a@b",
    "expires",
    "q",
    "0",
    "<sip:a@b>",
    ";expires=0",
    "\xff",
    "*",
)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=60))
def test_garbage_raises_nothing_but_the_room_s_error(value: str) -> None:
    with suppress(PeerError):
        for binding in read_bindings([value], value):
            assert ":" in binding.uri
            assert binding.expires_s is None or binding.expires_s > 0
