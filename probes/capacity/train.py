"""Packet trains: how far apart back-to-back packets come out of a line says what it carries. Pure.

A train is worth something only if its packets queued at the narrowest place all the time, so what was lost, reordered
or sent too slowly is thrown away, and so are its first packets. Its error is the noise of stamps and line over its
length in time: the length is chosen by time, and grows with the noise of the line (10 ms on fiber, 100 ms on cellular).

What no train can see: a shaper that lets a burst through at line speed first, and bonded lines that take turns. The
confidence says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from statistics import fmean, median

from probes.capacity.figure import LEAST_SAMPLES, Figure, figure_of
from probes.packets.capacity import TRAIN_PACKETS_MAX

FIRST_PACKETS = 16  # tells fiber from cellular, and costs 24 kB
LEAST_PACKETS = 12
TRAINS_WANTED, TRAINS_MOST = 5, 9

_SPANS_PER_NOISE = 20  # an error of 5 % a train
_SHORTEST_S, _LONGEST_S = 0.010, 0.100
_LONG_ENOUGH = 0.6
_LOST_MOST = 0.02  # where the losses happened, before the narrowest place or behind it, makes no more of an error
_SKIPPED = 0.1  # the first tenth: the line's own burst allowance, and our first wake-up
_PRESSED = 0.25  # of the time it came out in, the sender must have been so much faster
_STAMP_NOISE_S = 0.000_3
_TRUST = 0.85


@dataclass(frozen=True, slots=True)
class TrainSample:
    """One whole train. `rate_bps` is None for one that was disturbed."""

    packets: int
    rate_bps: float | None
    span_s: float
    """In which it came out."""


def measure_train(sent_ns: Sequence[int], arrived_ns: Sequence[int | None], packet_bytes: int) -> TrainSample:
    """What one train says. `packet_bytes` are counted from the IP header on; the two clocks need not agree.

    Each kept packet is paired with the one two thirds of the train later, and the middle half of those times is
    averaged: late wake-ups anywhere, and stamps that come in quanta, average out instead of adding up.
    """
    packets = len(sent_ns)
    came = [(sent, arrived) for sent, arrived in zip(sent_ns, arrived_ns, strict=True) if arrived is not None]
    came = came[max(1, round(_SKIPPED * packets)) :]
    if len(came) < LEAST_PACKETS / 2:
        return TrainSample(packets, None, 0.0)
    span_s = (came[-1][1] - came[0][1]) / 1e9
    sent_span_s = (came[-1][0] - came[0][0]) / 1e9
    in_order = all(later[1] >= earlier[1] for earlier, later in pairwise(came))
    lost = sum(each is None for each in arrived_ns)
    if span_s <= 0 or not in_order or lost > _LOST_MOST * packets or sent_span_s > (1 - _PRESSED) * span_s:
        return TrainSample(packets, None, max(0.0, span_s))
    stride = max(1, 2 * len(came) // 3)
    gaps_ns = sorted(came[at + stride][1] - came[at][1] for at in range(len(came) - stride))
    cut = len(gaps_ns) // 4
    gap_ns = fmean(gaps_ns[cut : len(gaps_ns) - cut])
    return TrainSample(packets, stride * packet_bytes * 8e9 / gap_ns if gap_ns > 0 else None, span_s)


@dataclass(slots=True)
class TrainPlan:
    """Which train to send next, until there are enough or the budget is spent."""

    packet_bytes: int
    bytes_max: int
    noise_s: float
    """How much the line's delay wavers from packet to packet."""
    samples: list[TrainSample] = field(default_factory=list)
    spent_bytes: int = 0

    def next_packets(self) -> int:
        """Length of the next train; 0: no more."""
        if len(self._good()) >= TRAINS_WANTED or len(self.samples) >= TRAINS_MOST:
            return 0
        wanted = self._wanted_packets()
        affordable = (self.bytes_max - self.spent_bytes) // self.packet_bytes
        # Rather three shorter trains than one of the right length.
        share = affordable // max(1, LEAST_SAMPLES - len(self._good()))
        packets = min(wanted, share)
        return packets if packets >= LEAST_PACKETS else 0

    def took(self, sample: TrainSample) -> None:
        self.samples.append(sample)
        self.spent_bytes += sample.packets * self.packet_bytes

    def figure(self) -> Figure | None:
        """None: too few trains came through undisturbed."""
        good = self._good()
        if not good:
            return None
        length_s = min(sample.span_s for sample in good)
        noise = (_STAMP_NOISE_S + self.noise_s / len(good)) / length_s
        return figure_of([sample.rate_bps for sample in good if sample.rate_bps], noise=noise, trust=_TRUST)

    def _wanted_packets(self) -> int:
        rates_bps = [sample.rate_bps for sample in self.samples if sample.rate_bps]
        if not rates_bps:
            return FIRST_PACKETS
        packets = ceil(self._wanted_s() * median(rates_bps) / (8 * self.packet_bytes) / (1 - _SKIPPED)) + 1
        return min(TRAIN_PACKETS_MAX, max(FIRST_PACKETS, packets))

    def _wanted_s(self) -> float:
        return min(_LONGEST_S, max(_SHORTEST_S, _SPANS_PER_NOISE * self.noise_s))

    def _good(self) -> list[TrainSample]:
        """The undisturbed, but for the first, which only told the others' length, and those that were cut much
        shorter.
        """
        usable = [sample for sample in self.samples if sample.rate_bps is not None][1:]
        longest_s = max((sample.span_s for sample in usable), default=0.0)
        return [sample for sample in usable if sample.span_s >= _LONG_ENOUGH * longest_s]


def idle_delay(round_trips_s: Sequence[float]) -> tuple[float, float]:
    """Of an idle line's echoes: the median, and how much one direction wavers (half the spread of both)."""
    return median(round_trips_s), (max(round_trips_s) - min(round_trips_s)) / 2


def rose_s(idle_s: float, round_trips_s: Sequence[float]) -> float:
    """How far the line's delay is above idle. The least of several: a queue lifts all, jitter only some."""
    return min(round_trips_s) - idle_s
