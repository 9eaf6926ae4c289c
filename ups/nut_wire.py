"""NUT's line protocol (RFC 9271) as values: words become a request line, bytes become replies. No socket is known here.

Rule: one request earns exactly one reply, and a whole list from BEGIN to END is one reply. What does not fit the
grammar or its bounds is `NutPeerError` and nothing else; after it the reader is of no more use.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_LINE_BYTES = 4096
"""upsd 2.8 builds lines of at most 1,024 bytes; four times that is no UPS any more."""
MAX_ROWS = 640
"""A UPS tells 30–150 variables, a PDU with 42 outlets some 550. 640 rows are read in 4.5 ms: the loop may stand 5."""


class NutError(Exception):
    """Anything that went wrong between edged and an upsd."""


class NutPeerError(NutError):
    """The peer broke the protocol, fell silent, or the connection to it broke: nothing more may be read from it."""


class NutUsageError(NutError):
    """We asked for something that cannot be sent, or configured something that cannot be used."""


class NutRefused(NutError):
    """The peer answered ERR: a proper answer, the connection is as good as before. `code` is RFC 9271's."""

    def __init__(self, peer: str, asked: str, code: str, text: str = "") -> None:
        super().__init__(f"{peer}: {asked} was refused: {code} {text}".rstrip())
        self.code = code


@dataclass(frozen=True, slots=True)
class Var:
    ups: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Ups:
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Cmd:
    ups: str
    name: str


Row = Var | Ups | Cmd


@dataclass(frozen=True, slots=True)
class Listing:
    query: tuple[str, ...]
    """What was listed, as the peer repeats it: ("VAR", "network")."""
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Ok:
    note: tuple[str, ...] = ()

    @property
    def tracking(self) -> str | None:
        """The id to ask GET TRACKING for, when tracking is on."""
        return self.note[1] if len(self.note) == 2 and self.note[0] == "TRACKING" else None


@dataclass(frozen=True, slots=True)
class Err:
    code: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A line without a keyword of ours: what VER, NETVER and GET TRACKING answer."""

    text: str


Reply = Row | Listing | Ok | Err | Text


def encode(*words: str) -> bytes:
    """One request line. Raises NutUsageError for words that would break it, never showing them: passwords pass here."""
    for place, word in enumerate(words):
        if _UNSENDABLE.search(word):
            raise NutUsageError(f"word {place} of {words[0]!r} holds a control character")
    line = " ".join(map(_quoted, words)).encode() + b"\n"
    if not words or len(line) > MAX_LINE_BYTES:
        raise NutUsageError(f"a request of {len(words)} words and {len(line)} bytes is no NUT request")
    return line


def split_words(line: str) -> list[str]:
    """Words as NUT quotes them: "…" groups, a backslash takes the next character as it is, in and outside of quotes.

    Raises NutPeerError for a quote or a backslash left open.
    """
    words: list[str] = []
    at = 0
    while at < len(line):
        if line[at] in " \t":
            at += 1
            continue
        found = _WORD.match(line, at)
        if found is None or (found.end() < len(line) and line[found.end()] not in " \t"):
            raise NutPeerError(f"open quote or backslash in {_shown(line)}")
        word = found[0]
        words.append(word if _PLAIN.fullmatch(word) else _QUOTING.sub(_unquoted, word))
        at = found.end()
    return words


class ReplyReader:
    """Bytes in as they come, replies out when they are whole. Holds at most one line and one list."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._query: tuple[str, ...] | None = None
        self._rows: list[Row] = []

    @property
    def idle(self) -> bool:
        """True when nothing of a further reply has arrived."""
        return not self._bytes and self._query is None

    def feed(self, data: bytes) -> None:
        self._bytes += data

    def next_reply(self) -> Reply | None:
        """The next whole reply, None until more bytes are fed. Raises NutPeerError on garbage."""
        while (line := self._next_line()) is not None:
            reply = self._take(line)
            if reply is not None:
                return reply
        return None

    def _next_line(self) -> str | None:
        end = self._bytes.find(b"\n", 0, MAX_LINE_BYTES)
        if end < 0:
            if len(self._bytes) >= MAX_LINE_BYTES:
                raise NutPeerError(f"a line of more than {MAX_LINE_BYTES} bytes")
            return None
        raw = bytes(self._bytes[:end]).removesuffix(b"\r")
        del self._bytes[: end + 1]
        # A broken byte in a model's name must not blind us to the power: it is replaced, not refused. The same goes for
        # control characters, which would reach a terminal in the end.
        return _CONTROL.sub("\ufffd", raw.decode("utf-8", "replace"))

    def _take(self, line: str) -> Reply | None:
        words = split_words(line) if line.split(" ", 1)[0] in _KEYWORDS else []
        match words:
            case ["BEGIN", "LIST", *query] if query and self._query is None:
                self._query = tuple(query)
                return None
            case ["END", "LIST", *query] if self._query == tuple(query):
                listing = Listing(tuple(query), tuple(self._rows))
                self._query, self._rows = None, []
                return listing
            case ["BEGIN" | "END", *_]:
                raise NutPeerError(f"list bounds out of place: {_shown(line)}")
        reply = _reply(line, words)
        if self._query is None:
            return reply
        if not isinstance(reply, Var | Ups | Cmd) or len(self._rows) >= MAX_ROWS:
            raise NutPeerError(f"row {len(self._rows)} of list {' '.join(self._query)} is {_shown(line)}")
        self._rows.append(reply)
        return None


_KEYWORDS = frozenset({"VAR", "UPS", "CMD", "BEGIN", "END", "OK", "ERR"})
# Possessive (++): nothing is tried twice, so a hostile line costs no more than an honest one.
_WORD = re.compile(r'(?:[^ \t"\\]++|\\.|"(?:[^"\\]++|\\.)*+")++')
_QUOTING = re.compile(r'\\(.)|"')
_PLAIN = re.compile(r"[A-Za-z0-9._:+-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def _reply(line: str, words: Sequence[str]) -> Reply:
    match words:
        case []:
            if not line.strip():
                raise NutPeerError("an empty line")
            return Text(line)
        case ["VAR", ups, name, value]:
            return Var(ups, name, value)
        case ["UPS", name, description]:
            return Ups(name, description)
        case ["CMD", ups, name]:
            return Cmd(ups, name)
        case ["OK", *note]:
            return Ok(tuple(note))
        case ["ERR", code, *text]:
            return Err(code, " ".join(text))
        case _:
            raise NutPeerError(f"not a NUT reply: {_shown(line)}")


def _unquoted(mark: re.Match[str]) -> str:
    return mark[1] or ""


def _quoted(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shown(line: str) -> str:
    return repr(line if len(line) <= 80 else line[:80] + "…")
