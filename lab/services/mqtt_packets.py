"""The MQTT packets a small broker needs, versions 3.1.1 and 5, as facts. Source: OASIS MQTT 3.1.1 and 5.0."""

from dataclasses import dataclass
from enum import IntEnum

V311, V5 = 4, 5


class Packet(IntEnum):
    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class Property(IntEnum):
    """Those this broker looks at or says."""

    SESSION_EXPIRY = 0x11
    ASSIGNED_CLIENT_ID = 0x12
    WILL_DELAY = 0x18
    RECEIVE_MAXIMUM = 0x21
    TOPIC_ALIAS = 0x23
    MAXIMUM_QOS = 0x24
    SHARED_SUBSCRIPTION = 0x2A


Properties = tuple[tuple[int, bytes], ...]
"""Identifier and raw value, in the order they came."""


@dataclass(frozen=True, slots=True)
class Frame:
    kind: int
    flags: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """What is published. `properties` are without topic alias."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Connect:
    version: int
    client_id: str
    clean: bool
    keepalive_s: int
    username: str | None = None
    session_expiry_s: int = 0
    receive_maximum: int = 65535
    will: Message | None = None
    will_delay_s: int = 0


@dataclass(frozen=True, slots=True)
class Publish:
    message: Message
    identifier: int | None
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Puback:
    identifier: int


@dataclass(frozen=True, slots=True)
class Wish:
    """One filter of a SUBSCRIBE."""

    pattern: str
    qos: int
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0


@dataclass(frozen=True, slots=True)
class Subscribe:
    identifier: int
    wishes: tuple[Wish, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    identifier: int
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ping:
    pass


@dataclass(frozen=True, slots=True)
class Disconnect:
    reason: int = 0


FromClient = Connect | Publish | Puback | Subscribe | Unsubscribe | Ping | Disconnect
