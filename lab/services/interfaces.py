"""The interfaces of the network namespace we are in, with their counters.

/proc/net/dev and ioctl, not /sys: in a network namespace of the lab /sys still shows the namespace it was mounted in.
"""

import fcntl
import socket
import struct
from pathlib import Path

from lab.services.snmp_tree import Interface

SIOCGIFFLAGS = 0x8913
SIOCGIFMTU = 0x8921
IFF_UP = 0x1
IFF_RUNNING = 0x40


def read() -> list[Interface]:
    """Every interface by rising index. One that vanishes while we look is left out."""
    counters = parse(Path("/proc/net/dev").read_text())
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for index, name in sorted(socket.if_nameindex()):
            try:
                flags = _ask(asking, SIOCGIFFLAGS, name, "H")
                mtu = _ask(asking, SIOCGIFMTU, name, "i")
            except OSError:
                continue
            rx, tx = counters.get(name, ((0,) * 4, (0,) * 4))
            found.append(Interface(index, name, bool(flags & IFF_UP), bool(flags & IFF_RUNNING), mtu, *rx, *tx))
    return found


def parse(text: str) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """/proc/net/dev: name → (bytes, packets, errors, drops) received, the same sent."""
    table = {}
    for line in text.splitlines()[2:]:
        name, _, rest = line.partition(":")
        figures = tuple(map(int, rest.split()))
        table[name.strip()] = figures[0:4], figures[8:12]
    return table


def _ask(asking: socket.socket, request: int, name: str, shape: str) -> int:
    answer = fcntl.ioctl(asking, request, struct.pack("16s16x", name.encode()))
    value: int = struct.unpack_from(shape, answer, 16)[0]
    return value
