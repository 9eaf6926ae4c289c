"""MQTT bytes in, facts out, and back: what a broker hears and says. No sockets. Whatever is malformed raises PeerError.

Properties a broker only hands on (user properties, content type, expiry, …) are kept as the bytes they came in.
"""

from lab.services.errors import PeerError
from lab.services.mqtt_bytes import Reader, text, variable
from lab.services.mqtt_packets import (
    V5,
    V311,
    Connect,
    Disconnect,
    Frame,
    FromClient,
    Message,
    Packet,
    Ping,
    Properties,
    Property,
    Puback,
    Publish,
    Subscribe,
    Unsubscribe,
    Wish,
)

PACKET_LIMIT = 1 << 20


def take_frame(buffer: bytearray) -> Frame | None:
    """Remove one whole packet from the front of `buffer`; None while it is not all there."""
    length = shift = 0
    for place in range(1, 5):
        if place >= len(buffer):
            return None
        length |= (buffer[place] & 0x7F) << shift
        shift += 7
        if buffer[place] < 0x80:
            break
    else:
        raise PeerError("MQTT remaining length has more than four bytes")
    if length > PACKET_LIMIT:
        raise PeerError(f"MQTT packet of {length} bytes, at most {PACKET_LIMIT} are taken")
    if len(buffer) < place + 1 + length:
        return None
    frame = Frame(buffer[0] >> 4, buffer[0] & 0x0F, bytes(buffer[place + 1 : place + 1 + length]))
    del buffer[: place + 1 + length]
    return frame


def decode(frame: Frame, version: int) -> FromClient:
    """What a client said. `version` is that of its CONNECT; a CONNECT itself needs none."""
    reader = Reader(frame.body)
    match frame.kind:
        case Packet.CONNECT:
            return _connect(reader)
        case Packet.PUBLISH:
            return _publish(reader, frame.flags, version)
        case Packet.PUBACK:
            return Puback(reader.number(2))
        case Packet.SUBSCRIBE if frame.flags == 2:
            return _subscribe(reader, version)
        case Packet.UNSUBSCRIBE if frame.flags == 2:
            return _unsubscribe(reader, version)
        case Packet.PINGREQ:
            return Ping()
        case Packet.DISCONNECT:
            return Disconnect(reader.number(1) if version == V5 and frame.body else 0)
        case _:
            raise PeerError(f"MQTT packet type {frame.kind} with flags {frame.flags:#x} is none this broker takes")


def connack(version: int, reason: int, *, present: bool = False, properties: Properties = ()) -> bytes:
    return frame(Packet.CONNACK, 0, bytes([present, reason]) + _properties(version, properties))


def publish(version: int, message: Message, identifier: int | None, *, duplicate: bool = False) -> bytes:
    flags = (duplicate << 3) | (message.qos << 1) | message.retain
    number = identifier.to_bytes(2, "big") if identifier is not None else b""
    body = text(message.topic) + number + _properties(version, message.properties) + message.payload
    return frame(Packet.PUBLISH, flags, body)


def puback(version: int, identifier: int, reason: int) -> bytes:
    """3.1.1 has no reason codes: there every PUBACK says yes."""
    code = bytes([reason, 0]) if version == V5 and reason else b""
    return frame(Packet.PUBACK, 0, identifier.to_bytes(2, "big") + code)


def suback(version: int, identifier: int, codes: list[int]) -> bytes:
    told = codes if version == V5 else [min(code, 0x80) for code in codes]
    return frame(Packet.SUBACK, 0, identifier.to_bytes(2, "big") + _properties(version) + bytes(told))


def unsuback(version: int, identifier: int, codes: list[int]) -> bytes:
    told = bytes(codes) if version == V5 else b""
    return frame(Packet.UNSUBACK, 0, identifier.to_bytes(2, "big") + _properties(version) + told)


def pingresp() -> bytes:
    return frame(Packet.PINGRESP, 0, b"")


def disconnect(version: int, reason: int) -> bytes:
    """3.1.1 brokers say nothing and close."""
    return frame(Packet.DISCONNECT, 0, bytes([reason, 0])) if version == V5 else b""


def frame(kind: int, flags: int, body: bytes) -> bytes:
    return bytes([kind << 4 | flags]) + variable(len(body)) + body


def _connect(reader: Reader) -> Connect:
    if reader.text() != "MQTT":
        raise PeerError("CONNECT is not for MQTT")
    version, flags, keepalive_s = reader.number(1), reader.number(1), reader.number(2)
    if version not in (V311, V5):
        return Connect(version, "", clean=True, keepalive_s=0)
    said = dict(reader.properties()) if version == V5 else {}
    client_id, will, will_delay_s = reader.text(), None, 0
    if flags & 0x04:
        about = reader.properties() if version == V5 else ()
        will_delay_s = int.from_bytes(dict(about).get(Property.WILL_DELAY, b""), "big")
        handed_on = tuple(item for item in about if item[0] != Property.WILL_DELAY)
        will = Message(reader.text(), reader.binary(), min(flags >> 3 & 3, 1), bool(flags & 0x20), handed_on)
    username = reader.text() if flags & 0x80 else None
    if flags & 0x40:
        reader.binary()
    return Connect(
        version=version,
        client_id=client_id,
        clean=bool(flags & 0x02),
        keepalive_s=keepalive_s,
        username=username,
        session_expiry_s=int.from_bytes(said.get(Property.SESSION_EXPIRY, b""), "big"),
        receive_maximum=int.from_bytes(said.get(Property.RECEIVE_MAXIMUM, b"\xff\xff"), "big") or 65535,
        will=will,
        will_delay_s=will_delay_s,
    )


def _publish(reader: Reader, flags: int, version: int) -> Publish:
    qos = flags >> 1 & 3
    if qos == 3:
        raise PeerError("PUBLISH with QoS 3")
    topic = reader.text()
    identifier = reader.number(2) if qos else None
    properties = reader.properties() if version == V5 else ()
    if any(name == Property.TOPIC_ALIAS for name, _ in properties):
        raise PeerError("PUBLISH with a topic alias, and none was offered")
    return Publish(Message(topic, reader.rest(), qos, bool(flags & 1), properties), identifier, bool(flags & 8))


def _subscribe(reader: Reader, version: int) -> Subscribe:
    identifier = reader.number(2)
    if version == V5:
        reader.properties()
    wishes = []
    while not reader.ended:
        pattern, options = reader.text(), reader.number(1)
        wishes.append(Wish(pattern, min(options & 3, 1), bool(options & 4), bool(options & 8), options >> 4 & 3))
    if not wishes:
        raise PeerError("SUBSCRIBE to nothing")
    return Subscribe(identifier, tuple(wishes))


def _unsubscribe(reader: Reader, version: int) -> Unsubscribe:
    identifier = reader.number(2)
    if version == V5:
        reader.properties()
    patterns = []
    while not reader.ended:
        patterns.append(reader.text())
    return Unsubscribe(identifier, tuple(patterns))


def _properties(version: int, properties: Properties = ()) -> bytes:
    if version != V5:
        return b""
    body = b"".join(bytes([name]) + raw for name, raw in properties)
    return variable(len(body)) + body
