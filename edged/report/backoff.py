"""How long to wait before the next attempt: doubling to a cap, jittered so that a thousand sites do not come back in
step. Pure.
"""

from collections.abc import Callable
from random import uniform


class Backoff:
    def __init__(self, first_s: float, cap_s: float, jitter: Callable[[float, float], float] = uniform) -> None:
        self._first_s, self._cap_s, self._jitter = first_s, cap_s, jitter
        self._next_s = first_s

    def pause_s(self) -> float:
        """Half of the pause is certain, half is chance."""
        pause_s, self._next_s = self._next_s, min(2 * self._next_s, self._cap_s)
        return self._jitter(pause_s / 2, pause_s)

    def reset(self) -> None:
        self._next_s = self._first_s
