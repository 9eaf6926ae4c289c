import pytest

from lab.services.mqtt_codec import decode, take_frame
from lab.services.mqtt_hub import NO_SUBSCRIBER, REASON_BAD_FILTER, REASON_NO_SHARING, Hub, Session
from lab.services.mqtt_packets import V5, Message, Publish, Wish


def client(
    hub: Hub, name: str, *wishes: Wish, clean: bool = True, expires: bool = True, receive_maximum: int = 10
) -> Session:
    session, _ = hub.open(name, V5, clean=clean, expires=expires, receive_maximum=receive_maximum)
    session.wake = lambda: None
    hub.subscribe(session, wishes)
    return session


def got(session: Session) -> list[Publish]:
    packets = []
    for raw in session.to_send():
        frame = take_frame(bytearray(raw))
        assert frame is not None
        packet = decode(frame, V5)
        assert isinstance(packet, Publish)
        packets.append(packet)
    return packets


def payloads(session: Session) -> list[bytes]:
    return [packet.message.payload for packet in got(session)]


def test_a_message_goes_to_whoever_wants_it_once() -> None:
    hub = Hub()
    wants = client(hub, "wants", Wish("a/#", 0), Wish("a/b", 1))
    other = client(hub, "other", Wish("c", 1))
    assert hub.publish(Message("a/b", b"x", 1)) == 0
    assert [(packet.message.payload, packet.message.qos) for packet in got(wants)] == [(b"x", 1)]
    assert payloads(other) == []


def test_a_publisher_is_told_when_nobody_listens() -> None:
    assert Hub().publish(Message("a", b"x", 1)) == NO_SUBSCRIBER


def test_what_is_retained_is_shown_to_newcomers_and_only_to_them_as_retained() -> None:
    hub = Hub()
    early = client(hub, "early", Wish("state", 1))
    hub.publish(Message("state", b"online", 1, retain=True))
    late = client(hub, "late", Wish("state", 1))
    assert [packet.message.retain for packet in got(early)] == [False]
    assert [packet.message.retain for packet in got(late)] == [True]


def test_an_empty_retained_message_clears() -> None:
    hub = Hub()
    hub.publish(Message("state", b"online", retain=True))
    hub.publish(Message("state", b"", retain=True))
    assert payloads(client(hub, "late", Wish("#", 1))) == []


def test_retained_messages_reach_no_other_filter() -> None:
    hub = Hub()
    hub.publish(Message("a", b"x", retain=True))
    assert payloads(client(hub, "late", Wish("b/#", 1))) == []


@pytest.mark.parametrize(("handling", "first", "again"), [(0, 1, 1), (1, 1, 0), (2, 0, 0)])
def test_a_client_may_refuse_what_is_retained(handling: int, first: int, again: int) -> None:
    hub = Hub()
    hub.publish(Message("a", b"x", retain=True))
    wish = Wish("a", 0, retain_handling=handling)
    session = client(hub, "box", wish)
    assert len(got(session)) == first
    hub.subscribe(session, [wish])
    assert len(got(session)) == again


def test_no_local_means_not_ones_own() -> None:
    hub = Hub()
    session = client(hub, "box", Wish("a", 1, no_local=True))
    hub.publish(Message("a", b"mine"), sender="box")
    hub.publish(Message("a", b"theirs"), sender="noc")
    assert payloads(session) == [b"theirs"]


def test_no_more_is_in_flight_than_the_client_takes() -> None:
    hub = Hub()
    session = client(hub, "box", Wish("a", 1), receive_maximum=2)
    for number in range(4):
        hub.publish(Message("a", bytes([number]), 1))
    first = got(session)
    assert [packet.message.payload[0] for packet in first] == [0, 1]
    assert got(session) == []
    session.acknowledged(first[0].identifier or 0)
    assert payloads(session) == [b"\2"]


def test_a_lasting_session_keeps_qos_1_while_away_and_sends_again_what_was_not_acknowledged() -> None:
    hub = Hub()
    session = client(hub, "box", Wish("a", 1), clean=False, expires=False)
    hub.publish(Message("a", b"unacknowledged", 1))
    assert payloads(session) == [b"unacknowledged"]
    hub.close(session)
    hub.publish(Message("a", b"while away", 1))
    hub.publish(Message("a", b"of no account", 0))
    resumed, present = hub.open("box", V5, clean=False, expires=False, receive_maximum=10)
    assert present
    assert [(packet.message.payload, packet.duplicate) for packet in got(resumed)] == [
        (b"unacknowledged", True),
        (b"while away", False),
    ]


def test_a_session_that_expires_is_gone_with_its_connection() -> None:
    hub = Hub()
    hub.close(client(hub, "box", Wish("a", 1)))
    assert hub.open("box", V5, clean=False, expires=True, receive_maximum=1)[1] is False
    assert hub.publish(Message("a", b"x", 1)) == NO_SUBSCRIBER


def test_what_may_not_be_subscribed_to_is_refused_one_by_one() -> None:
    hub = Hub()
    session = client(hub, "box")
    wishes = [Wish("a/#/b", 1), Wish("$share/g/a", 1), Wish("a", 1)]
    assert hub.subscribe(session, wishes) == [REASON_BAD_FILTER, REASON_NO_SHARING, 1]
    assert hub.unsubscribe(session, ["a", "b"]) == [0, 0x11]
