"""Our side of one measurement against the far end: the opening, asking and being answered, the end.

Silence is an answer with a cause, never an exception; only the kernel's refusal to send is an OSError.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from probes.capacity.settings import CapacitySettings, read_key
from probes.capacity.socket import LoadSocket
from probes.errors import PeerError
from probes.kernel_time import Address, Ancillary
from probes.line_reading import MeasureTrouble
from probes.packets import capacity as wire
from probes.prober import Pin, family_of, pinned_socket, socket_address

_TRIES, _PATIENCE_S = 4, 0.4
_BUSY_TRIES, _BUSY_REST_S = 5, 0.4  # the far end forgets a client that died after a second
_INBOX = 256
_ENDS = 3  # any of them may be lost; without them it falls silent within 150 ms
_IP_HEADERS = {4: 28, 6: 48}

M = TypeVar("M")
TakeLoad = Callable[[int, int, int, int], object]
"""Told number, order, sent_ns (far end's clock) and arrived_ns (ours) of each load packet; must not raise."""


class CapacitySession:
    """One session, from `connect` to `close`. Raises MisuseError for a key that cannot be read.

    Where a method sends it raises OSError when the kernel will not.
    """

    def __init__(self, settings: CapacitySettings, pin: Pin) -> None:
        self._settings, self._pin = settings, pin
        self._shared = read_key(settings.key_file)
        self._key = self._shared
        self._id = int.from_bytes(os.urandom(8))
        self._number = 0
        self._open = False
        self._socket: LoadSocket | None = None
        self._inbox: deque[tuple[wire.Message, int]] = deque(maxlen=_INBOX)
        self._arrival = asyncio.Event()
        self._padding = b""
        self.spent_bytes = 0
        self.on_load: TakeLoad = lambda number, order, sent_ns, arrived_ns: None
        self._header_bytes = _IP_HEADERS[settings.address.version]

    @property
    def packet_bytes(self) -> int:
        """Of a load packet, its IP header included."""
        return self._settings.mtu_bytes

    def connect(self) -> None:
        address = self._settings.address
        sock = pinned_socket(family_of(address), 2, 0, self._pin)
        try:
            sock.connect(socket_address(address, self._settings.port, self._pin))
        except OSError:
            sock.close()
            raise
        self._socket = LoadSocket(sock, self._arrived)
        self._padding = os.urandom(self.packet_bytes - self._header_bytes - wire.LOAD_HEAD_BYTES)

    async def open(self, wish: wire.Wish, *, bytes_max: int, rate_bps: float, seconds: float) -> MeasureTrouble | None:
        """None: it is open. A far end that is busy is asked again for two seconds; OVER_BUDGET if it stays so."""
        nonce = os.urandom(wire.NONCE_BYTES)
        for _ in range(_BUSY_TRIES):
            answer = await self._introduce(nonce)
            if not isinstance(answer, wire.Challenge):
                return MeasureTrouble.NO_ANSWER if answer is None else MeasureTrouble.NOT_AUTHORISED
            opened = await self._enter(nonce, answer.cookie, wish, bytes_max, rate_bps, seconds)
            if isinstance(opened, wire.Opened):
                return None
            if opened is None:
                return MeasureTrouble.NO_ANSWER
            await asyncio.sleep(_BUSY_REST_S)
        return MeasureTrouble.OVER_BUDGET

    def send(self, message: wire.Message) -> bool:
        return self._put(wire.encode(message, self._key))

    def send_load(self, number: int, order: int) -> bool:
        head = wire.load_head(wire.LoadUp, self._id, number, order, time.monotonic_ns(), self._key)
        return self._put(head, self._padding)

    def order(self, order: int, rate_bps: float) -> None:
        self.send(wire.Order(self._id, self._next(), order, int(rate_bps / 1000)))

    def order_train(self, order: int, packets: int) -> None:
        self.send(wire.Train(self._id, self._next(), order, packets))

    async def round_trip_s(self, patience_s: float) -> float | None:
        """One echo, timed from our send call to the kernel's time of arrival. None: lost."""
        number = self._next()
        sent_ns = time.monotonic_ns()
        self.send(wire.Echo(self._id, number))
        answer = await self._answer(lambda each: _echoed(each, number), patience_s)
        return None if answer is None else max(0.0, (answer[1] - sent_ns) / 1e9)

    async def report(self, order: int, packets: int, patience_s: float) -> wire.Report | None:
        """When the packets of our train `order` arrived over there."""
        for _ in range(_TRIES):
            self.send(wire.Ask(self._id, self._next(), order, packets))
            answer = await self._answer(lambda each: _report_on(each, order), patience_s)
            if answer is not None and answer[0] is not None:
                return answer[0] if len(answer[0].arrivals) == packets else None
        return None

    def feedbacks(self) -> list[wire.Feedback]:
        """Those that came since last asked, in order."""
        found = [message for message, _ in self._inbox if isinstance(message, wire.Feedback)]
        self._inbox.clear()
        return found

    def close(self) -> None:
        """Tells the far end to stop, and lets go of the socket."""
        if self._socket is None:
            return
        with suppress(OSError):  # no way to tell it any more
            for _ in range(_ENDS if self._open else 0):
                self.send(wire.End(self._id, self._next()))
        self._socket.close()
        self._socket = None

    # ── opening ────────────────────────────────────────────────────────────────────────────────────────
    async def _introduce(self, nonce: bytes) -> wire.Challenge | wire.Denied | None:
        for _ in range(_TRIES):
            hello = wire.Hello(self._id, self._next(), nonce)
            self._put(wire.encode(hello, self._shared, size=wire.OPENING_BYTES))
            answer = await self._answer(lambda each: _introduced(each, nonce), _PATIENCE_S)
            if answer is not None:
                return answer[0]
        return None

    async def _enter(
        self, nonce: bytes, cookie: bytes, wish: wire.Wish, bytes_max: int, rate_bps: float, seconds: float
    ) -> wire.Opened | wire.Refused | None:
        key = wire.session_key(self._shared, nonce, cookie)
        payload_bytes = self.packet_bytes - self._header_bytes
        for _ in range(_TRIES):
            asked = wire.Open(
                self._id, self._next(), nonce, cookie, wish, payload_bytes, bytes_max, int(rate_bps / 1000),
                int(seconds * 1000),
            )  # fmt: skip
            packet = wire.encode(asked, self._shared, size=wire.OPENING_BYTES)
            self._key = key
            self._put(packet)
            answer = await self._answer(_entered, _PATIENCE_S)
            if answer is not None:
                self._open = isinstance(answer[0], wire.Opened)
                return answer[0]
        return None

    # ── packets ────────────────────────────────────────────────────────────────────────────────────────
    async def _answer(self, wanted: Callable[[wire.Message], M], patience_s: float) -> tuple[M, int] | None:
        """The first message of which `wanted` makes something, and when it came; None: none within the time.

        All else that came so far is gone.
        """
        try:
            async with asyncio.timeout(patience_s):
                while True:
                    while self._inbox:
                        message, arrived_ns = self._inbox.popleft()
                        if (answer := wanted(message)) is not None:
                            return answer, arrived_ns
                    self._arrival.clear()
                    await self._arrival.wait()
        except TimeoutError:
            return None

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _put(self, data: bytes, padding: bytes = b"") -> bool:
        if self._socket is None or not self._socket.send(data, padding):
            return False
        self.spent_bytes += len(data) + len(padding) + self._header_bytes
        return True

    def _arrived(self, data: bytes, _: Address, arrived_ns: int, __: Ancillary) -> None:
        self.spent_bytes += len(data) + self._header_bytes
        try:
            kind, session = wire.kind_and_session(data)
            if session != self._id:
                return
            if kind is wire.LoadDown:
                number, order, sent_ns = wire.read_load(data, self._key)
                self.on_load(number, order, sent_ns, arrived_ns)
                return
            key = self._shared if kind in (wire.Challenge, wire.Refused) else self._key
            message = wire.decode(data, key)
        except PeerError:  # not from the far end, or of a session that is over
            return
        self._inbox.append((message, arrived_ns))
        self._arrival.set()


def _introduced(message: wire.Message, nonce: bytes) -> wire.Challenge | wire.Denied | None:
    return message if isinstance(message, wire.Challenge | wire.Denied) and message.nonce == nonce else None


def _entered(message: wire.Message) -> wire.Opened | wire.Refused | None:
    return message if isinstance(message, wire.Opened | wire.Refused) else None


def _echoed(message: wire.Message, number: int) -> wire.Echoed | None:
    return message if isinstance(message, wire.Echoed) and message.number == number else None


def _report_on(message: wire.Message, order: int) -> wire.Report | None:
    return message if isinstance(message, wire.Report) and message.order == order else None
