"""The staff PC's upload and what takes it, as both ends must agree: TCP and UDP to one port, counted where it arrives.

TCP: bytes, then end of file, then the sink says what it got. UDP: datagrams that begin with DATA; one that is ASK is
answered with what came from that address. The answer is REPORT: bytes, and nanoseconds from the first to the last.
"""

import struct
from dataclasses import dataclass

DATA = b"lab-data"
ASK = b"lab-report?"
REPORT = struct.Struct("!QQ")


@dataclass(slots=True)
class Tally:
    octets: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def add(self, octets: int, now_ns: int) -> None:
        if not self.octets:
            self.first_ns = now_ns
        self.octets += octets
        self.last_ns = now_ns

    def report(self) -> bytes:
        return REPORT.pack(self.octets, self.last_ns - self.first_ns)


def rate_bps(report: bytes) -> float:
    """Bits per second of a REPORT; 0 where nothing came. Raises struct.error for anything else."""
    octets, elapsed_ns = REPORT.unpack(report)
    return octets * 8 * 1e9 / elapsed_ns if elapsed_ns else 0.0
