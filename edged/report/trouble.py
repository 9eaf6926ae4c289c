"""What is wrong with a connection that stands: the broker does not take everything. Kept per kind of message, told as
the worst. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from edged.report.outgoing import Kind, Publication
from edged.report.reading import BrokerCause
from edged.report.taken import Taken

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Trouble:
    cause: BrokerCause
    code: int | None


_NONE = Trouble(BrokerCause.NONE, None)
_WORST_FIRST = (BrokerCause.SUBSCRIBE_REFUSED, BrokerCause.PUBLISH_REFUSED, BrokerCause.UNHEARD)


class Troubles:
    def __init__(self) -> None:
        self._by_kind: dict[Kind | None, Trouble] = {}

    @property
    def worst(self) -> Trouble:
        return min(self._by_kind.values(), key=lambda trouble: _WORST_FIRST.index(trouble.cause), default=_NONE)

    def subscribed(self, codes: Sequence[int]) -> None:
        """SUBACK: one refused topic and acknowledgements or commands will not come."""
        if max(codes) >= 0x80:
            self._note(None, Trouble(BrokerCause.SUBSCRIBE_REFUSED, max(codes)))
        else:
            self._by_kind.pop(None, None)

    @property
    def deaf(self) -> bool:
        """Whether a subscription was refused."""
        return None in self._by_kind

    def answered(self, publication: Publication, code: int, *, left: bool) -> None:
        """PUBACK: a message that was taken ends the trouble of its kind, unless others are `left` that were turned
        away.
        """
        match Taken.of(code):
            case Taken.YES if left:
                pass
            case Taken.YES:
                self._by_kind.pop(publication.kind, None)
            case Taken.REFUSED:
                self._note(publication.kind, Trouble(BrokerCause.PUBLISH_REFUSED, code))
            # a retained message waits for its reader, telemetry need not have one
            case Taken.UNHEARD if publication.rows:
                self._note(publication.kind, Trouble(BrokerCause.UNHEARD, code))

    def _note(self, kind: Kind | None, trouble: Trouble) -> None:
        if self._by_kind.get(kind) != trouble:
            what = "subscription" if kind is None else kind.value
            log.warning("the broker does not take it", what=what, cause=trouble.cause.value, code=trouble.code)
        self._by_kind[kind] = trouble
