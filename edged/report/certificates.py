"""The certificates the line to the NOC lives on: what lies in the files, until when it holds, whether it can be used.

Files are looked at as a set: the certificate, its key and the authorities are used together or not at all. Dates are
judged apart from reading, and not at all by a clock that cannot be right.
"""

import hashlib
import ssl
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from edged.clock import ClockQuality
from edged.report.dial import tls_context
from edged.report.errors import LineDown
from edged.report.settings import TlsSettings

MOST_BYTES = 4 << 20
"""The system's own bundle of authorities has 220 kB; what is larger was named by mistake."""
_DAY_S = 86_400.0


class Fault(StrEnum):
    """Why a file cannot be used, as the code that is told."""

    UNREADABLE = "unreadable"
    NO_KEY = "no_key"  # none, encrypted, or another certificate's
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"


@dataclass(frozen=True, slots=True)
class Validity:
    """Seconds since 1970, both included (RFC 5280, 4.1.2.5)."""

    begins_s: float
    ends_s: float

    def covers(self, wall_s: float) -> bool:
        return self.begins_s <= wall_s <= self.ends_s


@dataclass(frozen=True, slots=True)
class Paper:
    """One of our files; `fault` is what is wrong with it on any day."""

    validities: tuple[Validity, ...] = ()
    fault: Fault | None = None
    every: bool = True
    """Whether all that is in it must hold, as in a chain; else one is enough, as among authorities."""

    def days_left(self, now_wall_s: float | None) -> float | None:
        """Until the first of what is in it ends; None: nothing is, or nobody knows what day it is."""
        if not self.validities or now_wall_s is None:
            return None
        return min(days_left(each, now_wall_s) for each in self.validities)

    def fault_on(self, now_wall_s: float | None) -> Fault | None:
        if self.fault or now_wall_s is None:
            return self.fault
        enough = all if self.every else any
        if enough(each.covers(now_wall_s) for each in self.validities):
            return None
        if enough(each.ends_s >= now_wall_s for each in self.validities):
            return Fault.NOT_YET_VALID
        return Fault.EXPIRED


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in the files. `own` and `ca` are None where the settings name none."""

    fingerprint: str
    """Of the contents; "" where they could not be read."""
    own: Paper | None
    ca: Paper | None
    context: ssl.SSLContext | None
    """Made of exactly these contents; None: it could not be."""

    def faults_on(self, now_wall_s: float | None) -> dict[str, Fault]:
        papers = {"own": self.own, "ca": self.ca}
        found = {which: paper.fault_on(now_wall_s) for which, paper in papers.items() if paper}
        return {which: fault for which, fault in found.items() if fault}


def days_left(validity: Validity, now_wall_s: float) -> float:
    """Negative once it has expired."""
    return (validity.ends_s - now_wall_s) / _DAY_S


def validity_of(der: bytes) -> Validity | None:
    """Of one certificate, as `getpeercert(binary_form=True)` gives it; None: it is none that we can read."""
    try:
        return _validity(x509.load_der_x509_certificate(der))
    except (ValueError, UnsupportedAlgorithm):
        return None


def names_the_clock(
    error: ssl.SSLError,
    *,
    quality: ClockQuality,
    plausible: bool,
    now_wall_s: float,
    known_wall_s: float | None = None,
    broker: Validity | None = None,
) -> bool:
    """Whether a TLS handshake failed because our own clock is wrong, and not because the broker's certificate is.

    It failed on a date, and our clock is not to be trusted with dates; or `broker` (the last certificate it showed) is
    valid at `known_wall_s`, the time it must be by all we know (`SystemClock.known_wall`), and is not by the clock.
    """
    if not isinstance(error, ssl.SSLCertVerificationError) or error.verify_code not in _BY_DATE:
        return False
    if quality is ClockQuality.UNSET or not plausible:
        return True
    if broker is None or known_wall_s is None:
        return False
    return broker.covers(known_wall_s) and not broker.covers(now_wall_s)


_BY_DATE = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED (openssl/x509_vfy.h), of whichever of the chain."""


# ── reading the files ──────────────────────────────────────────────────────────────────────────────────
_TRIES = 3


def look(files: TlsSettings, known: Found | None = None) -> Found:
    """Reads the files: not for the event loop. `known` is given back if nothing changed since."""
    found = known
    for _ in range(_TRIES):
        contents = _read(files)
        fingerprint = _fingerprint(contents)
        if found and fingerprint == found.fingerprint:
            return found
        found = _found(files, contents, fingerprint)
    return _found(files, {}, "")  # written to all the while: for now nothing can be made of them


def _read(files: TlsSettings) -> dict[Path, bytes]:
    """Those that can be read."""
    found = {}
    for path in (files.ca_file, files.cert_file, files.key_file):
        if path:
            try:
                found[path] = _content(path)
            except OSError:
                continue
    return found


def _content(path: Path) -> bytes:
    """Raises OSError, also for what is no file: reading from a pipe would never end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(f"{path} is no file")
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(f"{path} is too large")
    return content


def _fingerprint(contents: dict[Path, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in contents.items():
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _found(files: TlsSettings, contents: dict[Path, bytes], fingerprint: str) -> Found:
    own, ca = _own(files, contents), _authorities(files, contents)
    if any(paper and paper.fault for paper in (own, ca)):
        return Found(fingerprint, own, ca, None)
    try:
        return Found(fingerprint, own, ca, tls_context(files))
    except LineDown:  # OpenSSL asks for more than we do, such as the length of a key
        unusable = Paper(fault=Fault.UNREADABLE)
        return Found(fingerprint, unusable if own else None, ca if own else unusable, None)


def _own(files: TlsSettings, contents: dict[Path, bytes]) -> Paper | None:
    """The certificate, whatever follows it up to its authority, and its key."""
    if files.cert_file is None:
        return None
    chain = _certificates(contents.get(files.cert_file))
    if not chain:
        return Paper(fault=Fault.UNREADABLE)
    key = contents.get(files.key_file or files.cert_file)
    return Paper(tuple(map(_validity, chain)), None if _belongs(key, chain[0]) else Fault.NO_KEY)


def _authorities(files: TlsSettings, contents: dict[Path, bytes]) -> Paper | None:
    if files.ca_file is None:
        return None
    found = _certificates(contents.get(files.ca_file))
    return Paper(tuple(map(_validity, found)), every=False) if found else Paper(fault=Fault.UNREADABLE)


def _certificates(content: bytes | None) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content or b"")
    except (ValueError, UnsupportedAlgorithm):
        return []


def _validity(certificate: x509.Certificate) -> Validity:
    return Validity(certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp())


def _belongs(key: bytes | None, certificate: x509.Certificate) -> bool:
    try:
        return load_pem_private_key(key or b"", password=None).public_key() == certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it wants a password
        return False
