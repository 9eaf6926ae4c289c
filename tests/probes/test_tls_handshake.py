import random
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from probes.tls_handshake import NotTls, TlsHandshake, TlsTrouble, cause_of, trouble_of
from tests.probes.tls_double import NAME, Authority, server_context

HELLO_REQUEST = b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"


def failed(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] whatever (_ssl.c:1006)")
    error.reason = reason
    return error


def refused(verify_code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = verify_code, f"X509 error {verify_code}"
    return error


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (refused(10), TlsTrouble.EXPIRED),
        (refused(9), TlsTrouble.NOT_YET_VALID),
        (refused(62), TlsTrouble.WRONG_NAME),
        (refused(64), TlsTrouble.WRONG_NAME),
        (refused(18), TlsTrouble.UNKNOWN_CA),
        (refused(19), TlsTrouble.UNKNOWN_CA),
        (refused(20), TlsTrouble.UNKNOWN_CA),
        (refused(23), TlsTrouble.BAD_CERTIFICATE),  # revoked
        (refused(66), TlsTrouble.BAD_CERTIFICATE),  # too small a key
        (failed("SSLV3_ALERT_HANDSHAKE_FAILURE"), TlsTrouble.ALERT),
        (failed("TLSV13_ALERT_CERTIFICATE_REQUIRED"), TlsTrouble.ALERT),
        (failed("TLSV1_UNRECOGNIZED_NAME"), TlsTrouble.ALERT),
        (failed("TLSV1_ALERT_PROTOCOL_VERSION"), TlsTrouble.OLD_PROTOCOL),
        (failed("UNSUPPORTED_PROTOCOL"), TlsTrouble.OLD_PROTOCOL),
        (failed("BAD_EXTENSION"), TlsTrouble.GARBLED),
        (ssl.SSLError(1, "without a reason"), TlsTrouble.GARBLED),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), TlsTrouble.CLOSED),
        (ssl.SSLZeroReturnError(6, "closed"), TlsTrouble.CLOSED),
        (ConnectionResetError(104, "reset by peer"), TlsTrouble.RESET),
        (BrokenPipeError(32, "broken pipe"), TlsTrouble.RESET),
        (NotTls(TlsTrouble.PLAINTEXT, "begins with b'HTTP'"), TlsTrouble.PLAINTEXT),
    ],
)
def test_each_error_has_its_code(error: ssl.SSLError | ConnectionError | NotTls, trouble: TlsTrouble) -> None:
    assert trouble_of(error) is trouble


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (refused(10), "X509 error 10"),
        (failed("BAD_EXTENSION"), "BAD_EXTENSION"),
        (NotTls(TlsTrouble.PLAINTEXT, "begins with b'HTTP'"), "begins with b'HTTP'"),
    ],
)
def test_a_cause_is_told_without_the_places_in_openssl(error: Exception, says: str) -> None:
    assert cause_of(error) == says


class Pair:
    """A client under test and a server of the ssl module's own, without sockets."""

    def __init__(self, directory: Path) -> None:
        authority = Authority(directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(authority.ca_file)
        self.client = TlsHandshake(context, NAME)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = server_context(authority.certificate()).wrap_bio(self._in, self._out, server_side=True)

    def answer(self) -> bytes:
        self._in.write(self.client.to_send())
        with suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        return self._out.read()


def test_a_handshake_may_come_byte_by_byte(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.client.advance(b"")
    for byte in pair.answer():
        assert not pair.client.done
        pair.client.advance(bytes((byte,)))
    assert pair.client.done
    finished = pair.client.to_send()
    pair.client.farewell()
    goodbye = pair.client.to_send()
    assert finished
    assert len(goodbye) == 24  # one encrypted alert: 5 of header, 2 of alert, 1 of type, 16 of tag


def test_a_server_that_never_comes_to_an_end_is_left(tmp_path: Path) -> None:
    client = Pair(tmp_path).client
    client.advance(b"")
    for _ in range(29):
        client.advance(HELLO_REQUEST * 500)
    with pytest.raises(NotTls, match="still no end") as caught:
        client.advance(HELLO_REQUEST * 500)
    assert trouble_of(caught.value) is TlsTrouble.GARBLED


def test_damage_raises_nothing_but_what_has_a_code() -> None:
    rng, seen = random.Random(8446), set[TlsTrouble]()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    hello = b"\x16\x03\x03\x00\x2c\x02\x00\x00\x28\x03\x03" + bytes(32) + b"\x00\xc0\x2b\x00\x00\x00"
    for _ in range(2000):
        client = TlsHandshake(context, NAME)
        client.advance(b"")
        data = bytearray(hello)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            client.advance(bytes(data))
        except (ssl.SSLError, NotTls) as error:
            seen.add(trouble_of(error))
    assert {TlsTrouble.GARBLED, TlsTrouble.PLAINTEXT} <= seen
