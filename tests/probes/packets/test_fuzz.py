"""Every codec that reads what came over a wire is shown 100,000 broken packets: it refuses them with its room's own
error, or reads them, and takes no more time than their length asks for.

A codec of `probes/packets` without a row here fails the last test.
"""

import hmac
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

import probes.packets
from probes.errors import PeerError
from probes.packets import (
    capacity,
    demux,
    dns,
    error_queue,
    frame,
    heartbeat,
    ice,
    icmp,
    keying,
    ntp_time,
    rtcp,
    rtp,
    sip,
    sip_contact,
    sip_digest,
    stamp,
    stamp_tlv,
    stun,
    turn,
)
from tests.fuzzing import Codec, fuzz, lines_run, stretched
from ups.nut_wire import NutPeerError, ReplyReader

PACKETS_A_CODEC = 100_000
LARGEST = 2048
"""Bytes read from a datagram socket (probes/kernel_time.py)."""

KEY = b"a key of the NOC"
NOW_NS = 1_790_000_000 * 10**9
NOW = ntp_time.to_ntp(NOW_NS)
TOKEN = b"an echo!"
ECHOES = {v6: icmp.NumberedEchoes(77, TOKEN, v6=v6) for v6 in (False, True)}
TRANSACTION = bytes(range(12))
QUESTION = dns.Question(0x1F2E, "pLatfoRm.lab.Test")


# ── what a broken packet is made right with ────────────────────────────────────────────────────────────
def echo_told(packet: bytes) -> bytes:
    """Ours in token, padding and sequence, whatever number it carries."""
    number = packet[16:20].ljust(4, b"\0")
    return packet[:6].ljust(6, b"\0") + number[2:] + TOKEN + number + bytes(32)


def stamp_mac(packet: bytes) -> bytes:
    return packet[:96] + hmac.digest(KEY, packet[:96], "sha256")[:16] + packet[112:]


def stun_length(packet: bytes) -> bytes:
    return packet[:2] + (max(0, len(packet) - 20) & 0xFFFF).to_bytes(2, "big") + packet[4:]


def stun_fingerprint(packet: bytes) -> bytes:
    whole = stun_length(packet[: len(packet) // 4 * 4] + b"\x80\x28\0\x04\0\0\0\0")
    return whole[:-4] + (zlib.crc32(whole[:-8]) ^ 0x5354554E).to_bytes(4, "big")


def dns_question(packet: bytes) -> bytes:
    """Asked and answered right; the records are what is broken."""
    question = dns.encode_query(QUESTION)
    return question[:2] + b"\x81\x80\0\x01" + packet[6:12].ljust(6, b"\0") + question[12:] + packet[len(question) :]


CAPACITY_MESSAGES: tuple[capacity.Message, ...] = (
    capacity.Hello(7, 1, bytes(16)),
    capacity.Challenge(7, 1, bytes(16), bytes(24)),
    capacity.Open(7, 2, bytes(16), bytes(24), capacity.Wish.TRAINS, 1200, 10**7, 10**5, 5000),
    capacity.Refused(7, 2, bytes(16), capacity.Why.BUSY),
    capacity.Denied(7, 2, bytes(16)),
    capacity.Feedback(7, 9, 3, 1000, 1010, 2, NOW, NOW, -5, 7),
    capacity.Report(7, 9, 3, 0, tuple(range(40))),
    capacity.LoadUp(7, 9, 3, NOW),
)
CAPACITY_SIZES = {
    capacity.encode(message, KEY)[3]: len(capacity.encode(message, KEY)) - 16 for message in CAPACITY_MESSAGES
}


def capacity_mac(packet: bytes) -> bytes:
    """Signed where a packet of its kind is: of a report, after as many arrivals as it claims."""
    end = CAPACITY_SIZES.get(packet[3] if len(packet) > 3 else 0, 24)
    if len(packet) > 24 and packet[3] == 14:
        end = 24 + 4 * int.from_bytes(packet[22:24], "big")
    return packet[:end] + hmac.digest(KEY, packet[:end], "sha256")[:16] + packet[end + 16 :]


# ── samples ────────────────────────────────────────────────────────────────────────────────────────────
def echo_reply(kind: int, number: int) -> bytes:
    return struct.pack(">BBHHH8sI32x", kind, 0, 0, 77, number & 0xFFFF, TOKEN, number)


def ipv4(payload: bytes, protocol: int = 1) -> bytes:
    header = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, b"\xc0\0\x02\x01", bytes(4)
    )
    return header + payload


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def binding(*attributes: bytes, kind: int = 0x0101) -> bytes:
    return stun_length(struct.pack(">HH4s", kind, 0, b"\x21\x12\xa4\x42") + TRANSACTION + b"".join(attributes))


def record(kind: int, value: bytes) -> bytes:
    return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(value)) + value


def resolved(*records: bytes) -> bytes:
    question = dns.encode_query(QUESTION)
    return question[:2] + struct.pack(">HHHHH", 0x8180, 1, len(records), 0, 0) + question[12:] + b"".join(records)


REQUEST = stamp.Request(5, NOW, 0x0101, 7)
REPLY = stamp.Reply(6, NOW + 5000, 0x0101, NOW + 1000, REQUEST, 64)
PTP_REPLY = stamp.Reply(6, NOW + 5000, 0x4101, NOW + 1000, REQUEST, 64)
STAMP_SEAL = stamp_tlv.Seal(KEY, 6)
TLVS = (
    stamp_tlv.class_of_service(46),
    stamp_tlv.extra_padding(40) + stamp_tlv.class_of_service(46),
    stamp_tlv.sealed(stamp_tlv.class_of_service(46), STAMP_SEAL) + stamp_tlv.extra_padding(12),
    b"\0\x04\0\x04\xb8\xb8\0\0",
    stamp_tlv.extra_padding(4) * 12,
)
RTP = struct.pack(">BBHII", 0x80, 0x80 | 111, 9, 48000, 0xABCD) + bytes(20)
RTCP = struct.pack(">BBHI", 0x80, 200, 6, 7) + bytes(20) + struct.pack(">BBHI", 0x81, 202, 2, 7) + b"\x01\x02me"
ZRTP = b"\x10\0\0\1ZRTP\0\0\0\7PZ\0\3Confirm1" + bytes(20)
CHANNEL = struct.pack(">HH", 0x4001, len(RTP)) + RTP
INDICATION = binding(attribute(0x13, RTP), attribute(0x12, bytes(8)), kind=0x0017)
UDP = struct.pack(">HHHH", 5000, 6000, 28, 0) + RTP[:20]
IPV6_UDP = struct.pack(">IHBB16s16s", 6 << 28, len(UDP), 17, 64, bytes(15) + b"\1", bytes(15) + b"\2") + UDP
MACS = bytes(12)
SIP = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKhjhs8ass877;received=192.0.2.4;rport=40312\r\n"
    b"To: <sip:c@d>;tag=9\r\nCall-ID: a84b\r\nCSeq: 63104 OPTIONS\r\nContent-Length: 4\r\n\r\nv=0\n"
)
FOLDED_SIP = b"SIP/2.0 486\nv: SIP/2.0/UDP h\n ;branch = z9hG4bKx, SIP/2.0/UDP i\nCSeq: 1\n\tOPTIONS\nl:0\n\n"
REGISTERED = SIP.replace(
    b"Content-Length: 4",
    b'm: "A, \\"B\\"" <sip:17@10.0.0.5:5060;ob>;expires=42;q=0.7,\r\n <tel:+1>;+sip.instance="<urn:uuid:0>"\r\n'
    b"Contact: sip:a@b\r\nl: 4",
)
CHALLENGED = SIP.replace(
    b"Content-Length: 4",
    b'WWW-Authenticate: Digest realm="a \\"b\\"", nonce="ZzX9", algorithm=SHA-256,\r\n qop="auth,auth-int"\r\n'
    b'WWW-Authenticate: Digest realm=r,nonce=n,opaque="",stale=TRUE\r\nContent-Length: 4',
)
EXTENDED_ERROR = struct.pack("@IBBBBII", 113, 2, 11, 0, 0, 1400, 0)
NUT = (
    b'BEGIN LIST VAR u\nVAR u battery.charge "100"\nVAR u ups.model "A \\"B\\" \\\\C"\nEND LIST VAR u\n',
    b"OK TRACKING 1bd31808-cb49-4aec-9d75-d056e6f018d2\n",
    b"ERR ACCESS-DENIED\n",
    b'UPS u "Network Sm\xc3\xb6rg\xc3\xa5s"\r\nCMD u load.off\nNetwork UPS Tools upsd 2.8.0\n',
)


def stamp_reply(key: bytes | None) -> Callable[[bytes], object]:
    return lambda packet: stamp.reflector_times_ns(stamp.decode_reply(packet, key), near_ns=NOW_NS)


def stamp_request(key: bytes | None) -> Callable[[bytes], object]:
    def read(packet: bytes) -> object:
        return stamp.decode_request(packet, key), stamp.answers_a_packet_of(packet, NOW, key)

    return read


def reflected(packet: bytes) -> object:
    for seal in (None, STAMP_SEAL):
        reply, _ = stamp_tlv.reflect(packet, 0xB8, permitted=range(64), asked=seal, answer=seal)
        assert len(reply) == len(packet)
    return None


def class_of_service(packet: bytes) -> object:
    return stamp_tlv.read_class_of_service(packet), stamp_tlv.read_class_of_service(packet, STAMP_SEAL)


def echo(packet: bytes, *, v6: bool) -> object:
    if (number := ECHOES[v6].number_of(packet)) is None:
        raise PeerError("another's")
    return number


def in_ipv4(packet: bytes) -> object:
    message = icmp.message_of(packet)
    return icmp.checksum(message), ECHOES[False].number_of(message)


def any_time(packet: bytes) -> object:
    stamps = int.from_bytes(packet[:8], "big"), int.from_bytes(packet[8:16], "big", signed=True)
    near_ns = stamps[1]
    return ntp_time.from_ntp(stamps[0], near_ns=near_ns), ntp_time.from_ptp(stamps[0], near_ns=near_ns)


def any_of_a_media_port(packet: bytes) -> object:
    kind, at, length, _ = demux.demultiplex(packet, 0, len(packet))
    assert kind is not demux.Kind.CHANNEL
    assert 0 <= at + length <= len(packet)
    return kind


def any_relayed(packet: bytes) -> object:
    look = turn.inside_indication if packet[:1] == b"\0" else turn.inside_channel
    at, length = look(packet, 0, len(packet))
    assert 0 < at <= at + length <= len(packet)
    return at


def any_sip(packet: bytes) -> object:
    return sip.split_stream(packet), sip.parse_response(packet)


def any_heartbeat(packet: bytes) -> object:
    """Whichever of the two it says it is."""
    read = heartbeat.decode_answer if packet[3:4] == b"\2" else heartbeat.decode_heartbeat
    return read(packet, KEY)


def heartbeat_mac(packet: bytes) -> bytes:
    whole = (b"eM\1" + packet[3:32]).ljust(32, b"\0")
    return whole + hmac.digest(KEY, whole, "sha256")[:16]


def any_bindings(packet: bytes) -> object:
    response = sip.parse_response(packet)
    return sip_contact.read_bindings(response.values("contact"))


def any_challenge(packet: bytes) -> object:
    """Answered, too: what came in must not be able to begin a header line of its own."""
    chosen = sip_digest.choose(sip.parse_response(packet).values("www-authenticate"))
    if chosen is not None:
        credentials = sip_digest.Credentials("17", "secret")
        line = sip_digest.authorization(chosen, credentials, "REGISTER", "sip:lab.test", cnonce="c")
        assert not {"\r", "\n", "\0"} & set(line), line
    return chosen


def any_capacity(packet: bytes) -> object:
    capacity.unsigned_hello(packet)
    if isinstance(read := capacity.decode(packet, KEY), capacity.LoadUp | capacity.LoadDown):
        capacity.read_load(packet, KEY)
    return capacity.report_ns(read) if isinstance(read, capacity.Report) else read


def any_error(packet: bytes) -> object:
    v6 = len(packet) % 2 == 1
    option = (socket.IPPROTO_IPV6, error_queue.IPV6_RECVERR) if v6 else (socket.IPPROTO_IP, error_queue.IP_RECVERR)
    return error_queue.read_error([(*option, packet)])


def any_nut(packet: bytes) -> object:
    reader = ReplyReader()
    reader.feed(packet)
    while reader.next_reply() is not None:
        pass
    return reader.idle


def row(
    name: str, read: Callable[[bytes], object], *samples: bytes, seal: Callable[[bytes], bytes] | None = None
) -> Codec:
    return Codec(name, samples, read, PeerError) if seal is None else Codec(name, samples, read, PeerError, seal)


CODECS = (
    row("icmp in IPv4", in_ipv4, ipv4(echo_reply(0, 3)), ipv4(b"")),
    row("icmp v4", lambda packet: echo(packet, v6=False), echo_reply(0, 3), echo_reply(0, 0xFFFF_FFFF), seal=echo_told),
    row("icmp v6", lambda packet: echo(packet, v6=True), echo_reply(129, 3), seal=echo_told),
    row("stamp request", stamp_request(None), stamp.encode_request(REQUEST)),
    row("stamp reply", stamp_reply(None), stamp.encode_reply(REPLY), stamp.encode_reply(PTP_REPLY)),
    row("stamp request, signed", stamp_request(KEY), stamp.encode_request(REQUEST, KEY), seal=stamp_mac),
    row("stamp reply, signed", stamp_reply(KEY), stamp.encode_reply(REPLY, KEY), seal=stamp_mac),
    row("stamp_tlv of a reply", class_of_service, *TLVS),
    row("stamp_tlv of a request", reflected, *TLVS),
    row("ntp_time", any_time, struct.pack(">Qq", NOW, NOW_NS), struct.pack(">Qq", 0, 1 << 62)),
    row(
        "stun",
        lambda packet: stun.decode_response(packet, TRANSACTION),
        binding(attribute(0x20, b"\0\x01\xa1\x47\xe1\x12\xa6\x43"), attribute(0x8022, b"odd")),
        binding(attribute(0x20, b"\0\x02\xa1\x47" + bytes(16)), attribute(0x08, bytes(20))),
        binding(attribute(0x01, b"\0\x01\xa1\x47\xe1\x12\xa6\x43"), attribute(0x05, bytes(8))),
        binding(attribute(0x09, b"\0\0\x04\x14Unknown Attribute"), kind=0x0111),
        seal=stun_length,
    ),
    row(
        "stun with fingerprint",
        lambda packet: stun.decode_response(packet, TRANSACTION),
        binding(attribute(0x20, b"\0\x01\xa1\x47\xe1\x12\xa6\x43")),
        seal=stun_fingerprint,
    ),
    row(
        "dns",
        lambda packet: dns.decode_response(packet, QUESTION),
        resolved(record(1, bytes(4))),
        resolved(record(5, b"\x03www\xc0\x0c"), record(28, bytes(16)), record(1, bytes(4))),
        resolved(),
        seal=dns_question,
    ),
    row("rtp", rtp.parse_rtp, RTP, RTP[:12]),
    row("rtcp", lambda packet: rtcp.parse_rtcp(packet, 0, len(packet)), RTCP, RTCP + bytes(14), RTCP[:36]),
    row("demux", any_of_a_media_port, RTP, CHANNEL, RTCP, b"\x16\xfe\xfd" + bytes(20)),
    row("demux of indications", any_of_a_media_port, INDICATION, binding(kind=1), seal=stun_length),
    row("turn", any_relayed, CHANNEL),
    row(
        "turn indications",
        any_relayed,
        INDICATION,
        binding(attribute(0x12, bytes(20)), attribute(0x1A, b""), attribute(0x13, RTP), kind=0x0016),
        seal=stun_length,
    ),
    row("ice", lambda packet: ice.parse_check(packet, 0, len(packet)), binding(kind=1), binding(), seal=stun_length),
    row(
        "keying of dtls", lambda packet: keying.parse_dtls(packet, 0), b"\x16\xfe\xfd" + bytes(20), b"\x2f" + bytes(30)
    ),
    row("keying of zrtp", lambda packet: keying.parse_zrtp(packet, 0), ZRTP),
    row("frame as a flow", frame.flow_of, MACS + b"\x08\0" + ipv4(UDP, 17), MACS + b"\x86\xdd" + IPV6_UDP),
    row("frame", frame.parse_udp, MACS + b"\x08\0" + ipv4(UDP, 17), MACS + b"\x81\0\0\7\x86\xdd" + IPV6_UDP),
    row(
        "heartbeat",
        any_heartbeat,
        heartbeat.encode_heartbeat(heartbeat.Heartbeat(TOKEN, 7, "310-260", 65001, True), KEY),
        heartbeat.encode_heartbeat(heartbeat.Heartbeat(TOKEN, 2**63, None, None, None), KEY),
        heartbeat.encode_answer(heartbeat.Answer(TOKEN, 7, 8, False), KEY),
        seal=heartbeat_mac,
    ),
    row("sip", any_sip, SIP, FOLDED_SIP),
    row("sip_contact", any_bindings, REGISTERED),
    row("sip_digest", any_challenge, CHALLENGED),
    row(
        "capacity",
        any_capacity,
        *(capacity.encode(each, KEY, size=160) for each in CAPACITY_MESSAGES),
        seal=capacity_mac,
    ),
    row(
        "error_queue",
        any_error,
        EXTENDED_ERROR + struct.pack("@HH4s8x", socket.AF_INET, 0, b"\xc6\x33\x64\x01"),
        EXTENDED_ERROR + struct.pack("@HHI16sIx", socket.AF_INET6, 0, 0, bytes(16), 0),
    ),
    Codec("nut_wire", NUT, any_nut, NutPeerError),
)
WRITES_ONLY = dict.fromkeys(("bpf", "bpf_code"), "a program for our own kernel; nothing is read")

codecs = pytest.mark.parametrize("codec", CODECS, ids=[codec.name for codec in CODECS])


@codecs
def test_no_packet_brings_anything_but_a_refusal(codec: Codec) -> None:
    tally = fuzz(codec, PACKETS_A_CODEC, seed=8762)
    assert tally.read + tally.refused == PACKETS_A_CODEC
    # The packets come past the first look: a twentieth and more is read to the end.
    assert tally.read >= PACKETS_A_CODEC // 20, tally


@codecs
def test_valid_samples_are_read(codec: Codec) -> None:
    for sample in codec.samples:
        try:
            codec.read(codec.seal(sample))
        except stun.ErrorResponse:
            continue


@codecs
def test_a_longer_packet_costs_no_more_than_its_length(codec: Codec) -> None:
    """Twice the repetition, at most twice the lines and a constant."""
    for half, whole in zip(stretched(codec, 64, seed=5), stretched(codec, 128, seed=5), strict=True):
        assert lines_run(codec, whole[:LARGEST]) <= 2 * lines_run(codec, half[:LARGEST]) + 64


def test_every_codec_has_its_row() -> None:
    fuzzed = {codec.name.replace(",", " ").split()[0] for codec in CODECS}
    (directory,) = probes.packets.__path__
    written = {path.stem for path in Path(directory).glob("*.py")} - {"__init__"}
    assert written == fuzzed - {"nut_wire"} | set(WRITES_ONLY)
