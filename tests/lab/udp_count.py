"""Run inside a node: `python -m tests.lab.udp_count ADDRESS PORT QUIET_S` prints `ready`, then, once QUIET_S passed
without a datagram after the first, a JSON list of [number, sent_s, received_s, from address] of those that `udp_burst`
sent."""

import json
import socket
import sys
import time

from tests.lab.udp_burst import STAMP

FIRST_WITHIN_S = 10.0


def main(address: str, port: str, quiet_s: str) -> None:
    heard: list[tuple[int, float, float, str]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind((address, int(port)))
        ear.settimeout(FIRST_WITHIN_S)
        print("ready", flush=True)
        try:
            while True:
                datagram, (sender, _) = ear.recvfrom(2048)
                number, sent_s = STAMP.unpack_from(datagram)
                heard.append((number, sent_s, time.monotonic(), sender))
                ear.settimeout(float(quiet_s))
        except TimeoutError:
            print(json.dumps(heard))


if __name__ == "__main__":
    main(*sys.argv[1:])
