import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.errors import PeerError
from lab.services.mqtt_bytes import Reader, text, variable
from lab.services.mqtt_codec import connack, decode, disconnect, frame, puback, publish, suback, take_frame, unsuback
from lab.services.mqtt_packets import (
    V5,
    V311,
    Connect,
    Disconnect,
    FromClient,
    Message,
    Packet,
    Ping,
    Puback,
    Publish,
    Subscribe,
    Unsubscribe,
    Wish,
)


def read(packet: bytes, version: int) -> FromClient:
    buffer = bytearray(packet)
    whole = take_frame(buffer)
    assert whole is not None
    assert buffer == b""
    return decode(whole, version)


CONNECT_V311 = frame(1, 0, text("MQTT") + b"\x04\x02\x00\x3c" + text("box"))
CONNECT_V5 = frame(
    1, 0,
    text("MQTT") + b"\x05\xee\x00\x0a" + b"\x08\x11\x00\x00\x0e\x10\x21\x00\x08" + text("box")
    + b"\x05\x18\x00\x00\x00\x05" + text("state") + text("lost") + text("user") + text("word"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("packet", "version", "expected"),
    [
        (CONNECT_V311, V311, Connect(V311, "box", clean=True, keepalive_s=60)),
        (
            CONNECT_V5, V5,
            Connect(
                V5, "box", clean=True, keepalive_s=10, username="user", session_expiry_s=3600, receive_maximum=8,
                will=Message("state", b"lost", 1, retain=True), will_delay_s=5,
            ),
        ),
        (frame(3, 0x0B, text("a/b") + b"\0\7x"), V311,
            Publish(Message("a/b", b"x", 1, retain=True), 7, duplicate=True)),
        (frame(3, 0, text("a/b") + b"\x05\x02\0\0\1\x2cx"), V5,
            Publish(Message("a/b", b"x", properties=((2, b"\0\0\1\x2c"),)), None)),
        (frame(4, 0, b"\0\7"), V311, Puback(7)),
        (frame(4, 0, b"\0\7\x10"), V5, Puback(7)),
        (frame(8, 2, b"\0\1" + text("a/#") + b"\1"), V311, Subscribe(1, (Wish("a/#", 1),))),
        (frame(8, 2, b"\0\1\0" + text("a") + b"\x2e"), V5,
            Subscribe(1, (Wish("a", 1, no_local=True, retain_as_published=True, retain_handling=2),))),
        (frame(10, 2, b"\0\2" + text("a") + text("b")), V311, Unsubscribe(2, ("a", "b"))),
        (frame(12, 0, b""), V5, Ping()),
        (frame(14, 0, b""), V5, Disconnect(0)),
        (frame(14, 0, b"\x04\0"), V5, Disconnect(4)),
    ],
)  # fmt: skip
def test_what_clients_say(packet: bytes, version: int, expected: FromClient) -> None:
    assert read(packet, version) == expected


@pytest.mark.parametrize(
    ("packet", "version", "complaint"),
    [
        (frame(3, 0x06, text("a")), V311, "QoS 3"),
        (frame(3, 0, b"\0\5ab"), V311, "early"),
        (frame(3, 0, b"\0\2\xff\xfe"), V311, "UTF-8"),
        (frame(3, 0, text("a") + b"\x03\x23\0\1"), V5, "alias"),
        (frame(3, 0, text("a") + b"\x01\x77"), V5, "property"),
        (frame(8, 2, b"\0\1"), V311, "nothing"),
        (frame(8, 0, b"\0\1" + text("a") + b"\0"), V311, "flags"),
        (frame(1, 0, text("HTTP") + b"\4\2\0\0\0\0"), V311, "not for MQTT"),
        (frame(15, 0, b""), V311, "type 15"),
    ],
)
def test_what_is_malformed_is_said_so(packet: bytes, version: int, complaint: str) -> None:
    with pytest.raises(PeerError, match=complaint):
        read(packet, version)


@given(st.binary(max_size=200), st.sampled_from([V311, V5]))
def test_no_bytes_raise_anything_but_the_rooms_error(raw: bytes, version: int) -> None:
    buffer = bytearray(raw)
    with contextlib.suppress(PeerError):
        while (whole := take_frame(buffer)) is not None:
            decode(whole, version)


@given(
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=20),
    st.binary(max_size=300),
    st.sampled_from([V311, V5]),
    st.integers(0, 1),
    st.booleans(),
)
def test_what_we_publish_is_read_as_it_was(topic: str, payload: bytes, version: int, qos: int, retain: bool) -> None:
    message = Message(topic, payload, qos, retain)
    identifier = 9 if qos else None
    assert read(publish(version, message, identifier), version) == Publish(message, identifier)


@given(st.integers(0, 268_435_455))
def test_variable_lengths_come_back(number: int) -> None:
    assert Reader(variable(number)).variable() == number


def test_a_packet_is_taken_only_when_it_is_all_there() -> None:
    packet = publish(V311, Message("a", b"x" * 200), None)
    buffer = bytearray()
    for byte in packet[:-1]:
        buffer.append(byte)
        assert take_frame(buffer) is None
    buffer += packet[-1:] + b"\xc0\0"
    taken = take_frame(buffer)
    assert taken is not None
    assert taken.kind == Packet.PUBLISH
    assert buffer == b"\xc0\0"


@pytest.mark.parametrize("raw", [b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\x7f"])
def test_a_packet_without_end_is_refused_at_once(raw: bytes) -> None:
    with pytest.raises(PeerError):
        take_frame(bytearray(raw))


def test_reason_codes_are_for_version_5_alone() -> None:
    assert puback(V5, 7, 0x10) == b"\x40\x04\0\7\x10\0"
    assert puback(V311, 7, 0x10) == b"\x40\x02\0\7"
    assert suback(V311, 7, [1, 0x8F]) == b"\x90\x04\0\7\1\x80"
    assert suback(V5, 7, [1, 0x8F]) == b"\x90\x05\0\7\0\1\x8f"
    assert unsuback(V311, 7, [0]) == b"\xb0\x02\0\7"
    assert connack(V5, 0, present=True) == b"\x20\x03\1\0\0"
    assert connack(V311, 5) == b"\x20\x02\0\5"
    assert disconnect(V311, 0x8E) == b""
