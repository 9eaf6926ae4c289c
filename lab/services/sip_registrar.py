"""How a SIP registrar answers REGISTER, pure: bindings with their ends, digest challenges, one line of the lab's own.

Source: RFC 3261 section 10.3, digest by RFC 7616 and RFC 8760. The lab's line is bound as long as the lab says so; what
else is bound came by REGISTER with Contact. A REGISTER without Contact lists, and changes nothing.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

EXPIRES_S = 3600
LOCAL_LINE_S = 3600
NONCES_MAX = 256
_HASH = {"MD5": "md5", "SHA-256": "sha256"}
_URI = re.compile(r"<?\s*sips?:([^@>;\s]+)@([^>;\s]+)", re.IGNORECASE)
_CONTACT = re.compile(r"<([^>]*)>([^,]*)")
_EXPIRES = re.compile(r";\s*expires\s*=\s*([0-9]{1,9})", re.IGNORECASE)
_GIVEN = re.compile(r'([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')

Fields = Mapping[str, list[str]]
Said = tuple[str, tuple[str, ...]]
"""Status and header lines."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may ask. With no `users` everybody may."""

    users: Mapping[str, str] = field(default_factory=dict)
    realm: str = "lab.test"
    algorithms: tuple[str, ...] = ("SHA-256", "MD5")
    """Offered in this order."""
    qop: bool = True
    nonce_s: float = 60.0
    """How long a nonce is good."""


class Registrar:
    """`line` is the user of the lab's own line, which is registered whenever `answer` is told so."""

    def __init__(self, guard: Guard, line: str | None = None) -> None:
        self._guard, self._line = guard, line
        self._nonces: dict[str, float] = {}
        self._bound: dict[str, dict[str, float]] = {}

    def answer(self, fields: Fields, now_s: float, *, line_is_bound: bool = True) -> Said:
        """Status and header lines for one REGISTER. Fields by long lower-case name."""
        refused = self._challenged(fields, now_s)
        if refused is not None:
            return refused
        whom = _URI.search(fields["to"][0])
        if whom is None:
            return "400 Bad Request", ()
        aor = f"{whom[1]}@{whom[2]}".lower()
        self._change(self._bound.setdefault(aor, {}), fields, now_s)
        listed = {uri: until_s - now_s for uri, until_s in self._bound[aor].items() if until_s > now_s}
        if line_is_bound and whom[1] == self._line:
            listed[f"sip:{self._line}@10.77.0.60:5060"] = LOCAL_LINE_S
        return "200 OK", tuple(f"Contact: <{uri}>;expires={max(1, round(left_s))}" for uri, left_s in listed.items())

    def _change(self, bound: dict[str, float], fields: Fields, now_s: float) -> None:
        contacts = ", ".join(fields.get("contact", ()))
        expires = fields.get("expires", [""])[0]
        otherwise_s = int(expires) if expires.isdecimal() else EXPIRES_S
        if contacts.strip() == "*" and otherwise_s == 0:
            bound.clear()
        for uri, parameters in _CONTACT.findall(contacts):
            own = _EXPIRES.search(parameters)
            bound[uri] = now_s + (int(own[1]) if own else otherwise_s)

    def _challenged(self, fields: Fields, now_s: float) -> Said | None:
        """401, or 400 for an answer that says nothing; None for who may pass."""
        if not self._guard.users:
            return None
        stale = False
        for value in fields.get("authorization", ()):
            given = {name.lower(): quoted or plain for name, quoted, plain in _GIVEN.findall(value)}
            if given.get("realm") != self._guard.realm or not self._right(given):
                continue
            if now_s - self._nonces.get(given["nonce"], -1e9) <= self._guard.nonce_s:
                return None
            stale = True
        return "401 Unauthorized", tuple(self._challenges(now_s, stale=stale))

    def _challenges(self, now_s: float, *, stale: bool) -> Iterable[str]:
        while len(self._nonces) >= NONCES_MAX:
            del self._nonces[next(iter(self._nonces))]
        nonce = secrets.token_hex(16)
        self._nonces[nonce] = now_s
        for algorithm in self._guard.algorithms:
            more = (', qop="auth"' if self._guard.qop else "") + (", stale=true" if stale else "")
            yield f'WWW-Authenticate: Digest realm="{self._guard.realm}", nonce="{nonce}", algorithm={algorithm}{more}'

    def _right(self, given: Mapping[str, str]) -> bool:
        made = _HASH.get(given.get("algorithm", "MD5").upper())
        password = self._guard.users.get(given.get("username", ""))
        if made is None or password is None or not {"nonce", "uri", "response"} <= given.keys():
            return False

        def digest(*parts: str) -> str:
            return hashlib.new(made, ":".join(parts).encode()).hexdigest()

        who, what = digest(given["username"], self._guard.realm, password), digest("REGISTER", given["uri"])
        counted = [given.get("nc", ""), given.get("cnonce", ""), "auth"] if self._guard.qop else []
        return secrets.compare_digest(given["response"], digest(who, given["nonce"], *counted, what))
