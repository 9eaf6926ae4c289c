"""What is known of a line beside its liveness, in the status document. null is not known; ages instead of times."""

from edged.core.admission import Admission
from edged.core.events import Json
from edged.core.line import LineState
from edged.core.rounding import rounded
from probes.line_reading import CapacityReading, ExitReading, MeasureFailed, PathReading, StandbyReading
from probes.reading import Direction

Doc = dict[str, Json]


def line_doc(line: LineState, now: float) -> Doc:
    """Keys: capacity, not_measured, exit, standby, path."""
    capacity: Doc = {each.value: _capacity(line.capacity.get(each), now) for each in Direction}
    return {
        "capacity": capacity if line.capacity else None,
        "not_measured": {each.value: _failed(line.failed.get(each), now) for each in Direction},
        "exit": _exit(line.exit, now) if line.exit else None,
        "standby": _standby(line.standby, now) if line.standby else None,
        "path": _path(line.path, now) if line.path else None,
    }


def admission_doc(found: Admission) -> Doc:
    return {
        "link": found.link,
        "sessions": found.sessions,
        "limited_by": found.limit.value,
        "basis": found.basis.value if found.basis else None,
        "next_needs_bps": rounded(found.next_needs_bps),
        "has_bps": rounded(found.has_bps),
    }


def _capacity(reading: CapacityReading | None, now: float) -> Doc | None:
    if reading is None:
        return None
    return {
        "rate_bps": rounded(reading.rate_bps),
        "low_bps": rounded(reading.low_bps),
        "high_bps": rounded(reading.high_bps),
        "confidence": rounded(reading.confidence),
        "method": reading.method.value,
        "age_s": rounded(now - reading.at_s),
    }


def _failed(reading: MeasureFailed | None, now: float) -> Doc | None:
    if reading is None:
        return None
    return {
        "method": reading.method.value,
        "why": reading.why.value,
        "age_s": rounded(now - reading.at_s),
    }


def _exit(reading: ExitReading, now: float) -> Doc:
    return {"mapped": reading.mapped, "hops": list(reading.hops), "age_s": rounded(now - reading.at_s)}


def _standby(reading: StandbyReading, now: float) -> Doc:
    return {
        "fit": reading.fit,
        "lacks": list(reading.lacks),
        "mtu_bytes": reading.mtu_bytes,
        "dscp_sent": reading.dscp_sent,
        "dscp_arrived": reading.dscp_arrived,
        "proven_age_s": None if reading.proven_s is None else rounded(now - reading.proven_s),
    }


def _path(reading: PathReading, now: float) -> Doc:
    return {
        "age_s": rounded(now - reading.at_s),
        "target": reading.target,
        "dies_at": reading.dies_at.value,
        "last_hop": reading.last_hop,
        "dscp_changed_at": reading.dscp_changed_at,
        "mtu_bytes": reading.mtu_bytes,
        "trouble": reading.trouble,
        "document": reading.document,
    }
