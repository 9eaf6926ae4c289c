"""What the desk reads from the record itself, beside the daemon that writes it. Blocking: from a worker thread only."""

from pathlib import Path

from edged.control.desk_args import EvidenceArgs
from edged.control.protocol import Refusal
from edged.core.events import Json
from edged.record.errors import RecordBroken, RecordMisused
from edged.record.evidence_rows import session_rows


def evidence(state_dir: Path, args: EvidenceArgs) -> dict[str, Json]:
    """A portion of the rows about a session. Raises Refusal."""
    try:
        return session_rows(state_dir, args.session, after=args.after, last=args.last).document()
    except RecordMisused as error:
        raise Refusal("no_such_session", str(error)) from error
    except RecordBroken as error:
        raise Refusal("no_record", str(error)) from error
