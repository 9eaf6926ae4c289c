"""How large a packet may be, asked of a target that answers, and where larger ones vanish.

Only answers of the packet's own size prove a size: STAMP's and echo's. So a size must pass both ways; the walk with
large packets afterwards, whose answers are small, tells what is lost on the way out.
"""

from dataclasses import dataclass

from probes.diagnosis.packets import Protocol, Question
from probes.diagnosis.size_search import SizeSearch, TooBig
from probes.diagnosis.wire import DIRECT_TTL, Wire
from probes.path_document import Hop, Kind, MtuFinding, MtuKind

_LEAST_PATIENCE_S = 0.25
_GRACE_S = 0.15


@dataclass(slots=True)
class Sizes:
    """`run` may be ended by Exhausted at any time: what was found until then stays."""

    wire: Wire
    protocol: Protocol
    rtt_s: float
    search: SizeSearch
    hops: tuple[Hop, ...]
    passes_to: str | None = None

    def run(self) -> None:
        while sizes := self.search.sizes():
            asked = [self.wire.ask(self.protocol, DIRECT_TTL, size) for size in sizes]
            self._wait_for(asked)
            answered = {q.size for q in asked if self._passed(q)}
            self.search.heard(sizes, answered, self._refused(asked))
        if self.search.low < self.search.want and self.search.high not in self.search.told:
            self._locate(self.search.high)

    def finding(self) -> MtuFinding | None:
        """None where not even the search's first round came to an end."""
        search = self.search
        if search.high > search.want and search.low < search.want:
            return None
        told = search.told.get(search.high)
        kind = MtuKind.CLEAR if search.low == search.want else MtuKind.TOLD if told else MtuKind.BLACK_HOLE
        said = told or next(iter(search.told.values()), None)
        return MtuFinding(
            kind=kind,
            bytes=search.low,
            wanted=search.want,
            exact=search.done,
            told_by=None if said is None else said.by,
            told_bytes=None if said is None else said.mtu,
            passes_to=self.passes_to,
        )

    @property
    def _patience_s(self) -> float:
        return max(_LEAST_PATIENCE_S, 2 * self.rtt_s + _GRACE_S)

    def _wait_for(self, asked: list[Question]) -> None:
        self.wire.listen(self._patience_s, lambda: all(q.number in self.wire.answers for q in asked))

    def _passed(self, question: Question) -> bool:
        answer = self.wire.reached(question)
        return answer is not None and answer.kind in (Kind.STAMP_REPLY, Kind.ECHO_REPLY)

    def _refused(self, asked: list[Question]) -> dict[int, TooBig]:
        answers = [self.wire.answers[q.number] for q in asked if q.number in self.wire.answers]
        return {a.question.size: TooBig(a.by, a.mtu or 0) for a in answers if a.kind is Kind.TOO_BIG}

    def _locate(self, size: int) -> None:
        """Which hop a packet too large still reaches; each is asked in the protocol it answered before."""
        routers = [hop for hop in self.hops if hop.kind is Kind.TIME_EXCEEDED]
        for _ in range(2):
            silent = [hop for hop in routers if not self._hears(hop, size)]
            asked = [self.wire.ask(Protocol.UDP if h.udp else Protocol.ICMP, h.ttl, size) for h in silent]
            self._wait_for(asked)
            reached = [hop for hop in routers if self._hears(hop, size)]
            self.passes_to = reached[-1].address if reached else None

    def _hears(self, hop: Hop, size: int) -> bool:
        return any(
            a.question.ttl == hop.ttl and a.question.size == size and a.kind is Kind.TIME_EXCEEDED
            for a in self.wire.answers.values()
        )
