"""The daemon loads what it needs, in a process of its own as it runs."""

import subprocess
import sys

LOADED = """
import sys
from edged.cli.lean import load_lean
load_lean()
import edged.app
print(*sorted(name for name, module in sys.modules.items() if module is not None))
"""


def test_the_daemon_lives_without_what_it_does_not_need() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"edged.app", "qos.netlink", "pyroute2.iproute.linux", "aiomqtt"} <= loaded
    unneeded = {name for name in loaded if name.partition(".")[0] in ("rich", "dns")}
    assert unneeded == set()
    assert not {"pyroute2.ndb.main", "pyroute2.ipdb.main", "pyroute2.plan9.client"} & loaded
