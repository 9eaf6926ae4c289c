"""The direct phone line: is its endpoint there (L1), and is it registered (L2)? Judged over consecutive probes.

One success proves the line, `fails_to_dead` failures in a row prove it dead; probes that our own host could not send
prove nothing, and make it unknown. A first failure quickens the pace. A line that its registrar does not know is dead,
whatever answers OPTIONS: no call is put through to it. Who would pick up is not known here.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import structlog

from probes.phone_registrar import ask_registrar
from probes.phone_registration import Registration, judge_registration, pause_s, told_cause
from probes.phone_settings import PhoneSettings, RegistrarSettings
from probes.reading import PhoneCause, PhoneReading
from probes.sip import SipOutcome, ask_options

# Final codes that are no success, and yet the line is there. RFC 3261 section 11.2: OPTIONS is answered with the code
# that an INVITE would get. These speak of how we asked, or say that the line is in use, maybe for the very call for
# help. Not here: 404, 410, 480, 484, 604 (nobody there to ring), 3xx (elsewhere), 403 and 603 (calls refused), 408 and
# the other 5xx (a PBX that does not reach the line).
ALIVE = {
    400: "Bad Request",
    401: "Unauthorized",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    481: "Call Does Not Exist",
    486: "Busy Here",
    488: "Not Acceptable Here",
    491: "Request Pending",
    493: "Undecipherable",
    501: "Not Implemented",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    606: "Not Acceptable",
}

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PhoneLine:
    """What is held of the line after some probes."""

    reachable: bool | None
    since_s: float
    fails: int = 0
    """Consecutive probes without success."""
    asked_fails: int = 0
    """Consecutive probes that were sent, and failed."""


def cause_of(outcome: SipOutcome, also_alive: Collection[int] = ()) -> PhoneCause:
    """NONE if the outcome is a success: a 2xx, or a code that only a living line gives."""
    if outcome.code is None or 200 <= outcome.code < 300 or outcome.code in ALIVE or outcome.code in also_alive:
        return outcome.cause
    return PhoneCause.REJECTED


def judge_line(line: PhoneLine, cause: PhoneCause, now_s: float, *, fails_to_dead: int) -> PhoneLine:
    """The line after one more probe, which ended with `cause`."""
    if cause is PhoneCause.NONE:
        return PhoneLine(True, line.since_s if line.reachable is True else now_s)
    fails = line.fails + 1
    asked_fails = 0 if cause is PhoneCause.UNASKED else line.asked_fails + 1
    reachable = line.reachable
    if fails >= fails_to_dead:
        reachable = False if asked_fails >= fails_to_dead else None
    return PhoneLine(reachable, line.since_s if reachable is line.reachable else now_s, fails, asked_fails)


async def watch_phone(
    settings: PhoneSettings,
    emit: Callable[[PhoneReading], None],
    *,
    room: str = "",
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Ask the line, and its registrar if there is one, for ever; a reading at the start and one after each answer or
    failure. `cause` is that of the last probe, or the registrar's where that weighs more.
    """
    watch = _Watch(settings, emit, room, monotonic)
    async with asyncio.TaskGroup() as asking:
        asking.create_task(watch.line())
        if settings.registrar is not None:
            asking.create_task(watch.registration(settings.registrar))


class _Watch:
    """Two questions at their own paces, and one reading made of what both have found so far."""

    def __init__(
        self, settings: PhoneSettings, emit: Callable[[PhoneReading], None], room: str, monotonic: Callable[[], float]
    ) -> None:
        self._settings, self._emit, self._room, self._monotonic = settings, emit, room, monotonic
        self._line = PhoneLine(None, monotonic())
        self._registration = None if settings.registrar is None else Registration()
        self._outcome = SipOutcome(PhoneCause.STARTING)
        self._reachable: bool | None = None
        self._since_s = self._line.since_s
        self._say(self._line.since_s)

    async def line(self) -> None:
        while True:
            asked_s = self._monotonic()
            outcome = await ask_options(self._settings)
            now_s = self._monotonic()
            cause = cause_of(outcome, self._settings.also_alive)
            self._outcome = replace(outcome, cause=cause)
            before, fails_to_dead = self._line, self._settings.fails_to_dead
            self._line = judge_line(before, cause, now_s, fails_to_dead=fails_to_dead)
            _tell(self._settings, before, self._line, cause, outcome)
            self._say(now_s)
            await asyncio.sleep(max(0.0, asked_s + _pace_s(self._settings, self._line) - now_s))

    async def registration(self, registrar: RegistrarSettings) -> None:
        source = None if self._settings.source is None else str(self._settings.source)
        held = Registration()
        while True:
            asked_s = self._monotonic()
            outcome = await ask_registrar(registrar, source=source, timeout_s=self._settings.timeout_s)
            now_s = self._monotonic()
            before, held = held, judge_registration(held, outcome, fails_to_dead=self._settings.fails_to_dead)
            self._registration = held
            log = _log.debug if (before.registered, before.cause) == (held.registered, held.cause) else _log.info
            facts = {"registered": held.registered, "cause": held.cause.value, "sip_code": held.code}
            log("phone registration", aor=registrar.aor, bindings=len(outcome.bindings), **facts)
            self._say(now_s)
            wait_s = pause_s(
                held, interval_s=registrar.interval_s, suspect_interval_s=self._settings.suspect_interval_s
            )
            await asyncio.sleep(max(0.0, asked_s + wait_s - now_s))

    def _say(self, now_s: float) -> None:
        held, asked = self._registration, self._outcome
        registered = None if held is None else held.registered
        reachable = False if registered is False else self._line.reachable
        if reachable is not self._reachable:
            self._reachable, self._since_s = reachable, now_s
        cause = told_cause(asked.cause, held)
        code = asked.code if held is None or cause is asked.cause else held.code
        self._emit(
            PhoneReading(now_s, reachable, self._since_s, cause, asked.rtt_s, code, self._room, registered=registered)
        )


def _pace_s(settings: PhoneSettings, line: PhoneLine) -> float:
    suspected = 0 < line.fails < settings.fails_to_dead
    return min(settings.suspect_interval_s, settings.interval_s) if suspected else settings.interval_s


def _tell(settings: PhoneSettings, before: PhoneLine, line: PhoneLine, cause: PhoneCause, outcome: SipOutcome) -> None:
    log = _log.debug if before.reachable is line.reachable else _log.info
    log("phone line", uri=settings.uri, reachable=line.reachable, cause=cause.value, sip_code=outcome.code)
