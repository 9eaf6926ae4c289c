"""A walk over a few subtrees, one GETBULK at a time, so that it can be spread over many polls. Pure: it says what to
ask next and is fed the rows.

A broken agent cannot hold it: rows must climb, and each subtree ends after `MAX_ROWS`.
"""

from collections.abc import Sequence

from wan.varbinds import Oid, Value

MAX_ROWS = 256
"""Per subtree. A Balance 20X shows 42 rows of WANs; routers with many VLANs some hundred interfaces."""


class Survey:
    """`found` grows until `next_request()` is None."""

    def __init__(self, roots: Sequence[Oid]) -> None:
        self.found: dict[Oid, Value] = {}
        self._roots = list(roots)
        self._at: Oid = self._roots[0] if self._roots else ()
        self._rows = 0

    def next_request(self) -> Oid | None:
        """Where the next GETBULK starts; None when all is walked."""
        return self._at if self._roots else None

    def feed(self, rows: Sequence[tuple[Oid, Value]]) -> None:
        """The rows that came after the last request's OID, in the agent's order."""
        if not rows:
            self._end_of_subtree()
        for at, value in rows:
            if value is None or at[: len(self._roots[0])] != self._roots[0] or at <= self._at or self._rows == MAX_ROWS:
                self._end_of_subtree()
                return
            self.found[at] = value
            self._at = at
            self._rows += 1

    def _end_of_subtree(self) -> None:
        self._roots.pop(0)
        self._rows = 0
        if self._roots:
            self._at = self._roots[0]
