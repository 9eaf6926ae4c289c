"""Whose CPU is it? Thread time of named methods, each without what it calls of the others.

Timing a call costs about a microsecond itself, so shares are taken in a run of their own.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

Method = tuple[type, str]


class CpuShares:
    """While entered: `ns` and `calls` of each part. Objects must be made inside, or they may hold the methods bare."""

    def __init__(self, parts: Mapping[str, Sequence[Method]]) -> None:
        self.ns = dict.fromkeys(parts, 0)
        self.calls = dict.fromkeys(parts, 0)
        self._parts = parts
        self._bare: list[tuple[type, str, Callable[..., Any]]] = []
        self._inner_ns: list[int] = []

    def __enter__(self) -> Self:
        for part, methods in self._parts.items():
            for owner, name in methods:
                bare = getattr(owner, name)
                self._bare.append((owner, name, bare))
                setattr(owner, name, self._timed(part, bare))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for owner, name, bare in self._bare:
            setattr(owner, name, bare)
        self._bare.clear()

    def reset(self) -> None:
        for part in self._parts:
            self.ns[part] = self.calls[part] = 0

    def _timed(self, part: str, bare: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            self._inner_ns.append(0)
            began_ns = time.thread_time_ns()
            try:
                return bare(*arguments, **named)
            finally:
                whole_ns = time.thread_time_ns() - began_ns
                self.ns[part] += whole_ns - self._inner_ns.pop()
                self.calls[part] += 1
                if self._inner_ns:
                    self._inner_ns[-1] += whole_ns

        return timed
