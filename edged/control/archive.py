"""What the desk reads from the record itself, beside the daemon that writes it. Blocking: from a worker thread only."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edged.control.desk_args import EvidenceArgs, IncidentArgs, IncidentsArgs
from edged.control.protocol import Refusal
from edged.core.events import Json
from edged.record import incident_rows
from edged.record.errors import RecordBroken, RecordMisused
from edged.record.evidence_rows import session_rows


def incidents(state_dir: Path, args: IncidentsArgs) -> list[dict[str, Json]]:
    """The newest, newest first. Raises Refusal."""
    with _refusing("no_such_incident"):
        return incident_rows.incidents(state_dir, limit=args.limit)


def incident(state_dir: Path, args: IncidentArgs) -> dict[str, Json]:
    """One, from onset to closure. Raises Refusal."""
    with _refusing("no_such_incident"):
        return incident_rows.incident(state_dir, args.number)


def evidence(state_dir: Path, args: EvidenceArgs) -> dict[str, Json]:
    """A portion of the rows about a session. Raises Refusal."""
    with _refusing("no_such_session"):
        return session_rows(state_dir, args.session, after=args.after, last=args.last).document()


@contextmanager
def _refusing(nothing: str) -> Iterator[None]:
    """`nothing`: the code where the record holds nothing of the kind."""
    try:
        yield
    except RecordMisused as error:
        raise Refusal(nothing, str(error)) from error
    except RecordBroken as error:
        raise Refusal("no_record", str(error)) from error
