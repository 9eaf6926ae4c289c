"""Our stand-in for snmpd: pysnmp's engine answering from the same table, for machines without snmpd.

Silence closes nothing: the transport keeps the port and throws requests away, as a router does whose SNMP is not for
you.
"""

import socket
import time
from collections.abc import Callable
from typing import Any

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.smi import error
from pysnmp.smi.instrum import AbstractMibInstrumController

from lab.services import interfaces
from lab.services.lifetime import Address
from lab.services.snmp_credentials import AUTH_PASSWORD, COMMUNITY, PRIV_PASSWORD, USER
from lab.services.snmp_tree import Kind, Tree, Value, peplink, standard
from lab.services.world import Truth

FRESH_S = 0.5
V2C, V3 = 2, 3
ALL = (1, 3, 6)
SYNTAX: dict[Kind, Callable[[Any], Any]] = {
    Kind.INTEGER: rfc1902.Integer32,
    Kind.STRING: rfc1902.OctetString,
    Kind.COUNTER32: rfc1902.Counter32,
    Kind.COUNTER64: rfc1902.Counter64,
    Kind.GAUGE: rfc1902.Gauge32,
    Kind.TICKS: rfc1902.TimeTicks,
    Kind.ADDRESS: rfc1902.IpAddress,
    Kind.OBJECT_ID: lambda text: rfc1902.ObjectIdentifier(text.strip(".")),
}


class FromTree(AbstractMibInstrumController):
    """What pysnmp asks for each variable, answered from `tree()`."""

    def __init__(self, tree: Callable[[], Tree]) -> None:
        self._tree = tree

    def read_variables(self, *varBinds: Any, **_context: Any) -> list[Any]:
        tree = self._tree()
        return [(name, _syntax(tree.get(tuple(name)), rfc1905.noSuchObject)) for name, _ in varBinds]

    def read_next_variables(self, *varBinds: Any, **_context: Any) -> list[Any]:
        tree = self._tree()
        return [self._next(tree, name) for name, _ in varBinds]

    def write_variables(self, *_varBinds: Any, **_context: Any) -> list[Any]:
        raise error.NotWritableError(idx=0)

    def _next(self, tree: Tree, name: Any) -> Any:
        found = tree.after(tuple(name))
        if found is None:
            return name, rfc1905.endOfMibView
        return rfc1902.ObjectName(found[0]), _syntax(found[1], rfc1905.noSuchObject)


class MutableTransport(udp.UdpAsyncioTransport):
    """A UDP door that can be told not to hear."""

    silent = False

    def datagram_received(self, datagram: bytes, transport_address: Any) -> None:
        if not self.silent:
            super().datagram_received(datagram, transport_address)


class SnmpDouble:
    """Answers at `listen` from construction (inside a running loop) until `close`."""

    def __init__(self, truth: Truth, listen: Address, *, device_branch: bool = False) -> None:
        self._truth = truth
        self._device_branch = device_branch
        self._born_s = self._built_s = time.monotonic()
        self._tree = self._build()
        self._engine = engine.SnmpEngine()
        self._transport = MutableTransport().open_server_mode(sock=_bound(listen))
        config.add_transport(self._engine, udp.DOMAIN_NAME, self._transport)
        self._admit()
        served = context.SnmpContext(self._engine)
        served.unregister_context_name(b"")
        served.register_context_name(b"", FromTree(self._current))
        for responder in (cmdrsp.GetCommandResponder, cmdrsp.NextCommandResponder, cmdrsp.BulkCommandResponder):
            responder(self._engine, served)

    def be_silent(self, silent: bool) -> None:
        self._transport.silent = silent

    def close(self) -> None:
        self._engine.close_dispatcher()

    def _admit(self) -> None:
        config.add_v1_system(self._engine, "lab-area", COMMUNITY)
        config.add_v3_user(
            self._engine, USER, config.USM_AUTH_HMAC192_SHA256, AUTH_PASSWORD, config.USM_PRIV_CFB128_AES, PRIV_PASSWORD
        )
        config.add_vacm_user(self._engine, V2C, "lab-area", "noAuthNoPriv", ALL)
        config.add_vacm_user(self._engine, V3, USER, "authPriv", ALL)

    def _current(self) -> Tree:
        now_s = time.monotonic()
        if now_s - self._built_s > FRESH_S or self._truth.refresh():
            self._tree = self._build()
            self._built_s = now_s
        return self._tree

    def _build(self) -> Tree:
        self._truth.refresh()
        router, found = self._truth.world.router, interfaces.read()
        uptime_s = time.monotonic() - self._born_s
        branch = peplink(router, found, device_branch=self._device_branch)
        return Tree(standard(router, found, uptime_s) | branch)


def _bound(listen: Address) -> socket.socket:
    """Bound by us: pysnmp would bind later, in a task of its own, where a failure is only printed."""
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        door.bind(listen)
    except OSError:
        door.close()
        raise
    return door


def _syntax(value: Value | None, missing: Any) -> Any:
    return missing if value is None else SYNTAX[value.kind](value.value)
