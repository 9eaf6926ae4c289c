"""The walk: who answers packets that may go one hop, two hops, … All TTLs of a stretch are asked at once, with both
protocols, and only the silent ones again: routers answer few such packets (Linux six in a burst, then one a second, per
asker), and eight timeouts in turn would take eight times as long.
"""

from dataclasses import dataclass

from probes.diagnosis.neighbour import Neighbour
from probes.diagnosis.packets import Protocol, Question, smallest
from probes.diagnosis.where import Sight
from probes.diagnosis.wire import DIRECT_TTL, Answer, Wire
from probes.path_document import Hop, Kind, Target

_PATIENCE_S = (0.7, 0.4, 0.4)
"""Per wave. A slow cellular line answers within 0.6 s, and what comes later still counts while the walk goes on."""

_GRACE_S = 0.15
_STRETCH = 8
_SILENT_END = 5
"""So many silent hops before the end of a stretch, with a silent target: nothing further is asked."""

_OF_THE_TARGET = (Kind.STAMP_REPLY, Kind.ECHO_REPLY, Kind.UDP_REPLY, Kind.PORT_UNREACHABLE, Kind.PROHIBITED)
_REFUSALS = (Kind.NET_UNREACHABLE, Kind.HOST_UNREACHABLE, Kind.PROHIBITED)


@dataclass(slots=True)
class Walk:
    """`run` may be ended by Exhausted at any time: what was heard until then stays."""

    wire: Wire
    neighbour: Neighbour | None
    max_hops: int

    def run(self) -> None:
        first = 1
        while first <= self.max_hops:
            stretch = range(first, min(first + _STRETCH, self.max_hops + 1))
            for patience_s in _PATIENCE_S:
                if not self._wave(stretch, patience_s):
                    break
            if self._end is not None or not self._goes_on(stretch):
                return
            first += _STRETCH

    # ── what was found ─────────────────────────────────────────────────────────────────────────────────
    @property
    def reached(self) -> dict[Kind, Answer]:
        """The target's answers, one of each kind, the quickest."""
        found: dict[Kind, Answer] = {}
        for answer in self.wire.answers.values():
            if answer.by == self.wire.flow.target and answer.kind in _OF_THE_TARGET:
                held = found.get(answer.kind)
                if held is None or (answer.rtt_s or 0.0) < (held.rtt_s or 0.0):
                    found[answer.kind] = answer
        return found

    @property
    def distance(self) -> int | None:
        """In hops; None while no packet with a small TTL reached the target."""
        ttls = [a.question.ttl for a in self.wire.answers.values() if self._from_target(a)]
        return min((ttl for ttl in ttls if ttl < DIRECT_TTL), default=None)

    def hops(self) -> tuple[Hop, ...]:
        """Up to the target or to who refused; else to the first of the silent ones at the end, all after it silent."""
        asked = [q.ttl for q in self.wire.questions.values() if q.ttl < DIRECT_TTL]
        hops = [self._hop(ttl) for ttl in range(1, (self._end or max(asked, default=0)) + 1)]
        while len(hops) > 1 and hops[-1].address is None and hops[-2].address is None:
            hops.pop()
        return tuple(hops)

    def target(self) -> Target:
        reached = self.reached
        rtts = [answer.rtt_s for answer in reached.values() if answer.rtt_s is not None]
        rtt_ms = round(min(rtts) * 1e3, 3) if rtts else None
        return Target(address=self.wire.flow.target, answers=tuple(reached), rtt_ms=rtt_ms, hops=self.distance)

    def sight(self, usual: tuple[str | None, ...], *, on_link: bool, has_router: bool) -> Sight:
        routers = [hop.address if hop.kind is Kind.TIME_EXCEEDED else None for hop in self.hops()]
        refusal = self._refusal()
        return Sight(
            target_answers=bool(self.reached),
            routers=tuple(routers),
            has_router=has_router,
            on_link=on_link,
            neighbour_alive=self.neighbour.answered if self.neighbour is not None else None,
            refused_at=None if refusal is None else self._place_of(refusal),
            refused_by=None if refusal is None else refusal.by,
            usual=usual,
        )

    # ── asking ─────────────────────────────────────────────────────────────────────────────────────────
    def _wave(self, stretch: range, patience_s: float) -> bool:
        """Asks whatever is unsettled of a stretch, and the target itself; whether it did."""
        open_ttls = [ttl for ttl in stretch if not self._settled(ttl)]
        if not open_ttls:
            return False
        if self.neighbour is not None and not self.neighbour.answered:
            self.neighbour.ask()
        # The nearest first: what a router that refuses everything may say in a second, it says of these.
        for ttl in (*open_ttls, *([] if self.reached else [DIRECT_TTL])):
            for protocol in Protocol:
                self._ask(protocol, ttl)
        self.wire.listen(max(patience_s, 2 * self._slowest_s), lambda: all(map(self._settled, stretch)))
        if all(map(self._settled, stretch)):
            # A target's UDP service answers a little later than its kernel answers echo, and tells more.
            self.wire.listen(_GRACE_S + self._slowest_s, lambda: all(self._heard_by_both(ttl) for ttl in stretch))
        return True

    def _ask(self, protocol: Protocol, ttl: int) -> Question:
        """Every packet of the walk has a length of its own, by which it may be known again."""
        return self.wire.ask(protocol, ttl, smallest(self.wire.flow) + len(self.wire.questions))

    @property
    def _slowest_s(self) -> float:
        return max((a.rtt_s or 0.0 for a in self.wire.answers.values()), default=0.0)

    def _heard_by_both(self, ttl: int) -> bool:
        end = self._end
        beyond = end is not None and ttl > end
        return beyond or {answer.question.protocol for answer in self._answers(ttl)} == set(Protocol)

    def _settled(self, ttl: int) -> bool:
        end = self._end
        return (end is not None and ttl > end) or bool(self._answers(ttl))

    @property
    def _end(self) -> int | None:
        """Of the walk: nothing behind it is worth asking."""
        refusal = self._refusal()
        refused = refusal.question.ttl if refusal is not None else DIRECT_TTL
        return self.distance or (refused if refused < DIRECT_TTL else None)

    def _goes_on(self, stretch: range) -> bool:
        return bool(self.reached) or any(self._answers(ttl) for ttl in stretch[-_SILENT_END:])

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────
    def _answers(self, ttl: int) -> list[Answer]:
        """Those of that TTL, the telling ones first: UDP is what calls and video are made of. The target answers
        packets of every larger TTL too.
        """
        at_target = ttl == self.distance
        return sorted(
            (
                a
                for a in self.wire.answers.values()
                if (a.question.ttl == ttl and a.kind is not Kind.TOO_BIG) or (at_target and self._from_target(a))
            ),
            key=lambda a: (
                a.kind is not Kind.TIME_EXCEEDED and not self._from_target(a),
                a.question.protocol is not Protocol.UDP,
            ),
        )

    def _hop(self, ttl: int) -> Hop:
        answers = self._answers(ttl)
        if not answers:
            return Hop(ttl=ttl, address=None)
        first = answers[0]
        rtts = [a.rtt_s for a in answers if a.by == first.by and a.rtt_s is not None]
        others = dict.fromkeys(a.by for a in answers if a.by not in (None, first.by))
        seen = next((a for a in answers if a.by == first.by and a.dscp_seen is not None), None)
        left = [a.ttl_quoted for a in answers if a.question.ttl == ttl and a.ttl_quoted is not None]
        return Hop(
            ttl=ttl,
            address=first.by,
            others=tuple(by for by in others if by is not None)[:4],
            kind=first.kind,
            rtt_ms=round(min(rtts) * 1e3, 3) if rtts else None,
            udp=any(a.question.protocol is Protocol.UDP for a in answers),
            icmp=any(a.question.protocol is Protocol.ICMP for a in answers),
            dscp_seen=None if seen is None else seen.dscp_seen,
            ttl_quoted=left[0] if left else None,
        )

    def _from_target(self, answer: Answer) -> bool:
        return answer.by == self.wire.flow.target and answer.kind in _OF_THE_TARGET

    def _refusal(self) -> Answer | None:
        """The nearest one from somebody else than the target."""
        said = [a for a in self.wire.answers.values() if a.kind in _REFUSALS and not self._from_target(a)]
        return min(said, key=lambda a: a.question.ttl, default=None)

    def _place_of(self, refusal: Answer) -> int:
        """Where on the way it stands that refused: its own TTL, where known. Packets with a TTL larger than its place
        are refused by it too, so the nearest one asked may be behind it.
        """
        if self.neighbour is not None and refusal.by == str(self.neighbour.address):
            return 1
        places = [a.question.ttl for a in self.wire.answers.values() if a.by == refusal.by]
        return min(places)
