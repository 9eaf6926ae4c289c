"""The far ends as one process, asked over loopback by the codecs of the box."""

import asyncio
import hashlib
import hmac
import socket
import struct
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lab.services.far_side import PORTS
from probes.packets import dns, stun
from probes.packets.dns import Question
from tests.lab.services.conftest import Stage, free_port

Ports = dict[str, int]
SENT = 0xE0000000_12345678


@pytest_asyncio.fixture
async def ports(stage: Stage) -> AsyncIterator[Ports]:
    found = {name: free_port(socket.SOCK_DGRAM) for name in PORTS}
    words = [word for name, port in found.items() for word in (f"--{name}", f"127.0.0.1:{port}")]
    async with stage.running("far_side", *words):
        yield found


async def ask(port: int, question: bytes, within_s: float = 10.0) -> tuple[bytes, tuple[str, int]]:
    """The first datagram that comes back, and the address it was sent to. Raises TimeoutError."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.connect(("127.0.0.1", port))
        await loop.sock_sendall(asking, question)
        async with asyncio.timeout(within_s):
            return await loop.sock_recv(asking, 2000), asking.getsockname()


async def test_stamp_reflects_a_packet_with_its_own_sequence_in_it(ports: Ports) -> None:
    """RFC 8762, 4.3.1: the sender's sequence comes back at 24, its timestamp at 28."""
    reply, _ = await ask(ports["stamp"], struct.pack("!IQHH28x", 7, SENT, 0x8001, 0))
    assert len(reply) == 44
    assert struct.unpack_from("!IQ", reply, 24) == (7, SENT)


async def test_stamp_with_a_key_reflects_what_is_signed_with_the_labs_key_alone(ports: Ports, stage: Stage) -> None:
    """RFC 8762, 4.4: HMAC-SHA-256 over the first 96 bytes, cut to 16."""
    key = (stage.directory / "stamp.key").read_bytes()
    packet = struct.pack("!I12xQHH68x", 7, SENT, 0x8001, 0)
    reply, _ = await ask(ports["authenticated"], packet + hmac.digest(key, packet, hashlib.sha256)[:16])
    assert hmac.digest(key, reply[:96], hashlib.sha256)[:16] == reply[96:112]
    assert struct.unpack_from("!I12xQ", reply, 48) == (7, SENT)
    with pytest.raises(TimeoutError):
        await ask(ports["authenticated"], packet + hmac.digest(b"another key", packet, hashlib.sha256)[:16], 0.2)


async def test_stun_says_where_the_question_came_from(ports: Ports) -> None:
    reply, ours = await ask(ports["stun"], stun.encode_request(bytes(12)))
    mapped = stun.decode_response(reply, bytes(12))
    assert (str(mapped.address), mapped.port) == ours


async def test_the_name_server_knows_the_platform(ports: Ports) -> None:
    question = Question(5, "platform.lab.test")
    reply, _ = await ask(ports["dns"], dns.encode_query(question))
    assert [str(each) for each in dns.decode_response(reply, question).addresses] == ["198.51.100.30"]


async def test_an_address_already_taken_is_told_and_ends_the_service(stage: Stage) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        process = await stage.start("far_side", "--stamp", f"127.0.0.1:{taken.getsockname()[1]}")
        assert await process.wait() == 1
    assert "cannot listen on 127.0.0.1" in (stage.directory / "far_side.log").read_text()
