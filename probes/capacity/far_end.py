"""One measurement as the far end sees it: what to answer, when to send load, when it is over. Pure.

It obeys and judges nothing, within what was granted. It falls silent by itself: without an order for 150 ms no load is
sent, and a client not heard for a second is gone.
"""

from dataclasses import dataclass

from probes.capacity.arrivals import Arrivals
from probes.capacity.doorman import Grant
from probes.capacity.pacer import Pacer
from probes.capacity.ramp import FEEDBACK_S
from probes.packets.capacity import (
    LOAD_HEAD_BYTES,
    TRAIN_PACKETS_MAX,
    TRAIN_STRIDE,
    Ask,
    Echo,
    Echoed,
    End,
    Message,
    Order,
    Report,
    Train,
    Wish,
    report_units,
)

ORDER_GOOD_FOR_S = 3 * FEEDBACK_S
_SILENT_S = 1.0
_TRAINS_MOST = 16
_PAYLOAD_MOST = 9000 - 28  # of a jumbo frame


@dataclass(slots=True)
class TrainArrivals:
    """When each packet of one train arrived, by its place."""

    at_ns: dict[int, int]
    reordered: int = 0
    newest: int = -1

    def add(self, place: int, arrived_ns: int) -> None:
        if place in self.at_ns:  # a replay
            return
        self.at_ns[place] = arrived_ns
        self.reordered += place < self.newest
        self.newest = max(place, self.newest)

    def times(self, packets: int) -> list[int | None]:
        return [self.at_ns.get(place) for place in range(packets)]


def take_train_packet(trains: dict[int, TrainArrivals], number: int, arrived_ns: int) -> None:
    """Notes one packet of a train, of a bounded number of trains."""
    order, place = divmod(number, TRAIN_STRIDE)
    if place >= TRAIN_PACKETS_MAX or (order not in trains and len(trains) >= _TRAINS_MOST):
        return
    trains.setdefault(order, TrainArrivals({})).add(place, arrived_ns)


class FarSession:
    """Fed with what the client sends; asked what to send. `ip_header_bytes` is what the network adds to a payload."""

    def __init__(self, grant: Grant, *, ip_header_bytes: int, now_s: float) -> None:
        self.grant = grant
        self.over = False
        self.spent_bytes = 0
        self._payload_bytes = min(_PAYLOAD_MOST, max(LOAD_HEAD_BYTES, grant.packet_bytes))
        self._packet_bytes = self._payload_bytes + ip_header_bytes
        self._heard_s, self._heard_number = now_s, grant.opened.number
        self._arrivals = Arrivals()
        self._feedbacks, self._feedback_s = 0, now_s
        self._trains: dict[int, TrainArrivals] = {}
        self._train_orders: dict[int, int] = {}
        self._pacer = Pacer(8 * self._packet_bytes, now_s)
        self._order, self._ordered_s = 0, now_s
        self._number = 0

    @property
    def padding_bytes(self) -> int:
        """Behind the head of each load packet."""
        return self._payload_bytes - LOAD_HEAD_BYTES

    def load(self, number: int, order: int, sent_ns: int, arrived_ns: int, now_s: float) -> None:
        """A load packet of the client's, its signature verified."""
        self._spend(self._packet_bytes)
        if self.grant.wish is Wish.TRAINS:
            take_train_packet(self._trains, number, arrived_ns)
        elif self.grant.wish is Wish.RAMP_UP and not self._arrivals.add(number, order, sent_ns, arrived_ns):
            return  # seen before: a replay keeps no session alive
        self._heard_s = now_s

    def control(self, message: Message, now_s: float) -> Message | None:
        """What to answer to any other packet of the client's, its signature verified."""
        if message.number <= self._heard_number:  # a replay, or overtaken
            return None
        self._heard_number, self._heard_s = message.number, now_s
        match message:
            case Echo(session, number):
                return Echoed(session, number)
            case Order(order=order, rate_kbps=rate_kbps):
                self._order, self._ordered_s = order, now_s
                self._pacer.change(min(1000.0 * rate_kbps, self.grant.rate_bps), now_s)
            case Train(order=order, packets=packets) if len(self._trains) < _TRAINS_MOST:
                if self.grant.wish is Wish.TRAINS and order not in self._trains:
                    self._trains[order] = TrainArrivals({})
                    self._train_orders[order] = min(packets, TRAIN_PACKETS_MAX)
            case Ask(session, number, order, packets):
                train = self._trains.get(order, TrainArrivals({}))
                times = train.times(min(packets, TRAIN_PACKETS_MAX))
                return Report(session, number, order, train.reordered, report_units(times))
            case End():
                self.over = True
        return None

    def feedback(self, now_s: float) -> Message | None:
        """Every 50 ms of an upward ramp, once it has begun."""
        if now_s >= self.grant.until_s or now_s - self._heard_s > _SILENT_S:
            self.over = True
        if self.grant.wish is not Wish.RAMP_UP or not self._arrivals.received or now_s < self._feedback_s:
            return None
        self._feedback_s = max(self._feedback_s + FEEDBACK_S, now_s - FEEDBACK_S)
        self._feedbacks += 1
        return self._arrivals.feedback(self.grant.session, self._feedbacks)

    def load_due(self, now_s: float) -> list[tuple[int, int]]:
        """Number and order of the load packets to be sent now."""
        if self.over or self.spent_bytes >= self.grant.bytes_max:
            return []
        if self._train_orders:
            order, packets = self._train_orders.popitem()
            return [(order * TRAIN_STRIDE + place, order) for place in range(packets)]
        if self.grant.wish is not Wish.RAMP_DOWN or now_s - self._ordered_s > ORDER_GOOD_FOR_S:
            self._pacer.change(0.0, now_s)
            return []
        due = self._pacer.due(now_s)
        return [(self._number + each, self._order) for each in range(due)]

    def load_sent(self, packets: int) -> None:
        """So many of those that were due have been sent, in order."""
        self._spend(packets * self._packet_bytes)
        if self.grant.wish is Wish.RAMP_DOWN:
            self._number += packets
            self._pacer.sent(packets)

    @property
    def sends_load(self) -> bool:
        """Whether to ask again within a millisecond."""
        return self.grant.wish is Wish.RAMP_DOWN and self._pacer.rate_bps > 0

    def _spend(self, packet_bytes: int) -> None:
        self.spent_bytes += packet_bytes
        if self.spent_bytes >= self.grant.bytes_max:
            self.over = True
