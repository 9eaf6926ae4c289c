"""A TLS handshake as bytes in and bytes out, and what it means when it fails. No socket is known here."""

import ssl
from enum import StrEnum

from probes.errors import PeerError

_FLIGHT_MAX = 131_072  # OpenSSL takes 100 kB of certificates at most; what is more is no handshake
_ALERT, _HANDSHAKE = 21, 22  # record types a server may begin with, RFC 8446 section 5.1


class TlsTrouble(StrEnum):
    """Why a service that answers is not fit for use."""

    EXPIRED = "expired"  # or our own clock is ahead
    NOT_YET_VALID = "not_yet_valid"  # mostly our own clock: a box without a battery wakes up in the past
    WRONG_NAME = "wrong_name"
    UNKNOWN_CA = "unknown_ca"  # also a self-signed certificate, and a box on the way that opens TLS
    BAD_CERTIFICATE = "bad_certificate"  # anything else that is wrong with it
    OLD_PROTOCOL = "old_protocol"  # below TLS 1.2
    ALERT = "alert"  # the server ended the handshake and said why
    RESET = "reset"
    CLOSED = "closed"
    PLAINTEXT = "plaintext"  # no TLS at all: another service, or a captive portal
    GARBLED = "garbled"


# X509_V_ERR_… of openssl/x509_vfy.h.
_CERTIFICATE_TROUBLES = {
    2: TlsTrouble.UNKNOWN_CA,
    9: TlsTrouble.NOT_YET_VALID,
    10: TlsTrouble.EXPIRED,
    18: TlsTrouble.UNKNOWN_CA,
    19: TlsTrouble.UNKNOWN_CA,
    20: TlsTrouble.UNKNOWN_CA,
    21: TlsTrouble.UNKNOWN_CA,
    62: TlsTrouble.WRONG_NAME,
    64: TlsTrouble.WRONG_NAME,
}
_OLD = frozenset(("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"))
# The alerts OpenSSL names without saying that they are some.
_ALERTS = frozenset(
    (
        *("TLSV1_UNRECOGNIZED_NAME", "TLSV1_UNSUPPORTED_EXTENSION", "TLSV1_CERTIFICATE_UNOBTAINABLE"),
        *("TLSV1_BAD_CERTIFICATE_HASH_VALUE", "TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE"),
    )
)


class NotTls(PeerError):
    """What came is no TLS handshake, which shows without OpenSSL."""

    def __init__(self, trouble: TlsTrouble, says: str) -> None:
        super().__init__(says)
        self.trouble = trouble


def trouble_of(error: ssl.SSLError | ConnectionError | NotTls) -> TlsTrouble:
    """What an error of a handshake, or of the connection under it, says of the service."""
    if isinstance(error, NotTls):
        return error.trouble
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE_TROUBLES.get(error.verify_code, TlsTrouble.BAD_CERTIFICATE)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return TlsTrouble.CLOSED
    if isinstance(error, ConnectionError):
        return TlsTrouble.RESET
    reason = _reason(error)
    if reason in _OLD:
        return TlsTrouble.OLD_PROTOCOL
    return TlsTrouble.ALERT if "_ALERT_" in reason or reason in _ALERTS else TlsTrouble.GARBLED


def cause_of(error: Exception) -> str:
    """The error in words for a log line, without the places in OpenSSL's source."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return (_reason(error) if isinstance(error, ssl.SSLError) else "") or str(error)


class TlsHandshake:
    """The client's side. Call `advance` with what arrived until `done`, and send on what `to_send` holds after each
    call, also after one that raised: the alert for the server is in it.
    """

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        """Raises ValueError for a name that is none."""
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=server_name)
        self._taken = 0
        self.done = False

    def advance(self, data: bytes) -> None:
        """Takes in what arrived; at first, nothing. Raises ssl.SSLError, or NotTls."""
        if data and self._taken == 0 and data[0] not in (_ALERT, _HANDSHAKE):
            raise NotTls(TlsTrouble.PLAINTEXT, f"answer to a TLS greeting begins with {data[:40]!r}")
        self._taken += len(data)
        if self._taken > _FLIGHT_MAX:
            raise NotTls(TlsTrouble.GARBLED, f"{self._taken} bytes and still no end of the TLS handshake")
        self._in.write(data)
        try:
            self._tls.do_handshake()
            self.done = True
        except ssl.SSLWantReadError:
            return

    def farewell(self) -> None:
        """Says goodbye as RFC 8446 section 6.1 asks."""
        try:
            self._tls.unwrap()
        except ssl.SSLError:  # it would wait for the server's own goodbye
            return

    def to_send(self) -> bytes:
        return self._out.read()


def _reason(error: ssl.SSLError) -> str:
    """OpenSSL's name for it; an error of the ssl module's own has none, not even an empty one."""
    return getattr(error, "reason", None) or ""
