"""One router's SNMP client: a GET, a GETBULK. A thin shell over pysnmp: plain OIDs in, plain values out, faults named
by cause.

SNMPv2c is silent to a wrong community, so that is NO_ANSWER. A well-formed answer to another question (late, or
forged) is ignored as UDP wants it; bytes that are no SNMP at all, and answers that do not fit the question, are
MALFORMED.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Any, assert_never

from pyasn1.type.univ import Integer, Null, ObjectIdentifier, OctetString
from pysnmp.hlapi.v3arch import asyncio as hlapi
from pysnmp.proto.rfc1902 import IpAddress
from pysnmp.proto.rfc1905 import EndOfMibView, NoSuchInstance, NoSuchObject

from wan.credentials import Community, Credentials, User, master_key
from wan.errors import RouterFault
from wan.reading import RouterCause
from wan.snmp_port import UNDECODABLE, SnmpPort
from wan.varbinds import Oid, Value, dotted

AUTH_PROTOCOLS = {
    "SHA-1": hlapi.USM_AUTH_HMAC96_SHA,
    "SHA-224": hlapi.USM_AUTH_HMAC128_SHA224,
    "SHA-256": hlapi.USM_AUTH_HMAC192_SHA256,
    "SHA-384": hlapi.USM_AUTH_HMAC256_SHA384,
    "SHA-512": hlapi.USM_AUTH_HMAC384_SHA512,
}
PRIV_PROTOCOLS = {
    "AES-128": hlapi.USM_PRIV_CFB128_AES,
    "AES-192": hlapi.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "AES-256": hlapi.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "AES-192-C": hlapi.USM_PRIV_CFB192_AES,
    "AES-256-C": hlapi.USM_PRIV_CFB256_AES,
}
TARGETS = {socket.AF_INET: hlapi.UdpTransportTarget, socket.AF_INET6: hlapi.Udp6TransportTarget}

REFUSED = {
    "authenticationFailure",
    "decryptionError",
    "encryptionError",
    "notInTimeWindow",
    "unknownEngineID",
    "unknownSecurityName",
    "unknownUserName",
    "unsupportedAuthProtocol",
    "unsupportedPrivProtocol",
    "unsupportedSecurityLevel",
    "wrongDigest",
}
"""pysnmp's names of USM reports (RFC 3414 3.2)."""
NO_ACCESS = {6, 16}
"""error-status noAccess, authorizationError (RFC 3416)."""

BULK_ROWS = 10
"""Rows per GETBULK: with v3 pysnmp needs 2–4 ms to read them, less than the 5 ms we may keep the loop."""
LATER_S = 0.3
"""pysnmp's own time-out comes this much after ours, only to clear its tables (its ticks are 0.1 s)."""


class SnmpClient:
    """Asks one router. Every method raises RouterFault and nothing else (but CancelledError)."""

    def __init__(
        self, port: SnmpPort, credentials: Credentials, *, host: str, udp_port: int, timeout_s: float, retries: int
    ) -> None:
        self.peer = f"{host}:{udp_port}"
        self._port = port
        self._auth = _auth_data(credentials)
        self._is_v3 = isinstance(credentials, User)
        self._address = (host, udp_port)
        self._timeout_s = timeout_s
        self._tries = 1 + retries
        self._target: Any = None
        self._questions: dict[Oid, Any] = {}

    async def get(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """All of `oids` in one GET. What the router lacks is None."""
        for at in oids:
            if at not in self._questions:
                self._questions[at] = _question(at)  # kept: resolving one costs 20 times as much as using it again
        questions = [self._questions[at] for at in oids]
        values = dict(await self._ask(lambda *way: hlapi.get_cmd(*way, *questions, lookupMib=False)))
        if values.keys() != set(oids):
            raise RouterFault(RouterCause.MALFORMED, f"{self.peer} answered other OIDs than asked")
        return values

    async def rows_after(self, start: Oid, count: int = BULK_ROWS) -> list[tuple[Oid, Value]]:
        """The next `count` instances after `start` in the router's order (one GETBULK)."""
        return await self._ask(lambda *way: hlapi.bulk_cmd(*way, 0, count, _question(start), lookupMib=False))

    async def _ask(self, command: Callable[..., Awaitable[Any]]) -> list[tuple[Oid, Value]]:
        target = await self._resolved()
        peer = tuple(target.transport_address[:2])
        garbage_before = self._port.undecodable_from(peer)
        for _ in range(self._tries):
            self._port.expect(peer)
            try:
                async with asyncio.timeout(self._timeout_s):
                    answer = await command(self._port.engine, self._auth, target, hlapi.ContextData())
                return self._rows(*answer)
            except TimeoutError:
                if self._is_v3:
                    self._port.forget_peers()  # it may have come back as another engine
            except UNDECODABLE as error:
                raise RouterFault(RouterCause.MALFORMED, f"{self.peer}: {error!r}") from error
        garbage = self._port.undecodable_from(peer) - garbage_before
        if garbage:
            raise RouterFault(RouterCause.MALFORMED, f"{self.peer} sent {garbage} datagrams that are no SNMP")
        self._target = None if _is_name(self._address[0]) else target  # the name may lead elsewhere by now
        raise RouterFault(RouterCause.NO_ANSWER, f"{self.peer} did not answer {self._tries} × {self._timeout_s:g} s")

    def _rows(self, indication: Any, status: Any, index: Any, rows: Iterable[Any]) -> list[tuple[Oid, Value]]:
        if indication is not None:
            raise RouterFault(_cause(indication), f"{self.peer}: {indication}")
        if int(status):
            cause = RouterCause.AUTH if int(status) in NO_ACCESS else RouterCause.MALFORMED
            raise RouterFault(cause, f"{self.peer} answered error-status {int(status)} at index {int(index)}")
        return [(tuple(at), _plain(value)) for at, value in rows]

    async def _resolved(self) -> Any:
        """The router's address, looked up once, and again after a name's address fell silent."""
        if self._target is None:
            try:
                async with asyncio.timeout(self._timeout_s * self._tries):
                    self._target = await self._look_up()
            except (OSError, *UNDECODABLE) as error:  # TimeoutError and gaierror are OSErrors
                why = str(error) or type(error).__name__
                raise RouterFault(RouterCause.NO_ANSWER, f"{self.peer} cannot be reached: {why}") from error
        return self._target

    async def _look_up(self) -> Any:
        host, udp_port = self._address
        found = await asyncio.get_running_loop().getaddrinfo(host, udp_port, type=socket.SOCK_DGRAM)
        family, address = next(((f, a) for f, _, _, _, a in found if f in TARGETS), (None, None))
        if family is None or address is None:
            raise OSError("neither an IPv4 nor an IPv6 address")
        await self._port.admit((str(address[0]), udp_port), family)
        return await TARGETS[family].create(address[:2], timeout=self._timeout_s + LATER_S, retries=0)


def _question(at: Oid) -> Any:
    return hlapi.ObjectType(hlapi.ObjectIdentity(dotted(at)))


def _auth_data(credentials: Credentials) -> Any:
    match credentials:
        case Community():
            return hlapi.CommunityData(credentials.name, mpModel=1)
        case User():
            return hlapi.UsmUserData(credentials.name, **_keys(credentials))
        case _:
            assert_never(credentials)


def _keys(user: User) -> dict[str, Any]:
    if user.auth is None:
        return {}
    auth = {
        "authKey": master_key(user.auth_password, user.auth),
        "authProtocol": AUTH_PROTOCOLS[user.auth],
        "authKeyType": hlapi.USM_KEY_TYPE_MASTER,
    }
    if user.priv is None:
        return auth
    return auth | {
        "privKey": master_key(user.priv_password, user.auth),
        "privProtocol": PRIV_PROTOCOLS[user.priv],
        "privKeyType": hlapi.USM_KEY_TYPE_MASTER,
    }


def _cause(indication: Any) -> RouterCause:
    name = type(indication).__name__
    if name == "RequestTimedOut":
        return RouterCause.NO_ANSWER
    return RouterCause.AUTH if name[:1].lower() + name[1:] in REFUSED else RouterCause.MALFORMED


def _plain(value: Any) -> Value:
    if isinstance(value, NoSuchObject | NoSuchInstance | EndOfMibView | Null):
        return None
    if isinstance(value, ObjectIdentifier):
        return dotted(tuple(value))
    if isinstance(value, IpAddress):
        return ".".join(map(str, bytes(value)))
    if isinstance(value, OctetString):
        return bytes(value)
    return int(value) if isinstance(value, Integer) else None


def _is_name(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return True
    return False
