"""Digest authentication as a SIP client needs it: a challenge is read, its answer is written.

RFC 3261 section 22, RFC 7616, RFC 8760: MD5 and SHA-256, with qop=auth or, as before RFC 2617, without. What a
challenge gives us to repeat is repeated as it came, so nothing passes that could end a header line or a quoted string.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from probes.errors import PeerError

VALUE_MAX = 512
"""Characters of one parameter; a nonce has below 200."""

_HASH = {"MD5": "md5", "SHA-256": "sha256"}
# Of a quoted string what it holds, escapes as they came: both sides hash and repeat it so.
_PARAMETER = re.compile(r'\s*+([A-Za-z0-9_-]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s,"\\]++))\s*+(?:,|\Z)')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registrar or proxy wants answered. Texts as they stood between the quotes."""

    realm: str
    nonce: str
    algorithm: str
    """"MD5" or "SHA-256"."""
    told: bool
    """It named the algorithm; else MD5 is meant, and not repeated."""
    opaque: str | None
    auth: bool
    """qop=auth is wanted; else no qop at all."""
    stale: bool
    """Only the nonce was too old: user and password were right."""


@dataclass(frozen=True, slots=True)
class Credentials:
    user: str
    password: str = field(repr=False)


def choose(challenges: Iterable[str]) -> Challenge | None:
    """The first one that we can answer, which is the one the peer likes best (RFC 8760 section 2.4).

    `challenges` are the values of WWW-Authenticate or Proxy-Authenticate. None if we can answer none of them. Raises
    PeerError for one that is garbage.
    """
    return next((read for value in challenges if (read := read_challenge(value)) is not None), None)


def read_challenge(value: str) -> Challenge | None:
    """One challenge; None if its scheme, algorithm or qop is none of ours. Raises PeerError for garbage."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    told = _parameters(rest)
    if "realm" not in told or "nonce" not in told:
        raise PeerError(f"SIP challenge without realm or nonce: {value[:80]!r}")
    algorithm = told.get("algorithm", "MD5").upper()
    qops = {qop.strip().lower() for qop in told["qop"].split(",")} if "qop" in told else set()
    if algorithm not in _HASH or (qops and "auth" not in qops):
        return None
    return Challenge(
        realm=told["realm"],
        nonce=told["nonce"],
        algorithm=algorithm,
        told="algorithm" in told,
        opaque=told.get("opaque"),
        auth=bool(qops),
        stale=told.get("stale", "").lower() == "true",
    )


def authorization(
    challenge: Challenge, credentials: Credentials, method: str, uri: str, *, cnonce: str, count: int = 1
) -> str:
    """The value of the Authorization or Proxy-Authorization header, of characters up to U+00FF that stand for bytes.

    `count` is how often this challenge is answered with this: the same one again would be a replay.
    """
    counted = f"{count:08x}"
    parts = [
        f'username="{credentials.user.encode().decode("latin-1")}"',
        f'realm="{challenge.realm}"',
        f'nonce="{challenge.nonce}"',
        f'uri="{uri}"',
        f'response="{_response(challenge, credentials, method, uri, cnonce, counted)}"',
    ]
    if challenge.told:
        parts.append(f"algorithm={challenge.algorithm}")
    if challenge.auth:
        parts += ["qop=auth", f"nc={counted}", f'cnonce="{cnonce}"']
    if challenge.opaque is not None:
        parts.append(f'opaque="{challenge.opaque}"')
    return "Digest " + ", ".join(parts)


def _response(challenge: Challenge, credentials: Credentials, method: str, uri: str, cnonce: str, counted: str) -> str:
    """RFC 7616 section 3.4.1; without qop, section 3.2.2.1 of RFC 2617."""

    def digest(*parts: bytes) -> bytes:
        return hashlib.new(_HASH[challenge.algorithm], b":".join(parts), usedforsecurity=False).hexdigest().encode()

    # What the peer gave is hashed byte for byte as it came (headers are read as Latin-1); what is ours is UTF-8.
    nonce = challenge.nonce.encode("latin-1")
    who = digest(credentials.user.encode(), challenge.realm.encode("latin-1"), credentials.password.encode())
    what = digest(method.encode(), uri.encode())
    if not challenge.auth:
        return digest(who, nonce, what).decode()
    return digest(who, nonce, counted.encode(), cnonce.encode(), b"auth", what).decode()


def _parameters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        parameter = _PARAMETER.match(text, at)
        if parameter is None:
            raise PeerError(f"no SIP challenge: {text[at : at + 80]!r}")
        value = parameter[2] if parameter[2] is not None else parameter[3]
        if len(value) > VALUE_MAX or _CONTROL.search(value):
            raise PeerError(f"{parameter[1]} of a SIP challenge is {value[:80]!r}")
        found.setdefault(parameter[1].lower(), value)
        at = parameter.end()
    return found
