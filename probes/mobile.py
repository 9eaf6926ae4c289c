"""The mobile workstation (C3): is it there, and in whose network? It says so itself, in a signed heartbeat.

The box only listens. What is not signed, old or repeated is dropped; who signed gets an answer, so that the workstation
knows that it is heard. A heartbeat shows a workstation switched on and a path from its network, not somebody at it.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import cast

import structlog

from probes.errors import MisuseError, PeerError
from probes.mobile_presence import Gate, Presence, heard, silent
from probes.mobile_settings import MobileSettings, read_key
from probes.packets.heartbeat import decode_heartbeat, encode_answer
from probes.reading import MobileReading

ANSWERS_A_SECOND = 20
"""At most, to what is signed and not taken: a recording, or the first heartbeat after a restart."""
LOOK_S = 0.5
"""How late silence may be noticed."""
COMPLAIN_S = 60.0
"""A wrong key is worth one line a minute, not one per packet."""

_log = structlog.get_logger()
_Address = tuple[str, int] | tuple[str, int, int, int]


async def watch_mobile(
    settings: MobileSettings,
    emit: Callable[[MobileReading], None],
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Listen for ever; a reading at the start, at each change, and every `interval_s`.

    Raises MisuseError if it cannot have its address, or its key cannot be read.
    """
    ear = _Ear(settings, read_key(settings.key_file), emit, monotonic)
    loop = asyncio.get_running_loop()
    where = str(settings.address), settings.port
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: ear, local_addr=where)
    except OSError as error:
        raise MisuseError(f"mobile workstation: cannot listen on {where[0]} port {where[1]}: {error}") from error
    try:
        while True:
            ear.look()
            await asyncio.sleep(LOOK_S)
    finally:
        transport.abort()


class _Ear(asyncio.DatagramProtocol):
    """Hears heartbeats, answers them, and tells what changed."""

    def __init__(
        self,
        settings: MobileSettings,
        key: bytes,
        emit: Callable[[MobileReading], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._settings, self._key, self._emit, self._monotonic = settings, key, emit, monotonic
        self._gate = Gate(secrets.token_bytes(32))
        now_s = monotonic()
        self._held, self._told = Presence(None, now_s, now_s), Presence(None, now_s, now_s)
        self._told_s = self._complained_s = float("-inf")
        self._second, self._answers = 0, 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: _Address) -> None:
        now_s = self._monotonic()
        try:
            heartbeat = decode_heartbeat(data, self._key)
        except PeerError as error:
            self._complain(str(error), addr, now_s)
            return
        answer = self._gate.judge(heartbeat, now_s)
        # What is taken is answered beyond the bound: nobody can repeat that, and without answers the next one is stale.
        if self._transport is not None and (answer.taken or self._may_answer(now_s)):
            self._transport.sendto(encode_answer(answer, self._key), addr)
        if answer.taken:
            self._held = heard(self._held, heartbeat, now_s)
            self._tell(now_s)

    def look(self) -> None:
        """Notice silence, and tell what is due."""
        now_s = self._monotonic()
        self._held = silent(self._held, now_s, silence_s=self._settings.silence_s)
        self._tell(now_s)

    def _tell(self, now_s: float) -> None:
        held, told = self._held, self._told
        changed = (held.heard, held.mcc_mnc, held.asn, held.registered) != (
            *(told.heard, told.mcc_mnc, told.asn, told.registered),
        )
        if not changed and now_s - self._told_s < self._settings.interval_s:
            return
        self._told, self._told_s = held, now_s
        if changed:
            _log.info("mobile workstation", heard=held.heard, mcc_mnc=held.mcc_mnc, asn=held.asn)
        self._emit(MobileReading(now_s, held.heard, held.since_s, held.mcc_mnc, held.asn, held.registered))

    def _may_answer(self, now_s: float) -> bool:
        second = int(now_s)
        self._answers = self._answers + 1 if second == self._second else 1
        self._second = second
        return self._answers <= ANSWERS_A_SECOND

    def _complain(self, why: str, addr: _Address, now_s: float) -> None:
        late = now_s - self._complained_s >= COMPLAIN_S
        if late:
            self._complained_s = now_s
        (_log.warning if late else _log.debug)("no heartbeat of the mobile workstation", peer=addr[0], why=why)
