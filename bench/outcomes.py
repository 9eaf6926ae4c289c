"""A line that loses probes, as arithmetic: seeded, and the same for whoever asks over it. Pure.

Loss is a two-state Markov chain: `mean` of all probes are lost, and of those that follow a lost one `q`, at the spacing
of three targets in a session (1/60 s). What holds at another spacing is a question of what a burst is, so there are two
kinds: bursts that last for a time (asking quicker meets the same burst more often; what a line really does), and bursts
of so many probes, however close (the chain as it is usually written). Independent loss is the same in both.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

SPACING_S = 1 / 60
MEAN_LOSS = 0.01
RTT_S = 0.020
"""Of the lab's fiber."""


class Bursts(StrEnum):
    """What goes on for a while when a line loses."""

    TIME = "time"
    PROBES = "probes"


@dataclass(frozen=True, slots=True)
class Regime:
    """`q`: P(lost | the probe 1/60 s before was lost); None: independent losses."""

    name: str
    q: float | None
    mean: float = MEAN_LOSS

    @property
    def again(self) -> float:
        """P(lost | the one before was lost)."""
        return self.mean if self.q is None else self.q

    @property
    def first(self) -> float:
        """π = P(lost | the one before was answered), from the mean: mean = π / (π + 1 - q)."""
        return self.mean * (1 - self.again) / (1 - self.mean)

    def kept(self, spacings: float) -> float:
        """How much of the state is still there after so many spacings: the second eigenvalue of the chain to that
        power.
        """
        eigenvalue = (self.again - self.mean) / (1 - self.mean)
        return float(eigenvalue**spacings) if eigenvalue > 0 else 0.0

    def again_after(self, spacing_s: float) -> float:
        """P(lost | a probe `spacing_s` before was lost), where bursts last for a time."""
        return self.mean + (1 - self.mean) * self.kept(spacing_s / SPACING_S)

    def asked_every(self, spacing_s: float, bursts: Bursts) -> "Regime":
        """The same line as seen by probes at another spacing."""
        if self.q is None or bursts is Bursts.PROBES:
            return self
        return replace(self, q=self.again_after(spacing_s))


REGIMES = (
    Regime("independent", None),
    Regime("q = 0.3", 0.3),
    Regime("q = 0.5", 0.5),
    Regime("q = 0.7", 0.7),
)


class Line:
    """Ask it in the order of time. `change` and `cut` hold from the next probe on."""

    def __init__(self, regime: Regime, rng: Random, bursts: Bursts = Bursts.TIME) -> None:
        self._draw = rng.random
        self._in_time = bursts is Bursts.TIME
        self._at_s = 0.0
        self._bad = False
        self.cut_s = float("inf")
        """From here on nothing arrives, in neither direction."""
        self.change(regime)

    def change(self, regime: Regime) -> None:
        self._regime, self._mean = regime, regime.mean
        self._usual = regime.kept(1.0)

    def loses(self, sent_s: float) -> bool:
        """Whether a probe sent then stays without an answer. One whose answer is on its way at the cut does."""
        usual = self._usual
        if usual and self._in_time:
            spacings = (sent_s - self._at_s) / SPACING_S
            if not 0.999 < spacings < 1.001:
                usual = self._regime.kept(spacings)
        self._at_s = sent_s
        chance = self._mean * (1 - usual) + (usual if self._bad else 0.0)
        self._bad = self._draw() < chance
        return self._bad or sent_s + RTT_S > self.cut_s
