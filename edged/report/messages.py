"""What is composed for one connection: our state, snapshots, answers, tombstones. Events and telemetry are
not: they go out as they are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count

from edged.clock import Clock
from edged.core.events import Json
from edged.record.envelope import Origin, moment_envelope, stamp
from edged.record.recorded import RecordStatus, Tombstone
from edged.report.commands import Refusal
from edged.report.outgoing import Kind, Publication
from edged.report.topics import Topics


class State(StrEnum):
    """What `state` says of us."""

    ONLINE = "online"
    STOPPED = "stopped"
    LOST = "lost"  # the Will: said by the broker when we fell silent


@dataclass
class Composer:
    """Spells the messages of one connection. `epoch` counts connections; within one, messages are counted."""

    origin: Origin
    clock: Clock
    boot: str
    stream: str
    """Makes identities unique beyond the life of the ledger that counts the epochs."""
    epoch: int
    birth: Mapping[str, Json]
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def topics(self) -> Topics:
        return Topics(self.origin)

    def state(self, state: State, record: RecordStatus) -> Publication:
        data = {"state": state.value, **self.birth, "durable": record.durable, "heads": heads(record)}
        return Publication(Kind.STATE, self.topics.state, self._spell("state", data), retain=True)

    def will(self) -> tuple[str, bytes]:
        """Topic and payload. Its `time` is when the connection was made: nobody can date his own end."""
        return self.topics.state, self._spell("state", {"state": State.LOST.value, **self.birth})

    def snapshot(self, thing: str, looks: Json) -> Publication:
        """A thing that is gone leaves an empty retained message, which deletes the old one."""
        payload = (
            b""
            if looks is None
            else self._spell(f"snap.{thing}", looks if isinstance(looks, Mapping) else {thing: looks})
        )
        return Publication(Kind.SNAPSHOT, self.topics.snapshot(thing), payload, retain=True)

    def tombstone(self, grave: Tombstone) -> bytes:
        """To be sent in a batch."""
        data: dict[str, Json] = {
            "stream": grave.stream,
            "first": grave.first,
            "last": grave.last,
            "why": grave.why.value,
        }
        if grave.tiers:
            data["tiers"] = {str(tier): events for tier, events in grave.tiers}
        return self._spell("tombstone", data)

    def answer(self, data: Mapping[str, Json]) -> Publication:
        return Publication(Kind.ANSWER, self.topics.answer, self._spell("answer", data))

    def refusal(self, refused: Refusal) -> Publication:
        return self.answer({"id": refused.id, "status": "refused", "reason": refused.reason.value})

    def _spell(self, kind: str, data: Mapping[str, Json]) -> bytes:
        identity = f"{self.stream}/{self.epoch}/{next(self._numbers)}"
        now = stamp(self.clock, self.boot)
        return moment_envelope(kind, data, origin=self.origin, now=now, identity=identity, epoch=self.epoch)


def heads(record: RecordStatus) -> list[Json]:
    """What a consumer must hold to hold everything; the last stream is the one being written."""
    return [{"stream": head.stream, "last": head.last, "acknowledged": head.acknowledged} for head in record.heads]
