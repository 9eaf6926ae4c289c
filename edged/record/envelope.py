"""CloudEvents 1.0, structured JSON, one spelling (RFC 8785).

An event is spelled once, when it is recorded: what is stored, hashed, sent and sent again are the same bytes. So
`epoch`, which counts connections, is not in it; it is in what is made for one connection: state, snapshots, answers,
tombstones. Nothing is said that the contract (`edged.contract`) does not know: no free text leaves the box.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from edged.clock import Clock, ClockQuality, rfc3339
from edged.contract import fit
from edged.core.events import Event, Json
from edged.record.canonical import canonical
from edged.record.errors import RecordMisused

log = structlog.get_logger()

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")  # no dot: NATS ends a connection over one in a topic


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose box this is. Both names are levels of an MQTT topic."""

    tenant: str
    site: str

    def __post_init__(self) -> None:
        for name in (self.tenant, self.site):
            if not _NAME.fullmatch(name):
                raise RecordMisused(f"tenant and site are 1 to 64 of A-Z a-z 0-9 _ -, not {name!r}")

    @property
    def source(self) -> str:
        return f"edge/{self.tenant}/{self.site}"


@dataclass(frozen=True, slots=True)
class Stamp:
    """One moment on both clocks, and how good the wall clock was."""

    wall_s: float
    monotonic_s: float
    quality: ClockQuality
    boot: str

    def at(self, monotonic_s: float) -> "Stamp":
        """The same clocks read at another moment of this boot."""
        return Stamp(self.wall_s + monotonic_s - self.monotonic_s, monotonic_s, self.quality, self.boot)


def stamp(clock: Clock, boot: str) -> Stamp:
    return Stamp(clock.wall(), clock.monotonic(), clock.quality(), boot)


def event_envelope(event: Event, *, origin: Origin, now: Stamp, stream: str, sequence: int) -> bytes:
    """The bytes of one event, for the ledger and for the wire. `sequence` is gapless within `stream`."""
    return canonical(
        _frame(f"edge.{event.name}.v1", f"{stream}:{sequence}", origin, now.at(event.at_s))
        | {"stream": stream, "sequence": sequence, "tier": event.tier, "data": _fitting(event.name, event.data)}
    )


def measurement_envelope(
    kind: str, data: Mapping[str, Json], *, origin: Origin, now: Stamp, stream: str, sequence: int, first: int
) -> bytes:
    """The bytes of one telemetry message, `sequence` gapless within `stream`. One that was made of several, to save
    room, stands for all from `first` on.
    """
    told: dict[str, Json] = {"stream": stream, "sequence": sequence, "data": _fitting(f"tel.{kind}", data)}
    if first != sequence:
        told["first"] = first
    return canonical(_frame(f"edge.tel.{kind}.v1", f"{stream}:{sequence}", origin, now) | told)


def moment_envelope(
    kind: str, data: Mapping[str, Json], *, origin: Origin, now: Stamp, identity: str, epoch: int
) -> bytes:
    """The bytes of what is told once, on one connection: kind "state", "snap.link", "answer", "tombstone".

    Such messages have no place in a stream: the next one replaces them. `identity` is unique for this source.
    """
    return canonical(_frame(f"edge.{kind}.v1", identity, origin, now) | {"epoch": epoch, "data": _fitting(kind, data)})


def _fitting(kind: str, data: Mapping[str, Json]) -> Mapping[str, Json]:
    """What the contract lets be said. An event must not be lost over a field that it does not know, and no field may
    carry what nobody foresaw: so the field is left out, and our log says which.
    """
    fitting, left_out = fit(kind, data)
    unheard = {(kind, name) for name in left_out} - _told
    if unheard and len(_told) < _MOST_TOLD:
        _told.update(unheard)
        log.error("left out of a message: not in the contract", message=kind, fields=sorted(n for _, n in unheard))
    return fitting


_MOST_TOLD = 200
_told: set[tuple[str, str]] = set()


def _frame(kind: str, identity: str, origin: Origin, moment: Stamp) -> dict[str, Json]:
    return {
        "specversion": "1.0",
        "id": identity,
        "source": origin.source,
        "type": kind,
        "time": rfc3339(moment.wall_s),
        "datacontenttype": "application/json",
        "clockq": moment.quality.value,
        # Text: a CloudEvents Integer has 32 bits (1.0, 2.4.1 "Integer"), milliseconds outgrow them after 24.8 days of
        # uptime.
        "monoms": str(round(moment.monotonic_s * 1000)),
        "bootid": moment.boot,
    }
