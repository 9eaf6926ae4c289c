"""What the probes of one link put on the wire: IP bytes from and to the address its probes are pinned to.

    python -m bench.detect_wire INTERFACE ADDRESS SECONDS

Runs inside a node. Nothing but probes uses such an address. Prints one line of JSON: bytes and packets, up and down.
"""

import json
import socket
import sys
import time
from ipaddress import IPv4Address

ETH_P_ALL, ETH_P_IP = 3, 0x0800
_SNAP = 64


class Tally:
    """Counts the IP packets of one address."""

    def __init__(self, address: IPv4Address) -> None:
        self._address = address.packed
        self.bytes = {"up": 0, "down": 0}
        self.packets = {"up": 0, "down": 0}

    def take(self, packet: bytes) -> None:
        """One IPv4 packet from its header on; what is none, or somebody else's, is not counted."""
        if len(packet) < 20 or packet[0] >> 4 != 4:
            return
        if packet[12:16] == self._address:
            way = "up"
        elif packet[16:20] == self._address:
            way = "down"
        else:
            return
        self.bytes[way] += int.from_bytes(packet[2:4])
        self.packets[way] += 1


def main(interface: str, address: str, seconds: str) -> None:
    tally = Tally(IPv4Address(address))
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)) as end:
        end.bind((interface, ETH_P_ALL))
        began_s = time.monotonic()
        while (left_s := began_s + float(seconds) - time.monotonic()) > 0:
            end.settimeout(left_s)
            try:
                packet, about = end.recvfrom(_SNAP)
            except TimeoutError:
                break
            if about[1] == ETH_P_IP:
                tally.take(packet)
        took_s = time.monotonic() - began_s
    print(json.dumps({"seconds": took_s, "bytes": tally.bytes, "packets": tally.packets}))


if __name__ == "__main__":
    main(*sys.argv[1:])
