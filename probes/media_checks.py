"""Whether the far end of a media path answers the room's connectivity checks (RFC 8489; consent, RFC 7675). Pure.

Consent is asked every 4–6 s, so waiting for several unanswered ones takes long. Sooner known is this: one check that is
overdue while nothing at all comes from the far end, no report and no check of its own, is a path that is gone; a
single lost check on a path where something still comes is not. And an answer given before the far end fell silent says
nothing of now.
"""

from probes.reading import FarEnd

OVERDUE_S = 1.0  # no round trip of a session one can hold takes longer
SILENT_S = 3.0  # of unanswered checks while something else still comes: the way up is gone
UNHEARD_S = 2.0  # of nothing at all: reports come each 0.1–1.5 s from whoever receives video
_HUSH_S = 1.0  # after so long without a packet an older answer is no news any more
_ASKED_S = 15.0  # three consent intervals: after that nobody asks
_NEVER_S = float("-inf")
_MAX_PENDING = 32  # 30 s of consent checks, or 15 s of a browser in doubt


class Checks:
    """The checks one flow's room end sent, and the answers to them."""

    __slots__ = ("_answered_s", "_asked_s", "_pending")

    def __init__(self) -> None:
        self._pending: dict[bytes, float] = {}
        self._asked_s = _NEVER_S
        self._answered_s = _NEVER_S

    @property
    def answered(self) -> bool:
        """Ever."""
        return self._answered_s > _NEVER_S

    def asked(self, transaction: bytes, t_s: float) -> None:
        """A request left the room; one sent again keeps its first time."""
        self._asked_s = t_s
        if transaction not in self._pending and len(self._pending) >= _MAX_PENDING:
            del self._pending[next(iter(self._pending))]
        self._pending.setdefault(transaction, t_s)

    def answer(self, transaction: bytes, t_s: float) -> None:
        """An answer came. One to a request not seen counts for nothing; earlier requests are settled with this one."""
        if (asked_s := self._pending.pop(transaction, None)) is None:
            return
        self._answered_s = t_s
        self._pending = {other: sent_s for other, sent_s in self._pending.items() if sent_s > asked_s}

    def far_end(self, now_s: float, heard_s: float | None) -> FarEnd:
        """What the checks say; `heard_s` is when anything but an answer last came from the far end on this flow."""
        if now_s - self._asked_s > _ASKED_S:
            return FarEnd.UNKNOWN
        heard_s = _NEVER_S if heard_s is None else heard_s
        unheard_s = now_s - max(heard_s, self._answered_s)
        overdue = [sent_s for sent_s in self._pending.values() if now_s - sent_s > OVERDUE_S]
        if overdue and unheard_s >= UNHEARD_S:
            return FarEnd.SILENT
        if len(overdue) > 1 and now_s - overdue[0] >= SILENT_S:
            return FarEnd.SILENT
        if self.answered and (unheard_s <= _HUSH_S or self._answered_s > heard_s):
            return FarEnd.ANSWERING
        return FarEnd.UNKNOWN
