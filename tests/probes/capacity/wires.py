"""A ramp and trains over the lab's wires as arithmetic: no socket, no clock, a second in milliseconds."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from lab.wire import Wire, WireSettings
from probes.capacity.arrivals import Arrivals
from probes.capacity.pacer import Pacer
from probes.capacity.ramp import FEEDBACK_S, Search
from probes.packets.capacity import Feedback

IP_BYTES, FRAME_BYTES = 1500, 1514
OFFSET_NS = 86_400_000_000_000  # the receiver's clock is a day ahead


@dataclass(frozen=True, slots=True)
class Ramped:
    search: Search
    seconds: float
    sent_bytes: int
    queue_most_bytes: int


def ramp_over(
    settings: WireSettings,
    *,
    seed: int = 1,
    seconds: float = 8.0,
    back_s: float | None = None,
    wakes_s: Callable[[Random], float] = lambda _: 0.001,
    release_s: float = 0.0,
    start_bps: float = 1e6,
    max_bps: float = 300e6,
) -> Ramped:
    """The sender wakes every `wakes_s`, packets leave the wire in quanta of `release_s`, feedback takes `back_s`."""
    rng = Random(seed)
    wire, arrivals = Wire(settings, rng), Arrivals()
    search, pacer = Search(IP_BYTES, start_bps=start_bps, max_bps=max_bps), Pacer(8 * IP_BYTES, 0.0)
    pacer.change(search.rate_bps, 0.0)
    back_s = settings.delay_s if back_s is None else back_s
    on_the_way: list[tuple[float, int, int, float]] = []
    answers: list[tuple[float, int]] = []
    feedbacks: list[Feedback] = []
    now_s, number, queue_most, next_feedback_s = 0.0, 0, 0, FEEDBACK_S
    while now_s < seconds and not search.done:
        while answers and answers[0][0] <= now_s:
            search.feedback(feedbacks[answers.pop(0)[1]])
            pacer.change(search.rate_bps, now_s)
        for _ in range(pacer.due(now_s)):
            out = wire.offer(FRAME_BYTES, now_s)
            if isinstance(out, float):
                out = -(-out // release_s) * release_s if release_s else out
                heapq.heappush(on_the_way, (out, number, search.order, now_s))
            number += 1
            pacer.sent(1)
        queue_most = max(queue_most, wire.backlog_bytes(now_s))
        next_s = now_s + wakes_s(rng)
        while on_the_way and on_the_way[0][0] <= min(next_s, next_feedback_s):
            out, which, order, sent_s = heapq.heappop(on_the_way)
            arrivals.add(which, order, round(sent_s * 1e9), round(out * 1e9) + OFFSET_NS)
        if next_feedback_s <= next_s:
            feedbacks.append(arrivals.feedback(1, len(feedbacks)))
            answers.append((next_feedback_s + back_s, len(feedbacks) - 1))
            next_feedback_s += FEEDBACK_S
        now_s = next_s
    return Ramped(search, now_s, number * FRAME_BYTES, queue_most)


def train_over(
    wire: Wire, packets: int, now_s: float, *, packet_s: float = 0.000_02, release_s: float = 0.0
) -> tuple[list[int], list[int | None], float]:
    """Times of sending and arrival of one train sent from `now_s` on, and when it is over."""
    sent_ns: list[int] = []
    arrived_ns: list[int | None] = []
    last_s = now_s
    for each in range(packets):
        sent_s = now_s + each * packet_s
        out = wire.offer(FRAME_BYTES, sent_s)
        sent_ns.append(round(sent_s * 1e9))
        if isinstance(out, float):
            last_s = -(-out // release_s) * release_s if release_s else out
            arrived_ns.append(round(last_s * 1e9) + OFFSET_NS)
        else:
            arrived_ns.append(None)
    return sent_ns, arrived_ns, last_s
