"""A real snmpd on loopback that looks like a Peplink: IF-MIB from the kernel, the vendor's branch from
`peplink_pass.py`.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from wan.varbinds import Oid, Value, dotted

SNMPD = "/usr/sbin/snmpd"
COMMUNITY = "edged-lab"
USER, AUTH_PASSWORD, PRIV_PASSWORD = "edged", "edged-lab-auth", "edged-lab-priv"

CONFIG = """\
agentAddress udp:127.0.0.1:{port}
sysDescr Peplink Balance 20X
rocommunity {community}
createUser {user} SHA-256 "{auth}" AES "{priv}"
rouser {user} priv
createUser long SHA-512 "{auth}" AES-256 "{priv}"
rouser long priv
createUser cisco SHA-384 "{auth}" AES-256-C "{priv}"
rouser cisco priv
createUser old SHA "{auth}" AES-192 "{priv}"
rouser old priv
createUser plain SHA-224 "{auth}"
rouser plain auth
createUser nobody
rouser nobody noauth
pass_persist .1.3.6.1.4.1.23695 {python} {script} {table}
"""


class Agent:
    """`table` is what the vendor's branch says; `start()` and `kill()` as often as a test likes."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._table = folder / "table"
        self._process: subprocess.Popen[bytes] | None = None
        script = Path(__file__).with_name("peplink_pass.py")
        (folder / "snmpd.conf").write_text(
            CONFIG.format(
                port=self.port,
                community=COMMUNITY,
                user=USER,
                auth=AUTH_PASSWORD,
                priv=PRIV_PASSWORD,
                python=sys.executable,
                script=script,
                table=self._table,
            )
        )
        self.serve({})

    def serve(self, table: Mapping[Oid, Value]) -> None:
        """Replace what the vendor's branch says: int, str (an IP address) or bytes (text)."""
        kinds: dict[type, str] = {int: "integer", str: "ipaddress", bytes: "string"}
        lines = [
            f"{dotted(at)} {kinds[type(v)]} {v.decode() if isinstance(v, bytes) else v}" for at, v in table.items()
        ]
        new = self._folder / "table.new"
        new.write_text("\n".join(lines))
        new.replace(self._table)

    def start(self) -> None:
        """Returns when it answers SNMP."""
        state = self._folder / "state"
        state.mkdir(exist_ok=True)
        environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(state), "MIBS": "", "SNMPCONFPATH": str(self._folder)}
        self._process = subprocess.Popen(
            [SNMPD, "-f", "-Lf", str(self._folder / "log"), "-C", "-c", str(self._folder / "snmpd.conf")],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 5
        while not _is_bound(self.port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.01)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_bound(port: int) -> bool:
    """A connected UDP socket learns of a closed port by ICMP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.1", port))
        probe.settimeout(0.02)
        try:
            probe.send(b"\x30\x00")
            probe.recv(1)
        except TimeoutError:
            return True
        except ConnectionRefusedError:
            return False
        return True
