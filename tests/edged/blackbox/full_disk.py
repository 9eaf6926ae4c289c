"""Records until the disk refuses, gets room, and goes on. Arguments: "limit" (files may not grow) or "full" (a small
tmpfs, which needs a mount namespace of its own), and the directory. Prints as JSON what came of it.
"""

import json
import logging
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import structlog

from edged.blackbox import recorder
from edged.blackbox.readback import files
from edged.core.observations import Tick
from tests.edged.blackbox.scene import a_bad_day, black_box, first_state, tell, whole, written

LIMIT_BYTES = 8 << 10
AFTER = 50


def main(how: str, directory: Path) -> None:
    ballast = directory / "ballast"
    if how == "full":
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory], check=True)
        ballast.write_bytes(bytes((1 << 20) - 2 * LIMIT_BYTES))
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, resource.RLIM_INFINITY))
    box = black_box(directory / "ring")
    state, day, told, now = first_state(), a_bad_day(), 0, 0.0
    while told == 0 or box._began_s is not None:
        for _, it in day:
            now += 0.05
            state = tell(box, [(now, replace(it, at_s=now))], state=state)
            written(box)
            told += 1
            if box._began_s is None:
                break
    if how == "full":
        ballast.unlink()
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    now += recorder.RETRY_S
    for _ in range(AFTER):
        now += 0.25
        state = tell(box, [(now, Tick(now))], state=state)
    box.close()
    (_, first), (last, then_steps) = (whole(path) for path in files(directory / "ring"))
    lost = last.header.lost
    assert lost is not None
    print(
        json.dumps(
            {
                "lost": [lost.why, lost.error],
                "lost_steps": lost.steps,
                "told_before": told,
                "first_steps": len(first),
                "told_after": AFTER,
                "last_steps": len(then_steps),
            }
        )
    )


structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
main(sys.argv[1], Path(sys.argv[2]))
