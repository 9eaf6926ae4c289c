"""What an MQTT broker remembers, without its sockets: sessions, subscriptions, retained messages, what still waits for
whom.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from lab.services.mqtt_codec import publish
from lab.services.mqtt_packets import Message, Wish
from lab.services.mqtt_topics import SHARED, matches, valid_filter

WAITING_LIMIT = 100_000
NO_SUBSCRIBER = 0x10
REASON_BAD_FILTER = 0x8F
REASON_NO_SHARING = 0x9E
REASON_NO_SUBSCRIPTION = 0x11


@dataclass(slots=True)
class Session:
    """One client id's state; outlives its connections unless it is to end with them."""

    client_id: str
    version: int
    receive_maximum: int = 65535
    expires: bool = True
    """True: it ends with its connection."""
    subscriptions: dict[str, Wish] = field(default_factory=dict)
    wake: Callable[[], None] | None = None
    """Called when something waits; None while nobody is connected."""
    _waiting: deque[Message] = field(default_factory=deque)
    _in_flight: dict[int, Message] = field(default_factory=dict)
    _resend: bool = False
    _last_identifier: int = 0

    def resumed(self, version: int, receive_maximum: int) -> None:
        """A new connection: what it did not acknowledge goes out again first."""
        self.version, self.receive_maximum = version, receive_maximum
        self._resend = True

    def deliver(self, message: Message) -> None:
        if self.wake is None and message.qos == 0:
            return
        if len(self._waiting) < WAITING_LIMIT:
            self._waiting.append(message)
        if self.wake is not None:
            self.wake()

    def to_send(self) -> list[bytes]:
        """The packets that may go out now: no more unacknowledged ones than the client takes."""
        packets = []
        if self._resend:
            self._resend = False
            packets = [publish(self.version, m, number, duplicate=True) for number, m in self._in_flight.items()]
        while self._waiting and (self._waiting[0].qos == 0 or len(self._in_flight) < self.receive_maximum):
            message = self._waiting.popleft()
            identifier = self._new_identifier(message) if message.qos else None
            packets.append(publish(self.version, message, identifier))
        return packets

    def acknowledged(self, identifier: int) -> None:
        self._in_flight.pop(identifier, None)

    def _new_identifier(self, message: Message) -> int:
        while True:
            self._last_identifier = self._last_identifier % 65535 + 1
            if self._last_identifier not in self._in_flight:
                self._in_flight[self._last_identifier] = message
                return self._last_identifier


class Hub:
    """All sessions and retained messages of one broker."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.retained: dict[str, Message] = {}

    def open(
        self, client_id: str, version: int, *, clean: bool, expires: bool, receive_maximum: int
    ) -> tuple[Session, bool]:
        """The session of a client that connects, and whether it was there before."""
        present = not clean and client_id in self.sessions
        if not present:
            self.sessions[client_id] = Session(client_id, version)
        session = self.sessions[client_id]
        session.resumed(version, receive_maximum)
        session.expires = expires
        return session, present

    def close(self, session: Session) -> None:
        """Its connection is gone."""
        session.wake = None
        if session.expires and self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]

    def subscribe(self, session: Session, wishes: Iterable[Wish]) -> list[int]:
        """Reason codes, one a wish. What is retained is put in line for the session."""
        codes = []
        for wish in wishes:
            if wish.pattern.startswith(SHARED):
                codes.append(REASON_NO_SHARING)
            elif not valid_filter(wish.pattern):
                codes.append(REASON_BAD_FILTER)
            else:
                fresh = wish.pattern not in session.subscriptions
                session.subscriptions[wish.pattern] = wish
                codes.append(wish.qos)
                if wish.retain_handling == 0 or (wish.retain_handling == 1 and fresh):
                    self._show_retained(session, wish)
        return codes

    def unsubscribe(self, session: Session, patterns: Iterable[str]) -> list[int]:
        return [0 if session.subscriptions.pop(pattern, None) else REASON_NO_SUBSCRIPTION for pattern in patterns]

    def publish(self, message: Message, sender: str | None = None) -> int:
        """Hand a message to everybody who wants it; 0, or NO_SUBSCRIBER where nobody does."""
        if message.retain:
            self._retain(message)
        receivers = 0
        for session in self.sessions.values():
            wishes = [wish for pattern, wish in session.subscriptions.items() if matches(pattern, message.topic)]
            wishes = [wish for wish in wishes if not (wish.no_local and session.client_id == sender)]
            if wishes:
                receivers += 1
                qos = min(message.qos, max(wish.qos for wish in wishes))
                keep = message.retain and any(wish.retain_as_published for wish in wishes)
                session.deliver(replace(message, qos=qos, retain=keep))
        return 0 if receivers else NO_SUBSCRIBER

    def _retain(self, message: Message) -> None:
        if message.payload:
            self.retained[message.topic] = message
        else:
            self.retained.pop(message.topic, None)

    def _show_retained(self, session: Session, wish: Wish) -> None:
        for topic, message in self.retained.items():
            if matches(wish.pattern, topic):
                session.deliver(replace(message, qos=min(message.qos, wish.qos), retain=True))
