"""The process's one SNMP engine and its sockets, with pysnmp's edges filed off. Nothing that arrives can raise out of
it.

What pysnmp 7.1 does and this does not:
- Exceptions from undecodable datagrams reach the event loop's handler. Here they are counted by sender and logged at
  debug.
- Its timers run on the wall clock: set back by NTP, no request would time out. Here they run on the loop's clock.
- It forgets a v3 peer's clock 300 s after *each* message, so from the sixth minute on every poll is asked twice. Here
  once per 300 s.
- It never lets go of a v3 peer's engine id while the peer is silent: a router that comes back with another one would
  stay unheard. Here `forget_peers()`.
- Its engine takes some 100 ms to make. Here that happens in a thread.

Datagrams from where we never asked, those larger than any answer and those of a flood are not decoded at all.
"""

import asyncio
import socket
from typing import Any, Self

import structlog
from pyasn1.error import PyAsn1Error
from pysnmp.carrier.asyncio.dgram import udp, udp6
from pysnmp.carrier.asyncio.dispatch import AsyncioDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.error import PySnmpError
from pysnmp.proto.mpmod.rfc3412 import SnmpV3MessageProcessingModel
from pysnmp.proto.secmod.rfc3414.service import SnmpUSMSecurityModel

log = structlog.get_logger()

TRANSPORTS = {
    socket.AF_INET: (udp.DOMAIN_NAME, udp.UdpAsyncioTransport, ("0.0.0.0", 0)),
    socket.AF_INET6: (udp6.DOMAIN_NAME, udp6.Udp6AsyncioTransport, ("::", 0)),
}
MAX_DATAGRAM = 4096
"""More than 50 OIDs with names of 64 bytes each."""
MAX_ANSWERS = 16
"""Per question. SNMPv3 needs up to 4 (two reports, a late answer, the answer); garbage costs up to 1 ms each."""
FORGET_AFTER_S = 300.0

UNDECODABLE = (
    PySnmpError,
    PyAsn1Error,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What pysnmp and pyasn1 let escape on garbage: found by feeding them mutated answers."""
PARSE_COUNTERS = (("__SNMPv2-MIB", "snmpInASNParseErrs"), ("__SNMPv2-MIB", "snmpInBadVersions"))


Peer = tuple[str, int]
"""A numeric address and a UDP port."""


class SnmpPort:
    """Open one per process, before probing starts; any number of clients may share it. `close()` when done."""

    def __init__(self, engine: Any, dispatcher: "_Dispatcher") -> None:
        self.engine = engine
        self._dispatcher = dispatcher
        self._opening = asyncio.Lock()
        self._open: set[int] = set()

    @classmethod
    async def open(cls) -> Self:
        engine = await asyncio.to_thread(_new_engine)
        dispatcher = _Dispatcher(engine, loop=asyncio.get_running_loop())
        engine.register_transport_dispatcher(dispatcher)
        return cls(engine, dispatcher)

    async def admit(self, peer: Peer, family: int) -> None:
        """Decode what `peer` sends, on a socket of its family. Raises OSError if there can be none."""
        async with self._opening:
            if family not in self._open:
                domain, transport_class, any_address = TRANSPORTS[socket.AddressFamily(family)]
                loop = asyncio.get_running_loop()
                transport = transport_class(loop=loop)
                await loop.create_datagram_endpoint(lambda: transport, local_addr=any_address, family=family)
                config.add_transport(self.engine, domain, transport)
                self._open.add(family)
        self._dispatcher.undecodable.setdefault(peer, 0)

    def expect(self, peer: Peer) -> None:
        """A question is about to be sent: the next `MAX_ANSWERS` datagrams of `peer` are worth decoding."""
        self._dispatcher.allowance[peer] = MAX_ANSWERS

    def undecodable_from(self, peer: Peer) -> int:
        """How many datagrams of `peer` made no sense so far."""
        return self._dispatcher.undecodable.get(peer, 0)

    def forget_peers(self) -> None:
        """Learn every SNMPv3 peer's engine id and clock anew. Another router's request in flight is lost by it."""
        _start_v3_anew(self.engine)

    def close(self) -> None:
        self.engine.close_dispatcher()
        self._open.clear()


class _Dispatcher(AsyncioDispatcher):
    """Between sockets and engine."""

    def __init__(self, engine: Any, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self.undecodable: dict[Peer, int] = {}
        self.allowance: dict[Peer, int] = {}
        builder = engine.get_mib_builder()
        self._parse_errors = [builder.import_symbols(*name)[0] for name in PARSE_COUNTERS]

    async def handle_timeout(self) -> None:
        while True:
            await asyncio.sleep(self.get_timer_resolution())
            try:
                self.handle_timer_tick(self.loop.time())
            except UNDECODABLE as error:  # a request that timed out in a half-known state; the next tick goes on
                log.debug("snmp request dropped", error=repr(error))

    def _callback_function(self, transport: Any, address: Any, message: bytes) -> None:
        peer: Peer = tuple(address[:2])
        if peer not in self.undecodable:
            return
        self.allowance[peer] = self.allowance.get(peer, 0) - 1
        if self.allowance[peer] < 0 or len(message) > MAX_DATAGRAM:
            self.undecodable[peer] += 1
            return
        before, why = self._parse_error_count(), ""
        try:
            super()._callback_function(transport, address, message)
        except UNDECODABLE as error:
            why = repr(error)
        if why or self._parse_error_count() != before:
            self.undecodable[peer] += 1
            log.debug("undecodable snmp datagram", peer=peer, size=len(message), why=why or "not BER")

    def _parse_error_count(self) -> int:
        return sum(int(counter.syntax) for counter in self._parse_errors)


class _LastingTimeline(SnmpUSMSecurityModel):
    """Saves up pysnmp's ticks and pays them at once, so that a peer's clock is re-learnt once per `FORGET_AFTER_S`."""

    _owed = 0

    def receive_timer_tick(self, snmpEngine: Any, timeNow: float) -> None:
        self._owed += 1
        if self._owed * snmpEngine.transport_dispatcher.get_timer_resolution() >= FORGET_AFTER_S:
            for _ in range(self._owed):
                super().receive_timer_tick(snmpEngine, timeNow)
            self._owed = 0


def _new_engine() -> Any:
    engine = SnmpEngine()
    _start_v3_anew(engine)
    return engine


def _start_v3_anew(engine: Any) -> None:
    processing = SnmpV3MessageProcessingModel()
    engine.message_processing_subsystems[processing.MESSAGE_PROCESSING_MODEL_ID] = processing
    engine.security_models[SnmpUSMSecurityModel.SECURITY_MODEL_ID] = _LastingTimeline()
