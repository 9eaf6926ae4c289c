import asyncio
import socket

from edged.report.tcp_cost import cost_bytes


async def test_the_kernel_counts_both_ways_and_the_headers() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
        theirs, _ = server.accept()
        ours.setblocking(False)
        theirs.setblocking(False)
        empty = cost_bytes(ours)
        for source, sink in ((ours, theirs), (theirs, ours)):
            await loop.sock_sendall(source, b"x" * 10_000)
            left = 10_000
            while left:
                left -= len(await loop.sock_recv(sink, 65536))
        cost = cost_bytes(ours)
        theirs.close()
    assert 20_000 + 2 * 52 <= cost - empty <= 20_000 + 60 * 52


def test_a_closed_socket_has_cost_nothing_that_could_be_known() -> None:
    sock = socket.socket()
    sock.close()
    assert cost_bytes(sock) == 0
