"""Is the direct line registered? One question to its registrar, with as many requests as its challenges ask for.

The question is a REGISTER without Contact (RFC 3261 section 10.2.3), which no registrar takes for a change. Every
failure is an outcome. A password goes out once per question: a second refusal in a row is told, not tried again.
"""

import secrets
from dataclasses import dataclass, replace

import structlog

from probes.errors import PeerError
from probes.packets.sip import SipRequest, SipResponse, Transaction, fetch_bindings
from probes.packets.sip_contact import Binding, read_bindings
from probes.packets.sip_digest import Challenge, Credentials, authorization, choose
from probes.phone_settings import RegistrarSettings
from probes.reading import PhoneCause
from probes.sip import Asking, SipPeer, ask

ROUNDS_MAX = 4
"""Requests per question: bare, to a proxy's challenge, to the registrar's, and once more for a nonce gone stale."""

# The challenge's code → where it stands, and where its answer goes (sections 22.2 and 22.3).
_CHALLENGE = {401: ("www-authenticate", "Authorization"), 407: ("proxy-authenticate", "Proxy-Authorization")}

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """How one question ended. NONE: the line is registered. UNREGISTERED: the registrar says that it is not. DENIED:
    our user or password is wrong or missing. Any other: no answer that can be used.
    """

    cause: PhoneCause
    code: int | None = None
    bindings: tuple[Binding, ...] = ()


async def ask_registrar(settings: RegistrarSettings, *, source: str | None, timeout_s: float) -> FetchOutcome:
    """Ask once; each of at most ROUNDS_MAX requests takes at most `timeout_s`. Raises nothing but CancelledError."""
    try:
        credentials = _credentials(settings)
    except (OSError, UnicodeDecodeError) as error:
        _log.warning("phone registrar's password cannot be read", error=str(error))
        return FetchOutcome(PhoneCause.UNASKED)
    peer = SipPeer(str(settings.host), settings.port, settings.transport, source, timeout_s)
    asking = Asking()
    answered: dict[int, _Answered] = {}
    for _ in range(ROUNDS_MAX):
        lines = tuple(each.line(settings.uri) for each in answered.values())

        def write(own: Transaction, lines: tuple[str, ...] = lines) -> SipRequest:
            return fetch_bindings(settings.aor, settings.uri, own, lines)

        outcome = await ask(peer, write, asking)
        if outcome.response is None:
            return FetchOutcome(outcome.cause, outcome.code)
        try:
            if outcome.response.code not in _CHALLENGE:
                return read_answer(outcome.response)
            answer = _answer(outcome.response, credentials, again=outcome.response.code in answered)
        except PeerError:
            return FetchOutcome(PhoneCause.MALFORMED, outcome.code)
        if answer is None:
            break
        answered[outcome.response.code] = answer
        asking = replace(asking, cseq=asking.cseq + 1)
    return FetchOutcome(PhoneCause.DENIED, outcome.code)


def read_answer(response: SipResponse) -> FetchOutcome:
    """What a final response that is no challenge says. Raises PeerError for a list of bindings that is none.

    404: no such line (section 10.3, step 5). 403: not for us to ask (steps 4 and 5).
    """
    if response.code == 200:
        expires = response.values("expires")
        bindings = read_bindings(response.values("contact"), expires[0] if expires else None)
        if not bindings and not response.whole:
            raise PeerError("SIP response broke off in its headers, and no binding stands before that")
        return FetchOutcome(PhoneCause.NONE if bindings else PhoneCause.UNREGISTERED, 200, bindings)
    cause = {403: PhoneCause.DENIED, 404: PhoneCause.UNREGISTERED}.get(response.code, PhoneCause.REJECTED)
    return FetchOutcome(cause, response.code)


@dataclass(slots=True)
class _Answered:
    """A challenge that is answered with every request from then on."""

    header: str
    challenge: Challenge
    credentials: Credentials
    count: int = 0

    def line(self, uri: str) -> str:
        """The header line of the next request."""
        self.count += 1
        cnonce = secrets.token_hex(8)
        value = authorization(self.challenge, self.credentials, "REGISTER", uri, cnonce=cnonce, count=self.count)
        return f"{self.header}: {value}"


def _answer(response: SipResponse, credentials: Credentials | None, *, again: bool) -> _Answered | None:
    """How to answer the challenge; None if we have no answer, or gave one that was wrong."""
    asked, header = _CHALLENGE[response.code]
    challenge = choose(response.values(asked))
    if challenge is None or credentials is None or (again and not challenge.stale):
        why = "no password for it" if credentials is None else "unknown method" if challenge is None else "wrong"
        _log.info("phone registrar's challenge is not answered", why=why, sip_code=response.code)
        return None
    return _Answered(header, challenge, credentials)


def _credentials(settings: RegistrarSettings) -> Credentials | None:
    if settings.password_file is not None:
        return Credentials(settings.login, settings.password_file.read_text(encoding="utf-8").strip())
    return None if settings.password is None else Credentials(settings.login, settings.password.get_secret_value())
