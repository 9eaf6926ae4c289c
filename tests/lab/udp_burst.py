"""Run inside a node: `python -m tests.lab.udp_burst TARGET PORT COUNT INTERVAL_S` sends datagrams of 1208 bytes (1250
on the wire), each with its number and the monotonic time it was sent."""

import socket
import struct
import sys
import time

STAMP = struct.Struct("!Id")
PAYLOAD_BYTES = 1208


def main(target: str, port: str, count: str, interval_s: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.connect((target, int(port)))
        for number in range(int(count)):
            out.send(STAMP.pack(number, time.monotonic()).ljust(PAYLOAD_BYTES, b"\0"))
            time.sleep(float(interval_s))


if __name__ == "__main__":
    main(*sys.argv[1:])
