"""Against scapy's generic TLV, and against the octets of RFC 8972.

scapy names the flags from the wrong end ("U" is its 0x01, the RFC's bit 0 is 0x80): they are compared as numbers.
"""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.stamp import STAMPSessionReflectorTestUnauthenticated, STAMPTestTLV

from probes.errors import MisuseError
from probes.packets import stamp_tlv
from probes.packets.stamp_tlv import CosSeen, Seal, class_of_service, extra_padding, read_class_of_service, sealed

EF, CS6 = 46, 48
KEY = b"a key of the NOC"
ANY = range(64)
U, M, I = 0x80, 0x40, 0x20  # noqa: E741
dscps = st.integers(0, 63)
tails = st.one_of(
    st.binary(max_size=200),
    # Nearly right ones: a mistake in a single place of a well-formed list.
    st.lists(st.tuples(st.integers(0, 255), st.sampled_from([0, 1, 4, 8, 9, 255]), st.binary(max_size=20)))
    .map(lambda tlvs: b"".join(bytes([f, k]) + len(v).to_bytes(2, "big") + v for f, k, v in tlvs))
    .flatmap(lambda tail: st.integers(0, len(tail)).map(lambda cut: tail[:cut])),
)


def reflect(tail: bytes, tos: int = 0, *, asked: Seal | None = None, answer: Seal | None = None) -> bytes:
    return stamp_tlv.reflect(tail, tos, permitted=range(48), asked=asked, answer=answer)[0]


def unknown(flags: int = U) -> bytes:
    return bytes([flags, 200, 0, 3]) + b"abc"


@pytest.mark.parametrize("size", [4, 5, 64, 1400, 65539])
def test_padding_has_exactly_its_size_and_reads_as_one_tlv(size: int) -> None:
    tlv = STAMPTestTLV(extra_padding(size))
    assert (len(extra_padding(size)), tlv.type, tlv.len, len(tlv.value)) == (size, 1, size - 4, size - 4)
    assert int(tlv.flags) == U


@pytest.mark.parametrize("size", [-1, 0, 3, 65540])
def test_padding_of_an_impossible_size_is_our_own_mistake(size: int) -> None:
    with pytest.raises(MisuseError, match=str(size)):
        extra_padding(size)


@given(dscps)
def test_the_class_of_service_asked_for_is_byte_for_byte_what_scapy_builds(dscp: int) -> None:
    assert class_of_service(dscp) == bytes(STAMPTestTLV(flags=U, type=4, len=4, value=bytes([dscp << 2, 0, 0, 0])))


@pytest.mark.parametrize("dscp", [-1, 64])
def test_a_dscp_that_is_none_is_our_own_mistake(dscp: int) -> None:
    with pytest.raises(MisuseError, match=str(dscp)):
        class_of_service(dscp)


@given(dscps, dscps, st.integers(0, 3))
def test_the_reflector_says_how_the_packet_came_and_marks_its_reply_as_asked(asked: int, came: int, ecn: int) -> None:
    tail, dscp = stamp_tlv.reflect(class_of_service(asked), came << 2 | ecn, permitted=range(48))
    refused = asked >= 48
    assert tail[:4] == bytes([0, 4, 0, 4])
    assert int.from_bytes(tail[4:6], "big") == asked << 10 | came << 4 | ecn << 2 | refused
    assert tail[6:] == bytes(2)
    assert read_class_of_service(tail) == CosSeen(asked, came, ecn, refused)
    assert dscp == (came if refused else asked)


@pytest.mark.parametrize(
    ("tail", "flags"),
    [
        (class_of_service(EF), [0]),
        (extra_padding(100), [0]),
        (unknown(), [U]),
        (unknown(flags=0x1F | I | M), [U]),  # what a sender should have left zero is not given back
        (unknown() + class_of_service(EF) + extra_padding(8), [U, 0, 0]),
        (bytes([U, 4, 0, 5]) + bytes(5) + class_of_service(EF), [M, U]),  # a wrong length: all after it as it came
        (class_of_service(EF)[:-1], [M]),
        (class_of_service(EF) + b"\0\1", [0, M]),
        (sealed(class_of_service(EF), Seal(KEY, 1)), [I, I]),  # no key to verify it with
    ],
)
def test_each_tlv_is_marked_as_the_rfc_says(tail: bytes, flags: list[int]) -> None:
    reply = reflect(tail)
    assert len(reply) == len(tail)
    places = [0]
    while places[-1] + 4 <= len(tail) and len(places) < len(flags):
        places.append(places[-1] + 4 + int.from_bytes(tail[places[-1] + 2 : places[-1] + 4], "big"))
    assert [reply[at] for at in places] == flags


def test_scapy_reads_our_reflected_tlvs() -> None:
    tail = reflect(unknown() + class_of_service(EF) + extra_padding(20), EF << 2)
    packet = STAMPSessionReflectorTestUnauthenticated(bytes(44) + tail)
    assert [(int(t.flags), t.type, t.len) for t in packet.tlv_objects] == [(U, 200, 3), (0, 4, 4), (0, 1, 16)]
    assert packet.tlv_objects[1].value == bytes([EF << 2 | EF >> 4, (EF << 4) & 0xFF, 0, 0])


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        class_of_service(EF),  # given back untouched
        reflect(extra_padding(40)),
        reflect(sealed(class_of_service(EF), Seal(KEY, 1))),
        reflect(class_of_service(EF))[:-1],
        bytes([M, 4, 0, 4, 1, 2, 3, 4]),
        reflect(unknown() + class_of_service(EF))[:8],
    ],
    ids=["nothing", "by one that knows no TLVs", "other TLVs", "not intact", "cut off", "malformed", "a stub"],
)
def test_no_figure_is_read_from_a_reply_that_says_none(tail: bytes) -> None:
    assert read_class_of_service(tail) is None


ASKED, ANSWER = Seal(KEY, 7), Seal(KEY, 3)


def test_the_hmac_tlv_is_where_and_what_the_rfc_says() -> None:
    cos = class_of_service(EF)
    digest = hmac.new(KEY, (7).to_bytes(4, "big") + cos, hashlib.sha256).digest()[:16]
    assert sealed(cos, ASKED) == cos + bytes([U, 8, 0, 16]) + digest


@pytest.mark.parametrize("padding", [b"", extra_padding(40)])
def test_sealed_tlvs_are_answered_sealed(padding: bytes) -> None:
    reply = reflect(sealed(class_of_service(EF), ASKED) + padding, EF << 2 | 1, asked=ASKED, answer=ANSWER)
    cos = bytes([0, 4, 0, 4]) + (EF << 10 | EF << 4 | 1 << 2).to_bytes(2, "big") + bytes(2)
    digest = hmac.new(KEY, (3).to_bytes(4, "big") + cos, hashlib.sha256).digest()[:16]
    assert reply == cos + bytes([0, 8, 0, 16]) + digest + (padding and b"\0" + padding[1:])
    assert read_class_of_service(reply, ANSWER) == CosSeen(EF, EF, 1, refused=False)
    assert read_class_of_service(reply, ASKED) is None
    assert read_class_of_service(reply, Seal(b"another", 3)) is None


@pytest.mark.parametrize(
    ("tail", "count"),
    [
        (class_of_service(EF), 1),
        (sealed(class_of_service(EF), Seal(b"another", 7)), 2),
        (sealed(class_of_service(EF), ANSWER), 2),  # of another packet
        (sealed(class_of_service(EF), ASKED) + class_of_service(EF), 3),  # something after it
        (sealed(sealed(class_of_service(EF), ASKED), ASKED), 3),
        (extra_padding(8) + extra_padding(8), 2),  # only one alone needs no HMAC
    ],
)
def test_with_a_key_nothing_unsealed_is_acted_upon(tail: bytes, count: int) -> None:
    reply, dscp = stamp_tlv.reflect(tail, EF << 2, permitted=ANY, asked=ASKED, answer=ANSWER)
    theirs, ours = (STAMPSessionReflectorTestUnauthenticated(bytes(44) + each).tlv_objects for each in (tail, reply))
    assert [int(tlv.flags) for tlv in ours] == [I] * count
    assert [tlv.value for tlv in ours] == [tlv.value for tlv in theirs]
    assert dscp is None


def test_with_a_key_padding_alone_is_accepted() -> None:
    padding = extra_padding(60)
    assert reflect(padding, asked=ASKED, answer=ANSWER) == b"\0" + padding[1:]


@given(tails, st.integers(0, 255), st.sampled_from([None, ASKED]))
def test_garbage_comes_back_as_long_and_raises_nothing(tail: bytes, tos: int, asked: Seal | None) -> None:
    reply, dscp = stamp_tlv.reflect(tail, tos, permitted=range(48), asked=asked, answer=asked and ANSWER)
    assert len(reply) == len(tail)
    assert dscp is None or 0 <= dscp < 64
    for each in (tail, reply):
        read_class_of_service(each)
        read_class_of_service(each, ANSWER)
    seen = read_class_of_service(reply, asked and ANSWER)
    assert seen is None or (seen.received_dscp, seen.received_ecn) == (tos >> 2, tos & 3)


def test_only_so_many_tlvs_are_looked_at() -> None:
    reply = reflect(unknown(flags=0) * 200)
    assert reply == unknown(flags=U) * 16 + unknown(flags=0) * 184
