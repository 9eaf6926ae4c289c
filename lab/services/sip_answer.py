"""How a telephone adapter answers SIP, pure: OPTIONS with 200, REGISTER where it is a registrar as well, anything else
with 405, garbage not at all.

Source: RFC 3261 (8.2.6 what a response copies, 18.2.2 where it goes, 18.3 how TCP is cut), RFC 3581 (rport).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from lab.services.errors import PeerError
from lab.services.sip_registrar import Fields, Said

Register = Callable[[Fields], Said]
Address = tuple[str, int]

DEFAULT_PORT = 5060
MESSAGE_LIMIT = 65536
CRLF = "\r\n"
COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "l": "content-length", "m": "contact"}
NEEDED = ("via", "from", "to", "call-id", "cseq")
ALLOW = "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE"
OPTIONS_SAY = (ALLOW, "Accept: application/sdp", "Accept-Encoding: identity", "Accept-Language: en", "Supported: ")

_REQUEST_LINE = re.compile(r"([A-Z]+) (sips?:\S+) SIP/2\.0\Z")
_TAG = re.compile(r";\s*tag\s*=", re.IGNORECASE)
_RPORT = re.compile(r";\s*rport\s*(?=;|\Z)", re.IGNORECASE)
_SENT_BY = re.compile(r"SIP\s*/\s*2\.0\s*/\s*\w+\s+(\[[^\]]+\]|[^\s:;,]+)\s*(?::\s*(\d+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """`to` is where it goes over UDP; over TCP it goes back where it came from."""

    text: bytes
    to: Address


def answer(message: bytes, source: Address, tag: str, register: Register | None = None) -> Answer | None:
    """The response to one request from `source`; None where RFC 3261 wants silence (ACK, a response, garbage).

    `tag` becomes the To tag where the request has none. `register` answers a REGISTER; none: that is not allowed.
    """
    try:
        lines = message.decode().split(CRLF + CRLF, 1)[0].split(CRLF)
        fields = _fields(lines[1:])
    except (UnicodeDecodeError, PeerError):
        return None
    request = _REQUEST_LINE.match(lines[0])
    if request is None or request[1] == "ACK" or any(name not in fields for name in NEEDED):
        return None
    own_via, to = _stamped(fields["via"][0], source)
    if own_via is None:
        return None
    whom = fields["to"][0]
    status, says = _said(request[1], fields, register)
    rows = [
        f"SIP/2.0 {status}",
        *(f"Via: {via}" for via in (own_via, *fields["via"][1:])),
        f"From: {fields['from'][0]}",
        f"To: {whom if _TAG.search(whom) else f'{whom};tag={tag}'}",
        f"Call-ID: {fields['call-id'][0]}",
        f"CSeq: {fields['cseq'][0]}",
        *says,
        "Content-Length: 0",
    ]
    return Answer((CRLF.join(rows) + CRLF + CRLF).encode(), to)


def _said(method: str, fields: Fields, register: Register | None) -> Said:
    if method == "OPTIONS":
        return "200 OK", OPTIONS_SAY
    if method == "REGISTER" and register is not None:
        return register(fields)
    return "405 Method Not Allowed", (ALLOW,)


def take_message(buffer: bytearray) -> bytes | None:
    """Remove one whole message from the front of a TCP stream; None while it is not all there.

    Raises PeerError for a message that could never be cut: too long, or without a usable Content-Length.
    """
    while buffer.startswith(b"\r\n"):  # keep-alives between messages (RFC 3261 7.5, RFC 5626)
        del buffer[:2]
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > MESSAGE_LIMIT:
            raise PeerError(f"SIP header of more than {MESSAGE_LIMIT} bytes")
        return None
    try:
        length = _fields(buffer[:end].decode().split(CRLF)[1:]).get("content-length", ["0"])[0]
    except UnicodeDecodeError as error:
        raise PeerError("SIP header is no UTF-8") from error
    if not (length.isascii() and length.isdigit() and len(length) < 6):
        raise PeerError(f"SIP Content-Length is {length!r}")
    size = end + 4 + int(length)
    if len(buffer) < size:
        return None
    message = bytes(buffer[:size])
    del buffer[:size]
    return message


def _fields(lines: list[str]) -> dict[str, list[str]]:
    """Header fields by their long name in lower case. A line that begins with a blank goes on the one before."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line[:1] in (" ", "\t") and name:
            found[name][-1] = f"{found[name][-1]} {line.strip()}".strip()
            continue
        head, colon, value = line.partition(":")
        name = head.strip().lower()
        name = COMPACT.get(name, name)
        if not colon or not name:
            raise PeerError(f"SIP header line {line[:40]!r} has no name")
        values = value.split(",") if name == "via" else [value]
        found.setdefault(name, []).extend(part.strip() for part in values)
    return found


def _stamped(via: str, source: Address) -> tuple[str | None, Address]:
    """The topmost Via with where the request really came from, and where the response goes."""
    sent_by = _SENT_BY.match(via)
    if sent_by is None:
        return None, source
    port = int(sent_by[2] or DEFAULT_PORT)
    if _RPORT.search(via):
        return _RPORT.sub(f";rport={source[1]}", via) + f";received={source[0]}", source
    received = "" if sent_by[1] == source[0] else f";received={source[0]}"
    return via + received, (source[0], port if 0 < port < 65536 else source[1])
