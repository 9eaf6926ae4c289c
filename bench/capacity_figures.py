"""From what the capacity bench saw to its figures. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

HURT_S = 0.010
"""A packet so much later than usual is hurt."""
IP_SHARE = 1500 / 1514
"""Of the lab's rates, which count Ethernet frames: what a line carries of full IP packets."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of the running stream. Seconds of the one clock both ends have; `arrived_s` is None if it was lost."""

    sent_s: float
    arrived_s: float | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a load ended after a stream had begun."""

    hurt_ms: float
    """From the first packet hurt, by its time of sending, to the last load; from the first packet where none was."""
    begin_ms: float
    """From the stream's first packet to the last load."""
    hurt: int
    late_most_ms: float


def error_pct(rate_bps: float, line_bps: float) -> float:
    """Of a reading, signed, against what a line of `line_bps` Ethernet frames carries at the IP layer."""
    return 100 * (rate_bps / (line_bps * IP_SHARE) - 1)


def usual_delay_s(packets: Sequence[Packet]) -> float:
    """Raises ValueError where nothing arrived."""
    delays_s = [packet.arrived_s - packet.sent_s for packet in packets if packet.arrived_s is not None]
    if not delays_s:
        raise ValueError("nothing of the stream arrived")
    return median(delays_s)


def stopped_after(packets: Sequence[Packet], usual_s: float, last_load_s: float) -> Stopped:
    """Raises ValueError for a stream without packets."""
    hurt = [packet for packet in packets if _is_hurt(packet, usual_s)]
    began_s = min(packet.sent_s for packet in packets)
    late_s = [packet.arrived_s - packet.sent_s - usual_s for packet in packets if packet.arrived_s is not None]
    return Stopped(
        hurt_ms=1000 * (last_load_s - min((packet.sent_s for packet in hurt), default=began_s)),
        begin_ms=1000 * (last_load_s - began_s),
        hurt=len(hurt),
        late_most_ms=1000 * max(late_s, default=0.0),
    )


def _is_hurt(packet: Packet, usual_s: float) -> bool:
    return packet.arrived_s is None or packet.arrived_s - packet.sent_s > usual_s + HURT_S


def worst_pct(errors_pct: Sequence[float]) -> float:
    """Absolute."""
    return max(map(abs, errors_pct))
