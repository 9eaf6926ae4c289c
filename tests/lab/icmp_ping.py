"""Run inside a node: `python -m tests.lab.icmp_ping SOURCE TARGET COUNT` prints the round trips in milliseconds, as
JSON.

A lost ping is null. Not the daemon's prober: what it is measured against.
"""

import json
import socket
import struct
import sys
import time

TIMEOUT_S = 0.5


def main(source: str, target: str, count: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as pings:
        pings.bind((source, 0))
        print(json.dumps([_round_trip_ms(pings, target, sequence) for sequence in range(int(count))]))


def _round_trip_ms(pings: socket.socket, target: str, sequence: int) -> float | None:
    words = (0x0800, 0x1234, sequence)
    checksum = ~sum(words) & 0xFFFF  # no carry: the three words stay below 0x10000 together
    sent_s = time.monotonic()
    pings.sendto(struct.pack("!HHHH", words[0], checksum, *words[1:]), (target, 0))
    while (left_s := sent_s + TIMEOUT_S - time.monotonic()) > 0:
        pings.settimeout(left_s)
        try:
            reply = pings.recv(2048)[20:]
        except TimeoutError:
            return None
        if reply[0] == 0 and reply[4:8] == struct.pack("!HH", *words[1:]):
            return (time.monotonic() - sent_s) * 1e3
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
