"""The kernel stamps datagrams while any socket of the machine asks for it, and begins a moment after the first one did:
without this, the first answer of a test may be unstamped.
"""

import socket
from collections.abc import Iterator

import pytest

from probes.kernel_time import kernel_stamp_ns

SO_TIMESTAMPING, RX_SOFTWARE, SOFTWARE = 37, 1 << 3, 1 << 4


@pytest.fixture(scope="session", autouse=True)
def _the_kernel_stamps() -> Iterator[None]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind(("127.0.0.1", 0))
        asking.settimeout(1)
        asking.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, RX_SOFTWARE | SOFTWARE)
        for _ in range(1000):
            asking.sendto(b"", asking.getsockname())
            if kernel_stamp_ns(asking.recvmsg(1, 256)[1]) is not None:
                break
        yield
