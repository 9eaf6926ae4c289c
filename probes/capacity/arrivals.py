"""What a receiver of load knows: counts, losses, order, one-way delay. Pure, and cheap: 8,000 packets a second."""

from collections import OrderedDict

from probes.packets.capacity import Feedback

_HOLES_KEPT = 4096  # numbers of missing packets that may still come: half a second at 100 Mbit/s


class Arrivals:
    """All load packets of one session, fed in the order they came.

    A packet counts once: one that was there before, as a replay would be, is ignored. A packet that fills a hole was
    reordered and not lost.
    """

    def __init__(self) -> None:
        self.received = self.expected = self.reordered = self.order = 0
        self.arrived_ns = self.sent_ns = 0
        self._least_ns = self._most_ns = 0
        self._fresh = True
        self._holes: OrderedDict[int, None] = OrderedDict()

    def add(self, number: int, order: int, sent_ns: int, arrived_ns: int) -> bool:
        """Whether this packet counts."""
        if number >= self.expected:
            if number > self.expected:
                self._missed(number)
            self.expected = number + 1
            self.order, self.arrived_ns, self.sent_ns = order, arrived_ns, sent_ns
        elif number in self._holes:
            del self._holes[number]
            self.reordered += 1
        else:
            return False
        self.received += 1
        delay_ns = arrived_ns - sent_ns
        if self._fresh:
            self._least_ns = self._most_ns = delay_ns
            self._fresh = False
        elif delay_ns < self._least_ns:
            self._least_ns = delay_ns
        elif delay_ns > self._most_ns:
            self._most_ns = delay_ns
        return True

    def feedback(self, session: int, number: int) -> Feedback:
        """The state now; the next one's least and most delay begin anew."""
        self._fresh = True
        return Feedback(
            session=session,
            number=number,
            order=self.order,
            received=self.received,
            expected=self.expected,
            reordered=self.reordered,
            arrived_ns=self.arrived_ns,
            sent_ns=self.sent_ns,
            delay_min_ns=self._least_ns,
            delay_max_ns=self._most_ns,
        )

    def _missed(self, number: int) -> None:
        for missing in range(max(self.expected, number - _HOLES_KEPT), number):
            self._holes[missing] = None
        while len(self._holes) > _HOLES_KEPT:
            self._holes.popitem(last=False)
