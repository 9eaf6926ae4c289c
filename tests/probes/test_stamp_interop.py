"""STAMP with others: scapy's independent codec on the far side of loopback, byte by byte; the authenticated mode, which
scapy lacks, against the octets of RFC 8762 laid out here by hand.

scapy takes and gives timestamps as rounded floats: they are put in and compared as bytes.
"""

import asyncio
import hashlib
import hmac
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from scapy.contrib.stamp import (
    ErrorEstimate,
    STAMPSessionReflectorTestUnauthenticated,
    STAMPSessionSenderTestUnauthenticated,
    STAMPTestTLV,
)

from probes.kernel_time import Stamps
from probes.packets.ntp_time import from_ntp, to_ntp
from probes.prober import Answered, Pin
from probes.stamp import StampProber, StampTarget
from probes.stamp_reflector import Reflector

KEY = b"a key of the NOC"
EF, AF41 = 46, 34
EVERYWHERE = pytest.mark.parametrize("host", ["127.0.0.1", "::1"])

Answering = Callable[[bytes, int, int], bytes]
"""(request, how many came before it, when it came in ns) → reply."""


def family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@contextmanager
def reflecting(host: str, answer: Answering) -> Iterator[tuple[int, list[bytes]]]:
    """A foreign reflector on the running loop: its port, and what it was asked."""
    asked: list[bytes] = []
    with socket.socket(family(host), socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        sock.setblocking(False)

        def came() -> None:
            data, sender = sock.recvfrom(2048)
            sock.sendto(answer(data, len(asked), time.time_ns()), sender)
            asked.append(data)

        asyncio.get_running_loop().add_reader(sock.fileno(), came)
        try:
            yield sock.getsockname()[1], asked
        finally:
            asyncio.get_running_loop().remove_reader(sock.fileno())


async def asked_thrice(host: str, port: int, key_file: Path | None = None) -> dict[int, Answered]:
    heard: dict[int, Answered] = {}
    target = StampTarget.model_validate({"address": host, "port": port, "key_file": key_file})
    prober = StampProber(target, Pin(source=ip_address(host)), heard.__setitem__)
    for number in range(3):
        assert prober.send(number) is None
    for _ in range(200):
        if len(heard) == 3:
            break
        await asyncio.sleep(0.01)
    prober.close()
    return heard


def ask(host: str, reflector: Reflector, packet: bytes, tos: int = 0) -> bytes:
    with socket.socket(family(host), socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        if ":" in host:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
        sock.sendto(packet, (host, reflector.address[1]))
        return sock.recv(2048)


# ── our sender, their reflector ────────────────────────────────────────────────────────────────────────
def scapys_answer(data: bytes, *, number: int, came_ns: int, ssid: int | None = None) -> bytes:
    asked = STAMPSessionSenderTestUnauthenticated(data)
    answer = STAMPSessionReflectorTestUnauthenticated(
        seq=number,
        err_estimate=ErrorEstimate(S=1, scale=10, multiplier=3),
        ssid=asked.ssid if ssid is None else ssid,
        seq_sender=asked.seq,
        err_estimate_sender=asked.err_estimate,
        ttl_sender=64,
    )
    packet = bytearray(bytes(answer))
    packet[4:12] = to_ntp(time.time_ns()).to_bytes(8, "big")
    packet[16:24] = to_ntp(came_ns).to_bytes(8, "big")
    packet[28:36] = data[4:12]
    return bytes(packet)


@EVERYWHERE
async def test_scapy_reads_our_requests_byte_for_byte_and_we_its_answers(host: str) -> None:
    before_ns = time.time_ns()
    with reflecting(host, lambda data, number, ns: scapys_answer(data, number=number, came_ns=ns)) as (port, asked):
        heard = await asked_thrice(host, port)
    ssids = set()
    for number, data in enumerate(asked):
        theirs = STAMPSessionSenderTestUnauthenticated(data)
        ssids.add(theirs.ssid)
        rebuilt = bytearray(
            bytes(
                STAMPSessionSenderTestUnauthenticated(
                    seq=number + 1, err_estimate=theirs.err_estimate, ssid=theirs.ssid
                )
            )
        )
        assert (theirs.err_estimate.S, theirs.err_estimate.Z) == (0, 0)
        assert theirs.err_estimate.multiplier > 0
        assert before_ns <= from_ntp(int.from_bytes(data[4:12], "big"), near_ns=before_ns) <= time.time_ns()
        rebuilt[4:12] = data[4:12]
        assert bytes(rebuilt) == data
    assert len(ssids) == 1
    assert ssids != {0}
    assert sorted(heard) == [0, 1, 2]
    for number, answered in heard.items():
        assert answered.stamps is Stamps.KERNEL
        assert answered.two_way is not None
        assert answered.two_way.number == number
        assert answered.two_way.out_ns > 0  # one clock on both sides
        assert answered.two_way.back_ns > 0


@EVERYWHERE
async def test_a_reflector_without_state_is_known_by_its_first_answer(host: str) -> None:
    def stateless(data: bytes, _: int, came_ns: int) -> bytes:
        return scapys_answer(data, number=int.from_bytes(data[:4], "big"), came_ns=came_ns)

    with reflecting(host, stateless) as (port, _):
        heard = await asked_thrice(host, port)
    assert [answered.two_way and answered.two_way.number for answered in heard.values()] == [None] * 3


async def test_a_reflector_from_before_rfc_8972_returns_no_session_id_and_is_heard() -> None:
    with reflecting("127.0.0.1", lambda data, number, ns: scapys_answer(data, number=number, came_ns=ns, ssid=0)) as (
        port,
        _,
    ):
        assert sorted(await asked_thrice("127.0.0.1", port)) == [0, 1, 2]


async def test_an_answer_of_another_session_is_not_ours() -> None:
    with reflecting(
        "127.0.0.1", lambda data, number, ns: scapys_answer(data, number=number, came_ns=ns, ssid=data[15] ^ 1)
    ) as (port, _):
        heard: list[int] = []
        prober = StampProber(
            StampTarget.model_validate({"address": "127.0.0.1", "port": port}),
            Pin(source=ip_address("127.0.0.1")),
            lambda number, _: heard.append(number),
        )
        prober.send(0)
        await asyncio.sleep(0.05)
        prober.close()
    assert heard == []


def digest(text: bytes) -> bytes:
    return hmac.new(KEY, text, hashlib.sha256).digest()[:16]


def authenticated_answer(data: bytes, number: int, came_ns: int) -> bytes:
    """RFC 8762 section 4.3.2, with the SSID of RFC 8972 section 3."""
    packet = bytearray(96)
    packet[0:4] = number.to_bytes(4, "big")
    packet[16:24] = to_ntp(time.time_ns()).to_bytes(8, "big")
    packet[24:26] = b"\x8a\x03"
    packet[26:28] = data[26:28]
    packet[32:40] = to_ntp(came_ns).to_bytes(8, "big")
    packet[48:52] = data[0:4]
    packet[64:72] = data[16:24]
    packet[72:74] = data[24:26]
    packet[80] = 64
    return bytes(packet) + digest(bytes(packet))


@EVERYWHERE
async def test_authenticated_requests_and_answers_are_where_the_rfc_puts_them(host: str, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_bytes(KEY + b"\n")
    with reflecting(host, authenticated_answer) as (port, asked):
        heard = await asked_thrice(host, port, key_file)
    for number, data in enumerate(asked):
        expected = bytearray(96)
        expected[0:4] = (number + 1).to_bytes(4, "big")
        expected[16:28] = data[16:28]
        assert data == bytes(expected) + digest(bytes(expected))
        assert data[26:28] != bytes(2)
    assert sorted(heard) == [0, 1, 2]
    assert [answered.two_way and answered.two_way.number for _, answered in sorted(heard.items())] == [0, 1, 2]


# ── their sender, our reflector ────────────────────────────────────────────────────────────────────────
@EVERYWHERE
@pytest.mark.parametrize("ssid", [0, 1, 0xFFFF])
@pytest.mark.parametrize("estimate", [ErrorEstimate(multiplier=1), ErrorEstimate(S=1, scale=12, multiplier=200)])
async def test_scapys_requests_get_an_answer_scapy_would_have_built(
    host: str, ssid: int, estimate: ErrorEstimate
) -> None:
    reflector = Reflector(host, 0)
    for number in range(2):
        request = STAMPSessionSenderTestUnauthenticated(seq=40 + number, ts=1000.25, err_estimate=estimate, ssid=ssid)
        before_ns = time.time_ns()
        data = await asyncio.to_thread(ask, host, reflector, bytes(request))
        theirs = STAMPSessionReflectorTestUnauthenticated(data)
        rebuilt = bytearray(
            bytes(
                STAMPSessionReflectorTestUnauthenticated(
                    seq=theirs.seq,
                    err_estimate=theirs.err_estimate,
                    ssid=ssid,
                    seq_sender=40 + number,
                    err_estimate_sender=estimate,
                    ttl_sender=64,
                )
            )
        )
        rebuilt[4:12], rebuilt[16:24], rebuilt[28:36] = data[4:12], data[16:24], bytes(request)[4:12]
        assert data == bytes(rebuilt)
        # A new port each time is a new session of the reflector's.
        assert (theirs.seq, theirs.err_estimate.Z) == (0, 0)
        came_ns, left_ns = (from_ntp(int.from_bytes(data[at : at + 8], "big"), near_ns=before_ns) for at in (16, 4))
        assert before_ns <= came_ns <= left_ns <= time.time_ns()
    reflector.close()


@EVERYWHERE
async def test_scapys_tlvs_come_back_filled_or_marked(host: str) -> None:
    reflector = Reflector(host, 0)
    tlvs = [
        STAMPTestTLV(flags=0x80, type=9, len=2, value=b"??"),
        STAMPTestTLV(flags=0x80, type=4, len=4, value=bytes([AF41 << 2, 0, 0, 0])),
        STAMPTestTLV(flags=0x80, type=1, len=30, value=bytes(range(30))),
    ]
    request = bytes(STAMPSessionSenderTestUnauthenticated(seq=1, ssid=0, tlv_objects=tlvs))
    data = await asyncio.to_thread(ask, host, reflector, request, EF << 2)
    reflector.close()
    marks = (AF41 << 10 | EF << 4).to_bytes(2, "big") + bytes(2)
    assert len(data) == len(request)
    assert data[44:] == b"".join(
        bytes(STAMPTestTLV(flags=flags, type=tlv.type, len=tlv.len, value=value))
        for tlv, flags, value in zip(tlvs, (0x80, 0, 0), (b"??", marks, bytes(range(30))), strict=True)
    )
    assert len(STAMPSessionReflectorTestUnauthenticated(data).tlv_objects) == 3


@EVERYWHERE
async def test_an_authenticated_request_laid_out_by_hand_gets_the_rfcs_answer(host: str) -> None:
    reflector = Reflector(host, 0, key=KEY)
    before_ns = time.time_ns()
    text = (5).to_bytes(4, "big") + bytes(12) + (1000 << 32).to_bytes(8, "big") + b"\x0a\x03\x12\x34" + bytes(68)
    data = await asyncio.to_thread(ask, host, reflector, text + digest(text))
    reflector.close()
    expected = bytearray(96)
    expected[16:26], expected[32:40] = data[16:26], data[32:40]  # T3 and its error, T2
    expected[26:28] = b"\x12\x34"
    expected[48:52], expected[64:74], expected[80] = text[0:4], text[16:26], 64
    assert data == bytes(expected) + digest(bytes(expected))
    came_ns, left_ns = (from_ntp(int.from_bytes(data[at : at + 8], "big"), near_ns=before_ns) for at in (32, 16))
    assert before_ns <= came_ns <= left_ns <= time.time_ns()
