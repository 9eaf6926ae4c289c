import asyncio
import socket
import struct

from tests.lab.services.conftest import Stage, eventually, free_port


async def test_a_stamp_packet_is_reflected_with_its_own_sequence_in_it(stage: Stage) -> None:
    """RFC 8762, 4.3.1: the sender's sequence comes back at 24, its timestamp at 28."""
    port = free_port(socket.SOCK_DGRAM)
    sent = struct.pack("!IQHH28x", 7, 0xE0000000_12345678, 0x8001, 0)
    loop = asyncio.get_running_loop()
    async with stage.running("stamp", "--listen", f"127.0.0.1:{port}"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.setblocking(False)
            asking.connect(("127.0.0.1", port))
            await loop.sock_sendall(asking, sent)
            async with eventually("a reflection"):
                reply = await loop.sock_recv(asking, 2000)
    assert len(reply) == 44
    assert struct.unpack_from("!IQ", reply, 24) == (7, 0xE0000000_12345678)
