"""Reads one order as JSON from stdin, answers with one document on stdout. Never outlives its time."""

import contextlib
import os
import signal
import sys
from pathlib import Path

from pydantic import ValidationError

from probes.path_document import Document, Failure, Order

_LONGEST_ORDER = 65536
_NICENESS = 10  # probing comes first
_OOM_SCORE = "500"  # should memory run out, this ends and not the daemon
_GRACE_S = 5


def main() -> int:
    _stand_back()
    try:
        order = Order.model_validate_json(sys.stdin.buffer.read(_LONGEST_ORDER))
    except ValidationError as error:
        print(error, file=sys.stderr)
        return os.EX_USAGE
    signal.alarm(int(order.within_s) + _GRACE_S)
    print(_carried_out(order).model_dump_json(), flush=True)
    return os.EX_OK


def _carried_out(order: Order) -> Document | Failure:
    try:
        from probes.diagnosis.program import diagnose
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "scapy":
            raise
        return Failure(trouble="no_scapy")
    return diagnose(order)


def _stand_back() -> None:
    """A sandbox may forbid either; then it runs as its parent does."""
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")


if __name__ == "__main__":
    sys.exit(main())
