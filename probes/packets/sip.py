"""SIP as far as two questions need: OPTIONS and a REGISTER that changes nothing are written, responses are read.

RFC 3261 sections 7, 8, 10.2.3, 11 and 18. Read with tolerance where the RFC asks for it (compact names, folded lines,
bare LF, several Vias), but a response counts as ours only if its topmost Via carries our branch and its CSeq our number
and method (section 17.1.3).
"""

import re
from dataclasses import dataclass, field

from probes.errors import PeerError

MESSAGE_MAX = 8_192  # an answer to OPTIONS has below 2 kB; the worst of this size is read in 3 ms

_STATUS_LINE = re.compile(r"SIP/2\.0 +([1-6][0-9]{2})(?: +(.*))?", re.IGNORECASE)
_BRANCH = re.compile(r";\s*branch\s*=\s*([^\s;,]+)", re.IGNORECASE)
_CSEQ = re.compile(r"([0-9]{1,10})\s+([A-Za-z]{1,32})")
_FOLD = re.compile(r"\n[ \t]+")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_COMPACT = {"v": "via", "i": "call-id", "l": "content-length", "m": "contact"}  # section 7.3.3


@dataclass(frozen=True, slots=True)
class Transaction:
    """What makes one request unlike any other. `branch` must start with the magic cookie `z9hG4bK`."""

    transport: str
    sent_by: str
    """Our own host:port, where a peer without RFC 3581 sends its response."""
    branch: str
    tag: str
    call_id: str
    cseq: int


@dataclass(frozen=True, slots=True)
class SipRequest:
    """One request outside any dialog."""

    method: str
    uri: str
    to: str
    """The URI in To."""
    sender: str
    """The URI in From."""
    transaction: Transaction
    more: tuple[str, ...] = ()
    """Further header lines."""

    def encode(self) -> bytes:
        """The request on the wire, with `rport` (RFC 3581): the answer comes back to where we asked from."""
        own = self.transaction
        lines = (
            f"{self.method} {self.uri} SIP/2.0",
            f"Via: SIP/2.0/{own.transport.upper()} {own.sent_by};branch={own.branch};rport",
            "Max-Forwards: 70",
            f"From: <{self.sender}>;tag={own.tag}",
            f"To: <{self.to}>",
            f"Call-ID: {own.call_id}",
            f"CSeq: {own.cseq} {self.method}",
            *self.more,
            "User-Agent: edged",
            "Content-Length: 0",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def options(uri: str, caller: str, transaction: Transaction) -> SipRequest:
    """Are you there? (section 11)"""
    return SipRequest("OPTIONS", uri, uri, caller, transaction, (f"Contact: <{caller}>", "Accept: application/sdp"))


def fetch_bindings(aor: str, registrar: str, transaction: Transaction, credentials: tuple[str, ...] = ()) -> SipRequest:
    """Where is `aor` registered? Without Contact and Expires a REGISTER changes no binding (section 10.2.3).

    `registrar` is the URI of its domain; `credentials` are the lines that answer its challenges.
    """
    return SipRequest("REGISTER", registrar, aor, aor, transaction, credentials)


@dataclass(frozen=True, slots=True)
class SipResponse:
    """What a response says about which request."""

    code: int
    reason: str
    branch: str
    cseq: int
    method: str
    headers: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)
    """Every header line: its long name in lower case, and its value, unfolded. As much the peer's as the body."""
    whole: bool = field(default=True, compare=False)
    """False: it broke off before the empty line that ends the headers, so some may be missing."""

    def answers(self, request: SipRequest) -> bool:
        """True if this is a response to that very request."""
        asked = request.transaction
        return (self.branch, self.cseq, self.method) == (asked.branch, asked.cseq, request.method)

    def values(self, name: str) -> tuple[str, ...]:
        """Of every header line of that name (long, lower case), in order."""
        return tuple(value for header, value in self.headers if header == name)

    @property
    def final(self) -> bool:
        """False for 1xx: the peer only says that it has heard us."""
        return self.code >= 200


def parse_response(message: bytes) -> SipResponse:
    """Read one whole message. Raises PeerError if it is no SIP response, or does not tell what it responds to."""
    if len(message) > MESSAGE_MAX:
        raise PeerError(f"SIP message of {len(message)} bytes is longer than {MESSAGE_MAX}")
    first, *lines = _lines(message.lstrip(b"\r\n"))
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        raise PeerError(f"no SIP status line: {first[:80]!r}")
    every = _headers(lines)
    headers = _first(every)
    via = headers.get("via", "").partition(",")[0]
    branch = _BRANCH.search(via)
    if branch is None:
        raise PeerError(f"SIP response {status[1]} has no branch in its topmost Via: {via[:80]!r}")
    cseq = _CSEQ.fullmatch(headers.get("cseq", ""))
    if cseq is None:
        raise PeerError(f"SIP response {status[1]} has no CSeq: {headers.get('cseq', '')[:80]!r}")
    whole = _HEAD_END.search(message.lstrip(b"\r\n")) is not None
    return SipResponse(int(status[1]), status[2] or "", branch[1], int(cseq[1]), cseq[2], every, whole)


def split_stream(buffer: bytes) -> tuple[bytes, bytes] | None:
    """The first whole message of a byte stream and what follows it; None if more must be read (section 18.3).

    Raises PeerError if the message is longer than MESSAGE_MAX or its Content-Length is no number.
    """
    buffer = buffer.lstrip(b"\r\n")  # keep-alives, section 7.5
    head_end = _HEAD_END.search(buffer)
    if head_end is None:
        if len(buffer) > MESSAGE_MAX:
            raise PeerError(f"SIP header longer than {MESSAGE_MAX} bytes")
        return None
    length = _first(_headers(_lines(buffer[: head_end.start()])[1:])).get("content-length", "0")
    if not (length.isascii() and length.isdecimal() and len(length) <= 6):
        raise PeerError(f"SIP Content-Length is {length[:40]!r}")
    end = head_end.end() + int(length)
    if end > MESSAGE_MAX:
        raise PeerError(f"SIP message of {end} bytes is longer than {MESSAGE_MAX}")
    return (buffer[:end], buffer[end:]) if len(buffer) >= end else None


def _lines(message: bytes) -> list[str]:
    """The lines before the body, folded ones joined. Latin-1: any byte is some character, only ASCII is looked at."""
    head = _HEAD_END.split(message, maxsplit=1)[0].decode("latin-1").replace("\r\n", "\n")
    return _FOLD.sub(" ", head).split("\n")


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    named = (
        (name.strip().lower(), value.strip()) for name, colon, value in (line.partition(":") for line in lines) if colon
    )
    return tuple((_COMPACT.get(name, name), value) for name, value in named)


def _first(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The first value of each header; of several Vias the topmost counts."""
    return dict(reversed(headers))
