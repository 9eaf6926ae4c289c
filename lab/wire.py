"""One direction of a wire as arithmetic: when does a packet that enters now come out at the far end, or what became of
it?

In order: a cut wire loses everything, and one with an MTU what is larger, without a word (the black hole of a tunnel
whose ICMP errors are filtered, RFC 2923). Then the transmitter, which sends `rate_bps` and lets at most `queue_bytes`
wait: what finds no room is dropped at the tail, so a full queue is a long delay (bufferbloat) before it is a loss.
Then the way: loss by a Gilbert–Elliott chain whose bad state loses everything, the propagation delay, and jitter that
never changes the order of packets.

Pure: the time is an argument, chance is a seeded `random.Random`. Lengths are bytes of the Ethernet frame without its
FCS.
"""

from dataclasses import dataclass, replace
from enum import Enum
from random import Random

DIRECTIONS = ("up", "down")
"""Of a link: up is from the room to the internet. Each is a wire of its own."""

SMALLEST_QUEUE_BYTES = 1514
"""One full Ethernet frame: with less, a wire of any rate would carry nothing."""

ETHERNET_HEADER_BYTES = 14

SMALLEST_MTU_BYTES, LARGEST_MTU_BYTES = 68, 65535
"""What RFC 791 lets an IPv4 link have."""

JITTER_HOLD_S = 0.010
"""Jitter is drawn once per so many seconds, as a radio scheduler grants slots. Drawn per packet, keeping the order
would push a dense stream to the worst draw of all its neighbours."""


class Fate(Enum):
    QUEUE_FULL = "queue_full"
    LOST = "lost"
    CUT = "cut"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireSettings:
    """`loss` is the mean share of packets lost, 0–1; `burst` the mean length of a run of losses in packets (None:
    independent losses). `mtu_bytes`: longer IP packets vanish (None: nothing does). `bleach`: the network behind sets
    the DSCP of what it carries to 0; that is for who carries the frames to do.

    Raises ValueError for what no wire can be.
    """

    delay_s: float
    jitter_s: float = 0.0
    loss: float = 0.0
    burst: float | None = None
    rate_bps: float
    queue_bytes: int
    mtu_bytes: int | None = None
    bleach: bool = False
    cut: bool = False

    def __post_init__(self) -> None:
        if self.delay_s < 0 or self.jitter_s < 0:
            raise ValueError(f"delay and jitter cannot be negative: {self.delay_s} s, {self.jitter_s} s")
        if not 0 <= self.loss <= 1:
            raise ValueError(f"loss is a share between 0 and 1, not {self.loss}")
        if not 8_000 <= self.rate_bps <= 10e9:
            raise ValueError(f"rate must lie between 8 kbit/s and 10 Gbit/s, not {self.rate_bps:.0f} bit/s")
        if self.queue_bytes < SMALLEST_QUEUE_BYTES:
            raise ValueError(f"queue must hold one frame of {SMALLEST_QUEUE_BYTES} bytes, not {self.queue_bytes}")
        if self.mtu_bytes is not None and not SMALLEST_MTU_BYTES <= self.mtu_bytes <= LARGEST_MTU_BYTES:
            raise ValueError(
                f"MTU must lie between {SMALLEST_MTU_BYTES} and {LARGEST_MTU_BYTES} bytes, not {self.mtu_bytes}"
            )
        if self.burst is not None and self.loss < 1 and self.burst < max(1.0, self.loss / (1 - self.loss)):
            raise ValueError(f"bursts of {self.burst:g} packets are too short for a loss of {self.loss:.3g}")

    def with_lag(self, lag_s: float) -> "WireSettings":
        return replace(self, delay_s=self.delay_s + lag_s)

    @property
    def longest_frame_bytes(self) -> int:
        """Nothing longer comes through; without an MTU that is the longest IP packet there can be."""
        return 0 if self.cut else (self.mtu_bytes or LARGEST_MTU_BYTES) + ETHERNET_HEADER_BYTES

    def transitions(self) -> tuple[float, float]:
        """(P(good → bad), P(bad → good)) of the loss chain: mean loss p = g/(g + b), mean burst 1/b (Gilbert 1960)."""
        if self.loss >= 1:
            return 1.0, 0.0
        leave_bad = 1 - self.loss if self.burst is None else 1 / self.burst
        return leave_bad * self.loss / (1 - self.loss), leave_bad


class Wire:
    """Offer packets in the order of time. A change of settings holds for packets offered after it; those on their way
    keep their time."""

    __slots__ = (
        "_bad",
        "_bytes_per_s",
        "_cut",
        "_delay_s",
        "_enter_bad",
        "_free_at",
        "_jitter_now",
        "_jitter_s",
        "_jitter_until",
        "_last_out",
        "_leave_bad",
        "_longest",
        "_queue_bytes",
        "_rng",
    )

    def __init__(self, settings: WireSettings, rng: Random) -> None:
        self._rng = rng
        self._bad = False
        self._free_at = self._last_out = self._jitter_until = self._jitter_now = 0.0
        self.change(settings)

    def change(self, settings: WireSettings) -> None:
        self._cut = settings.cut
        self._longest = settings.longest_frame_bytes
        self._delay_s = settings.delay_s
        self._jitter_s = settings.jitter_s
        self._jitter_until = 0.0
        self._bytes_per_s = settings.rate_bps / 8
        self._queue_bytes = settings.queue_bytes
        self._enter_bad, self._leave_bad = settings.transitions()
        self._bad = self._bad and self._enter_bad > 0

    def offer(self, length: int, now: float) -> float | Fate:
        """When the last bit of a frame of `length` bytes offered at `now` arrives, in the seconds of `now`; or its
        fate."""
        if length > self._longest:  # one question for both, as every frame is asked
            return Fate.CUT if self._cut else Fate.TOO_LONG
        start = max(now, self._free_at)
        if (start - now) * self._bytes_per_s + length >= self._queue_bytes + 1:  # times are floats: a byte of tolerance
            return Fate.QUEUE_FULL
        self._free_at = start + length / self._bytes_per_s
        if self._enter_bad and self._loses():
            return Fate.LOST
        out = self._free_at + self._delay_s
        if self._jitter_s:
            out += self._jitter(now)
        if out < self._last_out:
            out = self._last_out
        self._last_out = out
        return out

    def backlog_bytes(self, now: float) -> int:
        """What waits for the transmitter now, the frame being sent included."""
        return max(0, round((self._free_at - now) * self._bytes_per_s))

    def _loses(self) -> bool:
        chance = self._rng.random()
        self._bad = chance >= self._leave_bad if self._bad else chance < self._enter_bad
        return self._bad

    def _jitter(self, now: float) -> float:
        """Uniform in ± jitter, never more negative than the propagation delay itself."""
        if now >= self._jitter_until:
            self._jitter_until = now + JITTER_HOLD_S
            self._jitter_now = self._rng.uniform(-min(self._jitter_s, self._delay_s), self._jitter_s)
        return self._jitter_now
