"""By which door a link leaves: our address as a STUN server sees it, and the first routers on the way there.

Diversity that is only configured is a hope: the router may have forgotten a pin, two contracts may share a provider. A
reading is given at every look, also where nothing answers; what those of two links say together is `probes.door`.
Routers are asked by binding requests that die on the way, so a firewall needs no second rule, and a server that is
nearer than thought gets what it understands.

A look at a healthy link over IPv4 costs 108 B of STUN, both ways, and for each hop 48 B out and up to 96 B back: 0.5 kB
with three hops (0.7 kB over IPv6; each silent hop or server costs up to 0.15 kB more). Every 60 s that is 24 MB a
month: for a line without a meter. Every 600 s it is 2.4 MB, an eighth of a small cellular budget of 20 MB.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

import structlog
from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress

from probes import hops
from probes.door import moved, same_door
from probes.line_reading import ExitReading
from probes.packets import stun
from probes.prober import Answered, Pin, Refused, probe
from probes.stun import StunTarget

__all__ = ["ExitSettings", "look", "moved", "same_door", "watch_exit"]

_ASKS = 3
_LEAST_BETWEEN_S = 1.0  # however often somebody wants to know again

_log = structlog.get_logger()


class ExitSettings(BaseModel):
    """`[links.NAME.exit]`: whom to ask by which door the link leaves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: IPvAnyAddress
    """Of a STUN server outside, such as the NOC's: the same one for all links, or their ways cannot be compared."""
    port: Annotated[int, Field(ge=1, le=65535)] = stun.PORT
    hops: Annotated[int, Field(ge=1, le=6)] = 3
    """Routers to name. The second is usually the provider's; one more for each modem that routes."""
    timeout_s: Annotated[float, Field(ge=0.1, le=5)] = 1.0
    """So long an answer is waited for: three times that of the server, twice that of a router."""
    every_s: Annotated[float, Field(ge=10, le=86400)] = 60.0
    """600 or more on a link with a meter."""

    @property
    def look_bytes(self) -> int:
        """What one look costs where everybody answers in full, both directions, IP headers included."""
        header = 48 if self.address.version == 6 else 28
        request, response = header + 20, header + 20 + (24 if self.address.version == 6 else 12)
        return request + response + self.hops * (2 * request + header)


async def watch_exit(
    link: str,
    pin: Pin,
    settings: ExitSettings,
    emit: Callable[[ExitReading], None],
    *,
    again: asyncio.Event | None = None,
    spent: Callable[[int], None] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Looks every `settings.every_s` until cancelled, and at once (1 s after the last look at the soonest) when `again`
    is set: after a failover one wants the proof now. `spent` is told the bytes each look cost at most.
    """
    before: ExitReading | None = None
    wanted = again or asyncio.Event()
    while True:
        wanted.clear()
        began_s = monotonic()
        reading = await look(link, pin, settings, monotonic=monotonic)
        _tell(before, reading)
        before = reading
        emit(reading)
        if spent is not None:
            spent(settings.look_bytes)
        await asyncio.sleep(max(0.0, began_s + _LEAST_BETWEEN_S - monotonic()))
        with suppress(TimeoutError):
            await asyncio.wait_for(wanted.wait(), max(0.0, began_s + settings.every_s - monotonic()))


async def look(
    link: str, pin: Pin, settings: ExitSettings, *, monotonic: Callable[[], float] = time.monotonic
) -> ExitReading:
    """One look, of at most three times `timeout_s`. What does not answer is None, or missing among the hops."""
    request = stun.encode_request(secrets.token_bytes(stun.TRANSACTION_SIZE))
    async with asyncio.TaskGroup() as both:
        mapped = both.create_task(_mapped(pin, settings))
        routers = both.create_task(
            hops.walk(
                settings.address,
                settings.port,
                pin,
                hops=settings.hops,
                payload=request,
                timeout_s=hops.TRIES * settings.timeout_s,
            )
        )
    return ExitReading(link, monotonic(), mapped.result(), routers.result())


async def _mapped(pin: Pin, settings: ExitSettings) -> str | None:
    target = StunTarget(address=settings.address, port=settings.port)
    for _ in range(_ASKS):
        match await probe(target, pin, timeout_s=settings.timeout_s):
            case Answered(mapped=mapped):
                return mapped
            case Refused():
                return None
    return None


def _tell(before: ExitReading | None, now: ExitReading) -> None:
    same = before is not None and (before.mapped, before.hops) == (now.mapped, now.hops)
    log = _log.debug if same else _log.info
    log("link_exit", link=now.link, mapped=now.mapped, hops=now.hops)
