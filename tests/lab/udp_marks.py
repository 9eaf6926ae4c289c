"""What becomes of packets on their way, there and back. Run inside nodes:

`python -m tests.lab.udp_marks serve PORT ADDRESS…` prints `ready` and answers each datagram with one of the same size
that is marked MARK and says what came: its TOS byte and whom it came from.

`python -m tests.lab.udp_marks ask SOURCE ADDRESS PORT BYTES…` sends for each BYTES an IP packet of so many bytes,
marked MARK, all from one socket, and prints as JSON for each [TOS there, TOS back, source as seen there], or null where
no answer came.
"""

import json
import selectors
import socket
import sys
from contextlib import suppress

MARK = 0xBA  # EF, and ECT(0) of ECN
HEADERS_BYTES = 28
ANSWER_WITHIN_S = 0.4


def marking(source: str, port: int = 0) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, MARK)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    made.bind((source, port))
    return made


def hear(sock: socket.socket) -> tuple[bytes, int, tuple[str, int]]:
    data, control, _, source = sock.recvmsg(2048, 64)
    return data, control[0][2][0], source


def serve(port: str, *addresses: str) -> None:
    with selectors.DefaultSelector() as doors:
        for address in addresses:
            doors.register(marking(address, int(port)), selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for key, _ in doors.select():
                door = key.fileobj
                assert isinstance(door, socket.socket)
                data, tos, source = hear(door)
                with suppress(OSError):  # told to be silent
                    door.sendto(json.dumps([data[:1].decode(), tos, source[0]]).encode().ljust(len(data)), source)


def ask(source: str, address: str, port: str, *sizes: str) -> None:
    with marking(source) as asking:
        asking.connect((address, int(port)))
        asking.settimeout(ANSWER_WITHIN_S)
        print(json.dumps([_one(asking, chr(ord("a") + n), int(size)) for n, size in enumerate(sizes)]))


def _one(asking: socket.socket, name: str, size: int) -> tuple[int, int, str] | None:
    asking.send(name.encode().ljust(size - HEADERS_BYTES))
    try:
        while True:
            data, tos, _ = hear(asking)
            its_name, tos_there, seen = json.loads(data)
            if its_name == name:
                return tos_there, tos, seen
    except TimeoutError:
        return None


if __name__ == "__main__":
    serve(*sys.argv[2:]) if sys.argv[1] == "serve" else ask(*sys.argv[2:])
