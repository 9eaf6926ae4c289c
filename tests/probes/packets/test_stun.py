"""Against the sample responses of RFC 5769 and against messages put together here from the layouts of RFC 8489."""

import struct
import zlib
from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.errors import MisuseError, PeerError
from probes.packets import stun
from probes.packets.stun import ErrorResponse, Mapped

SAMPLE_TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
# RFC 5769 section 2.2
SAMPLE_V4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
# RFC 5769 section 2.3
SAMPLE_V6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9fa"
    "a5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)

TRANSACTION = bytes(range(0x30, 0x3C))
COOKIE = b"\x21\x12\xa4\x42"
V4 = bytes([192, 0, 2, 7])
V6 = ip_address("2001:db8::17").packed
PLAIN_V4 = b"\0\x01\x80\x55" + V4
MASKED_V4 = b"\0\x01\xa1\x47" + bytes(a ^ b for a, b in zip(V4, COOKIE, strict=True))
MASKED_V6 = b"\0\x02\xa1\x47" + bytes(a ^ b for a, b in zip(V6, COOKIE + TRANSACTION, strict=True))
SEEN_V4 = Mapped(ip_address("192.0.2.7"), 0x8055)


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def message(*attributes: bytes, kind: int = 0x0101, transaction: bytes = TRANSACTION) -> bytes:
    body = b"".join(attributes)
    return struct.pack(">HH", kind, len(body)) + COOKIE + transaction + body


def sealed(*attributes: bytes) -> bytes:
    """With a FINGERPRINT, whose own 8 bytes are counted in the length it is computed over."""
    whole = message(*attributes, attribute(0x8028, bytes(4)))
    return whole[:-4] + (zlib.crc32(whole[:-8]) ^ 0x5354554E).to_bytes(4, "big")


def test_the_request_is_a_bare_header() -> None:
    assert stun.encode_request(SAMPLE_TRANSACTION) == bytes.fromhex("000100002112a442b7e7a701bc34d686fa87dfae")
    assert stun.transaction_of(stun.encode_request(TRANSACTION)) == TRANSACTION


@pytest.mark.parametrize(
    ("response", "address"),
    [(SAMPLE_V4, "192.0.2.1"), (SAMPLE_V6, "2001:db8:1234:5678:11:2233:4455:6677")],
    ids=["IPv4", "IPv6"],
)
def test_the_samples_of_rfc_5769_are_read(response: bytes, address: str) -> None:
    assert stun.decode_response(response, SAMPLE_TRANSACTION) == Mapped(ip_address(address), 32853)


@pytest.mark.parametrize("response", [SAMPLE_V4, SAMPLE_V6], ids=["IPv4", "IPv6"])
def test_one_flipped_bit_in_a_response_with_fingerprint_is_noticed(response: bytes) -> None:
    # Types and lengths of the last two attributes decide whether there is a FINGERPRINT at all.
    frame = {*range(len(response) - 32, len(response) - 28), *range(len(response) - 8, len(response) - 4)}
    for place in set(range(len(response))) - frame:
        for bit in range(8):
            damaged = bytearray(response)
            damaged[place] ^= 1 << bit
            with pytest.raises(PeerError):
                stun.decode_response(bytes(damaged), SAMPLE_TRANSACTION)


@pytest.mark.parametrize(
    ("response", "seen"),
    [
        pytest.param(message(attribute(0x20, MASKED_V4)), SEEN_V4, id="XOR-MAPPED-ADDRESS"),
        pytest.param(message(attribute(0x20, MASKED_V6)), Mapped(ip_address("2001:db8::17"), 0x8055), id="IPv6"),
        pytest.param(message(attribute(0x01, PLAIN_V4)), SEEN_V4, id="MAPPED-ADDRESS alone"),
        pytest.param(
            message(attribute(0x01, PLAIN_V4), attribute(0x04, PLAIN_V4), attribute(0x05, PLAIN_V4)),
            SEEN_V4,
            id="a server of RFC 3489",
        ),
        pytest.param(
            message(attribute(0x01, b"\0\x01\0\x01\x0a\0\0\x01"), attribute(0x20, MASKED_V4)),
            SEEN_V4,
            id="both: a NAT may have rewritten the one in clear",
        ),
        pytest.param(
            message(attribute(0x20, MASKED_V4), attribute(0x20, b"\0\x01\0\0" + bytes(4))),
            SEEN_V4,
            id="the first counts",
        ),
        pytest.param(message(attribute(0x8055, b"odd"), attribute(0x20, MASKED_V4)), SEEN_V4, id="unknown, optional"),
        pytest.param(
            message(attribute(0x20, MASKED_V4), attribute(0x08, bytes(20)), attribute(0x7F01, b"")),
            SEEN_V4,
            id="after MESSAGE-INTEGRITY nothing counts",
        ),
        pytest.param(sealed(attribute(0x20, MASKED_V4)), SEEN_V4, id="FINGERPRINT"),
        pytest.param(
            message(attribute(0x01, b"\0\x02\x80\x55" + bytes(10) + b"\xff\xff" + V4)), SEEN_V4, id="IPv4 in IPv6"
        ),
    ],
)
def test_the_mapped_address_is_found(response: bytes, seen: Mapped) -> None:
    assert stun.decode_response(response, TRANSACTION) == seen


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (b"", "of 0 bytes"),
        (message()[:19], "of 19 bytes"),
        (message(attribute(0x20, MASKED_V4), kind=0x8101), "is not STUN"),
        (b"\x01\x01\0\0" + b"\x21\x12\xa4\x43" + TRANSACTION, "is not STUN"),
        (message(attribute(0x20, MASKED_V4)) + b"\0\0\0\0", "length 12 in a message of 36"),
        (message(attribute(0x20, MASKED_V4))[:-4], "length 12 in a message of 28"),
        (message(b"\0\x20\0\x01\0\0"), "length 6 in"),
        (message(attribute(0x20, MASKED_V4), transaction=bytes(12)), "of transaction 0000"),
        (message(attribute(0x20, MASKED_V4), kind=0x0001), "0x0001 is no binding response"),
        (message(attribute(0x20, MASKED_V4), kind=0x0103), "0x0103 is no binding response"),
        (message(), "without a mapped address"),
        (message(b"\0\x20\0\xff"), "of 255 bytes ends beyond the message"),
        (message(b"\0\x20\0\x09" + MASKED_V4), "of 9 bytes ends beyond"),
        (message(attribute(0x20, b"\0\x01\xa1")), "address of 3 bytes"),
        (message(attribute(0x20, MASKED_V4[:7])), "of family 1 with 3 bytes"),
        (message(attribute(0x20, MASKED_V6[:-4])), "of family 2 with 12 bytes"),
        (message(attribute(0x20, b"\0\x03" + MASKED_V4[2:])), "of family 3 with 4 bytes"),
        (message(attribute(0x7F01, b""), attribute(0x20, MASKED_V4)), "0x7f01 must be understood"),
        (sealed(attribute(0x20, MASKED_V4))[:-1] + b"\xff", "wrong FINGERPRINT"),
        (message(attribute(0x8028, bytes(4)), attribute(0x20, MASKED_V4)), "not the last attribute"),
        (message(attribute(0x20, MASKED_V4), attribute(0x8028, b"")), "not of 4 bytes"),
        (message(attribute(0x09, b"\0\0\x04"), kind=0x0111), "ERROR-CODE has 3 bytes"),
        (message(kind=0x0111), "ERROR-CODE has 0 bytes"),
        (message(attribute(0x09, b"\0\0\x07\0"), kind=0x0111), "does not exist"),
        (message(attribute(0x09, b"\0\0\x04\x64"), kind=0x0111), "does not exist"),
    ],
)
def test_what_is_no_such_response_is_refused_and_says_why(response: bytes, why: str) -> None:
    with pytest.raises(PeerError, match=why) as caught:
        stun.decode_response(response, TRANSACTION)
    assert not isinstance(caught.value, ErrorResponse)


def test_a_declined_request_names_the_code() -> None:
    response = message(attribute(0x09, b"\0\0\x04\x14Unknown Attribute"), attribute(0x0A, b"\0\x24"), kind=0x0111)
    with pytest.raises(ErrorResponse, match="STUN error 420 'Unknown Attribute'") as caught:
        stun.decode_response(response, TRANSACTION)
    assert caught.value.code == 420


def test_a_transaction_of_another_length_is_our_own_mistake() -> None:
    with pytest.raises(MisuseError, match="12 bytes, not 16"):
        stun.encode_request(bytes(16))


@given(st.binary(max_size=120), st.sampled_from([0x0101, 0x0111]))
def test_garbage_raises_nothing_but_the_rooms_error(body: bytes, kind: int) -> None:
    for data in (body, message(body, kind=kind)):
        with suppress(PeerError):
            stun.transaction_of(data)
        with suppress(PeerError):
            stun.decode_response(data, TRANSACTION)
