"""How much of a link reporting may take: a token bucket for backlog, a month's budget for all. Pure."""

from dataclasses import dataclass, field

from probes.budget import Budget, Spent

BURST_S = 2.0
"""What a bucket holds at most, in seconds of its rate: less than a live event would notice on a slow line."""


@dataclass(slots=True)
class TokenBucket:
    """Bytes per second on average, BURST_S of them at once. A batch may go when the bucket is not empty, and leaves it
    in debt: batches are a few kB, and one larger than the bucket must not wait for ever.
    """

    rate_bps: float
    _tokens: float = field(init=False)
    _at_s: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._tokens = self._full

    def allows(self, now_s: float) -> bool:
        self._fill(now_s)
        return self._tokens > 0

    def spend(self, size_bytes: int, now_s: float) -> None:
        self._fill(now_s)
        self._tokens -= size_bytes

    def again_at_s(self, now_s: float) -> float:
        """When `allows` will say yes."""
        self._fill(now_s)
        return now_s + max(0.0, -self._tokens) * 8 / self.rate_bps + 1e-3

    @property
    def _full(self) -> float:
        return BURST_S * self.rate_bps / 8

    def _fill(self, now_s: float) -> None:
        if self._at_s is not None and now_s > self._at_s:
            self._tokens = min(self._full, self._tokens + (now_s - self._at_s) * self.rate_bps / 8)
        self._at_s = max(now_s, self._at_s or now_s)


@dataclass(slots=True)
class Share:
    """What one link gives to reporting."""

    bucket: TokenBucket
    budget: Budget | None = None
    """None: the link is not metered."""

    @classmethod
    def of(cls, replay_kbit: float, monthly_mb: float | None, spent: Spent | None = None) -> "Share":
        if monthly_mb is None:
            return cls(TokenBucket(replay_kbit * 1e3))
        budget = Budget(round(monthly_mb * 1e6), calm_bps=0, most_stretch=1, spent=spent or Spent(None, 0))
        return cls(TokenBucket(replay_kbit * 1e3), budget)

    @property
    def over_budget(self) -> bool:
        return self.budget is not None and self.budget.over

    def spent(self, size_bytes: int, wall_s: float) -> None:
        """The connection has cost so much more."""
        if self.budget is not None and size_bytes > 0:
            self.budget.spend(size_bytes, wall_s)
