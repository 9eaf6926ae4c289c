"""What a call over this link would sound like: the E-model of ITU-T G.107, simplified to delay and loss. Pure.

R = 93.2 - Id - Ie,eff, with every other default of the model; codec G.711 with concealment (G.113: Ie 0, Bpl 25.1), the
best there is on a phone, so a poor figure is the link's doing. A planning model of conversational speech: it knows no
echo, no codec of the platform and no picture.

Two probe figures have to stand in for what a call would see, both on the safe side:

- Loss on the round trip is that of both directions together, and the call suffers one at a time.
- Of delay one way we know half the round trip. A call adds a packet's worth of speech (20 ms) and the buffer against
  jitter, taken as twice the RFC 3550 jitter, about what adaptive buffers settle at; and that jitter is of round trips.
"""

PACKET_S = 0.020
"""Speech in one packet: it is spoken before it is sent."""
BUFFER_JITTERS = 2.0

_BEST_R = 93.2  # all of G.107's default values
_IE, _BPL = 0.0, 25.1  # G.113 appendix I: G.711 with packet loss concealment, random loss
_STEEPER_MS = 177.3  # from here on people begin to talk over each other
_WORST, _BEST = 1.0, 4.5
_BURST_RATIOS = (1.0, 8.0)  # what the model is made for; loss more regular than random sounds no better


def mos(*, rtt_s: float, jitter_s: float, loss_pct: float, burst_ratio: float) -> float:
    """Mean opinion score, 1 to 4.5 (4.0 and more: satisfied; below 3.1: nearly all dissatisfied).

    `burst_ratio` is the mean run of lost packets over what independent loss would give, see `bursts`; 1 is independent.
    """
    delay_s = rtt_s / 2 + BUFFER_JITTERS * jitter_s + PACKET_S
    return score(rating(delay_s=delay_s, loss_pct=loss_pct, burst_ratio=burst_ratio))


def rating(*, delay_s: float, loss_pct: float, burst_ratio: float) -> float:
    """R of G.107 for `delay_s` from mouth to ear; 93.2 is the best, below 50 nobody would bear it."""
    delay_ms = 1000 * delay_s
    delay = 0.024 * delay_ms + 0.11 * max(0.0, delay_ms - _STEEPER_MS)
    bursts = min(_BURST_RATIOS[1], max(_BURST_RATIOS[0], burst_ratio))
    loss = _IE + (95 - _IE) * loss_pct / (loss_pct / bursts + _BPL)
    return _BEST_R - delay - loss


def score(r: float) -> float:
    """G.107 annex B: MOS of R. The cubic dips below 1 under R = 6.5; nobody scores less than 1."""
    if r <= 0:
        return _WORST
    return min(_BEST, max(_WORST, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r)))
