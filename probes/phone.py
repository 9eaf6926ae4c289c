"""The direct phone line: is its endpoint there? Asked by SIP OPTIONS, judged over consecutive probes.

One success proves the line, `fails_to_dead` failures in a row prove it dead; probes that our own host could not send
prove nothing, and make it unknown. A first failure quickens the pace. Who would pick up is not known here.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import structlog

from probes.phone_settings import PhoneSettings
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
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Probe for ever; a reading at the start and one after each probe. `cause` is that of the last probe."""
    line = PhoneLine(None, monotonic())
    emit(PhoneReading(line.since_s, None, line.since_s, PhoneCause.STARTING, None, None))
    while True:
        asked_s = monotonic()
        outcome = await ask_options(settings)
        now_s = monotonic()
        cause = cause_of(outcome, settings.also_alive)
        before, line = line, judge_line(line, cause, now_s, fails_to_dead=settings.fails_to_dead)
        _tell(settings, before, line, cause, outcome)
        emit(PhoneReading(now_s, line.reachable, line.since_s, cause, outcome.rtt_s, outcome.code))
        await asyncio.sleep(max(0.0, asked_s + _pace_s(settings, line) - now_s))


def _pace_s(settings: PhoneSettings, line: PhoneLine) -> float:
    suspected = 0 < line.fails < settings.fails_to_dead
    return min(settings.suspect_interval_s, settings.interval_s) if suspected else settings.interval_s


def _tell(settings: PhoneSettings, before: PhoneLine, line: PhoneLine, cause: PhoneCause, outcome: SipOutcome) -> None:
    log = _log.debug if before.reachable is line.reachable else _log.info
    log("phone line", uri=settings.uri, reachable=line.reachable, cause=cause.value, sip_code=outcome.code)
