import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ups.nut_wire import (
    MAX_LINE_BYTES,
    MAX_ROWS,
    Cmd,
    Err,
    Listing,
    NutPeerError,
    NutUsageError,
    Ok,
    Reply,
    ReplyReader,
    Text,
    Ups,
    Var,
    encode,
    split_words,
)


def replies(data: bytes, *, chunk: int | None = None) -> list[Reply]:
    reader, found = ReplyReader(), []
    for at in range(0, len(data), chunk or max(1, len(data))):
        reader.feed(data[at : at + (chunk or len(data))])
        while (reply := reader.next_reply()) is not None:
            found.append(reply)
    return found


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("VER",), b"VER\n"),
        (("GET", "VAR", "ups-1", "battery.charge"), b"GET VAR ups-1 battery.charge\n"),
        (("PASSWORD", "pa ss"), b'PASSWORD "pa ss"\n'),
        (("PASSWORD", 'a"b\\c'), b'PASSWORD "a\\"b\\\\c"\n'),
        (("PASSWORD", "é#=€"), 'PASSWORD "é#=€"\n'.encode()),
        (("SET", "VAR", "u", "v", ""), b'SET VAR u v ""\n'),
    ],
)
def test_requests_are_quoted_as_upsd_reads_them(words: tuple[str, ...], line: bytes) -> None:
    assert encode(*words) == line


@pytest.mark.parametrize(
    "words", [(), ("PASSWORD", "a\nINSTCMD u load.off"), ("X", "\0"), ("X", "\ud800"), ("X", "y" * 5000)]
)
def test_what_would_break_the_line_is_our_mistake(words: tuple[str, ...]) -> None:
    with pytest.raises(NutUsageError):
        encode(*words)


def test_a_password_that_cannot_be_sent_is_not_shown() -> None:
    with pytest.raises(NutUsageError) as caught:
        encode("PASSWORD", "s3cret\n")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('VAR su700 ups.mfr "APC"', ["VAR", "su700", "ups.mfr", "APC"]),
        (r'VAR u v "a \"b\" \\c"', ["VAR", "u", "v", r'a "b" \c']),
        (r"a\ b c\"d", ["a b", 'c"d']),
        ('x"y z"w  ""\tend', ["xy zw", "", "end"]),
        ("it's # = fine", ["it's", "#", "=", "fine"]),
        ("\u00a0 é", ["\u00a0", "é"]),
        ("", []),
    ],
)
def test_words_are_split_as_nut_quotes_them(line: str, words: list[str]) -> None:
    assert split_words(line) == words


@pytest.mark.parametrize("line", ['a "b', 'a b"', "a\\", '"a\\', 'x "y" "z'])
def test_an_open_quote_or_backslash_is_garbage(line: str) -> None:
    with pytest.raises(NutPeerError):
        split_words(line)


@pytest.mark.parametrize(
    "line", ['VAR "' + "a" * 4000, 'VAR "' + "\\a" * 2000, 'a"b"' * 900 + '"', 'VAR "' + "a\\" * 1999]
)
def test_a_hostile_line_is_refused_without_trying_every_way_to_read_it(line: str) -> None:
    started_s = time.process_time()
    with pytest.raises(NutPeerError):
        split_words(line)
    assert time.process_time() - started_s < 10  # 0.1 ms when linear, hours when not


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'VAR network ups.status "OL CHRG"\n', Var("network", "ups.status", "OL CHRG")),
        (b'VAR n ups.model ""\r\n', Var("n", "ups.model", "")),
        (b'UPS network "Core \\"A\\""\n', Ups("network", 'Core "A"')),
        (b"OK\n", Ok()),
        (b"OK STARTTLS\n", Ok(("STARTTLS",))),
        (b"OK TRACKING 1bd31808-cb49\n", Ok(("TRACKING", "1bd31808-cb49"))),
        (b"ERR UNKNOWN-UPS\n", Err("UNKNOWN-UPS")),
        (b"ERR ACCESS-DENIED go away\n", Err("ACCESS-DENIED", "go away")),
        (b"PENDING\n", Text("PENDING")),
        (b'upsd "2.8 - http://x\n', Text('upsd "2.8 - http://x')),
        (b"BEGIN LIST VAR n\nEND LIST VAR n\n", Listing(("VAR", "n"), ())),
        (
            b'BEGIN LIST UPS\nUPS a "A"\nUPS b "B"\nEND LIST UPS\n',
            Listing(("UPS",), (Ups("a", "A"), Ups("b", "B"))),
        ),
        (b"BEGIN LIST CMD n\nCMD n load.off\nEND LIST CMD n\n", Listing(("CMD", "n"), (Cmd("n", "load.off"),))),
        (b'VAR n ups.model "\xe9\x1b[31m"\n', Var("n", "ups.model", "\ufffd\ufffd[31m")),
    ],
)
def test_each_reply_is_read_whole_and_byte_by_byte(data: bytes, expected: Reply) -> None:
    assert replies(data) == [expected]
    assert replies(data, chunk=1) == [expected]


def test_only_a_tracked_ok_has_a_tracking_id() -> None:
    assert Ok(("TRACKING", "7")).tracking == "7"
    assert Ok(("Goodbye",)).tracking is None
    assert Ok().tracking is None


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"   \n",
        b"VAR network ups.status\n",
        b"VAR a b c d\n",
        b"UPS a\n",
        b"CMD a\n",
        b"ERR\n",
        b"BEGIN VAR n\n",
        b"BEGIN LIST\n",
        b"END LIST VAR n\n",
        b"BEGIN LIST VAR n\nBEGIN LIST VAR n\n",
        b"BEGIN LIST VAR n\nEND LIST VAR m\n",
        b"BEGIN LIST VAR n\nOK\n",
        b"BEGIN LIST VAR n\nERR DATA-STALE\n",
        b"BEGIN LIST VAR n\nhello\n",
        b'VAR n v "open\n',
        b"x" * MAX_LINE_BYTES,
        b"x" * (MAX_LINE_BYTES + 100) + b"\n",
        b"BEGIN LIST CMD n\n" + b"CMD n c\n" * (MAX_ROWS + 1),
    ],
)
def test_garbage_is_the_rooms_error(data: bytes) -> None:
    with pytest.raises(NutPeerError):
        replies(data)


def test_the_longest_line_and_the_longest_list_still_pass() -> None:
    assert replies(b"x" * (MAX_LINE_BYTES - 1) + b"\n") == [Text("x" * (MAX_LINE_BYTES - 1))]
    (listing,) = replies(b"BEGIN LIST CMD n\n" + b"CMD n c\n" * MAX_ROWS + b"END LIST CMD n\n")
    assert isinstance(listing, Listing)
    assert len(listing.rows) == MAX_ROWS


def test_a_reader_is_idle_only_between_replies() -> None:
    reader = ReplyReader()
    states = []
    for piece in (b"O", b"K\n", b"BEGIN LIST UPS\n", b"END LIST UPS\n"):
        reader.feed(piece)
        reader.next_reply()
        states.append(reader.idle)
    assert states == [False, True, False, True]


sendable = st.text("aZ09._- \"\\'#=é€\u00a0\u2028\U0001f50b", max_size=40)


@given(st.lists(sendable, min_size=1, max_size=8))
def test_what_is_encoded_is_split_into_the_same_words(words: list[str]) -> None:
    assert split_words(encode(*words).decode().removesuffix("\n")) == words


lines = st.sampled_from(
    [
        b"OK",
        b"ERR X",
        b'VAR n v "1"',
        b"BEGIN LIST VAR n",
        b"END LIST VAR n",
        b'"',
        b"\\",
        b"CMD n c",
        b"\xff\x16\x03",
        b"",
    ]
)


@given(st.lists(st.one_of(lines, st.binary(max_size=30)), max_size=12), st.integers(1, 40))
def test_any_bytes_in_any_pieces_give_the_same_replies_or_the_rooms_error(parts: list[bytes], chunk: int) -> None:
    def outcome(size: int | None) -> list[Reply] | str:
        try:
            return replies(b"\n".join(parts), chunk=size)
        except NutPeerError:
            return "garbage"

    assert outcome(None) == outcome(chunk)
