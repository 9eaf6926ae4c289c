"""Real certificates in real files, and real handshakes on the loopback with a broker whose dates do not fit."""

import asyncio
import os
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from edged.clock import ClockQuality
from edged.report.certificates import (
    Fault,
    Found,
    Paper,
    Validity,
    days_left,
    look,
    names_the_clock,
    validity_of,
)
from edged.report.dial import tls_context
from edged.report.settings import TlsSettings
from tests.edged.report.papers import write_dated, write_papers

SYNCED, HOLDOVER, UNSET = ClockQuality.SYNCED, ClockQuality.HOLDOVER, ClockQuality.UNSET
DAY_S = 86_400.0
NOW = 1_800_000_000.0
HOLDS = Validity(NOW - DAY_S, NOW + 10 * DAY_S)
OVER = Validity(NOW - 2 * DAY_S, NOW - DAY_S)
TO_COME = Validity(NOW + DAY_S, NOW + 2 * DAY_S)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_papers(tmp_path)
    return tmp_path


def files(folder: Path) -> TlsSettings:
    return TlsSettings(ca_file=folder / "ca.pem", cert_file=folder / "edge.pem", key_file=folder / "edge.key")


# ── dates ──────────────────────────────────────────────────────────────────────────────────────────────
def test_days_left_are_negative_once_it_has_expired() -> None:
    assert days_left(HOLDS, NOW) == 10
    assert days_left(OVER, NOW) == -1


@pytest.mark.parametrize(
    ("validities", "every", "fault", "left"),
    [
        ((HOLDS,), True, None, 10),
        ((HOLDS, OVER), True, Fault.EXPIRED, -1),  # an intermediate has expired
        ((HOLDS, TO_COME), True, Fault.NOT_YET_VALID, 2),
        ((OVER, TO_COME), True, Fault.EXPIRED, -1),
        ((OVER, HOLDS), False, None, -1),  # one authority is enough; the old one should be tidied away
        ((TO_COME, HOLDS), False, None, 2),
        ((OVER, TO_COME), False, Fault.NOT_YET_VALID, -1),
        ((OVER, OVER), False, Fault.EXPIRED, -1),
    ],
)
def test_a_chain_holds_as_a_whole_and_of_authorities_one_is_enough(
    validities: tuple[Validity, ...], every: bool, fault: Fault | None, left: float
) -> None:
    paper = Paper(validities, every=every)
    assert paper.fault_on(NOW) is fault
    assert paper.days_left(NOW) == left


def test_nothing_is_concluded_from_dates_when_nobody_knows_the_day() -> None:
    assert Paper((OVER,)).fault_on(None) is None
    assert Paper((OVER,)).days_left(None) is None
    assert Paper((OVER,), Fault.NO_KEY).fault_on(None) is Fault.NO_KEY


# ── files ──────────────────────────────────────────────────────────────────────────────────────────────
def test_sound_files_make_a_context(folder: Path) -> None:
    found = look(files(folder))
    assert found.own
    assert found.ca
    assert found.context
    assert found.faults_on(time.time()) == {}
    assert found.own.days_left(time.time()) == pytest.approx(1, abs=0.01)
    assert found.ca.days_left(time.time()) == pytest.approx(1, abs=0.01)


def test_what_the_settings_do_not_name_is_not_looked_at(folder: Path) -> None:
    found = look(TlsSettings())
    assert (found.own, found.ca) == (None, None)
    assert found.context


def test_a_key_may_lie_in_the_certificates_file(folder: Path) -> None:
    both = folder / "both.pem"
    both.write_bytes((folder / "edge.pem").read_bytes() + (folder / "edge.key").read_bytes())
    assert look(TlsSettings(cert_file=both)).faults_on(time.time()) == {}


def test_unchanged_files_are_not_read_as_new_ones(folder: Path) -> None:
    first = look(files(folder))
    for file in folder.iterdir():
        os.utime(file, (0, 0))
    assert look(files(folder), first) is first
    (folder / "ca.pem").write_bytes((folder / "other.pem").read_bytes())
    assert look(files(folder), first).fingerprint != first.fingerprint


def spoil(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("spoiled", "content", "faults"),
    [
        ("edge.pem", None, {"own": Fault.UNREADABLE}),
        ("edge.pem", b"", {"own": Fault.UNREADABLE}),
        ("edge.pem", b"-----BEGIN CERTIFICATE-----\nMIIB", {"own": Fault.UNREADABLE}),
        ("edge.pem", b"\x00" * ((4 << 20) + 1), {"own": Fault.UNREADABLE}),
        ("edge.key", None, {"own": Fault.NO_KEY}),
        ("edge.key", b"-----BEGIN PRIVATE KEY-----\n", {"own": Fault.NO_KEY}),
        ("ca.pem", None, {"ca": Fault.UNREADABLE}),
        ("ca.pem", b"\xff\xfe", {"ca": Fault.UNREADABLE}),
    ],
)
def test_what_cannot_be_used_says_why(
    folder: Path, spoiled: str, content: bytes | None, faults: dict[str, Fault]
) -> None:
    spoil(folder / spoiled, content)
    found = look(files(folder))
    assert found.faults_on(None) == faults
    assert found.context is None


def test_a_new_certificate_beside_the_old_key_is_not_sound_yet(folder: Path) -> None:
    old_key = (folder / "edge.key").read_bytes()
    write_dated(folder, "edge", begins=timedelta(0), ends=timedelta(days=90))
    new_key = (folder / "edge.key").read_bytes()
    (folder / "edge.key").write_bytes(old_key)
    assert look(files(folder)).faults_on(None) == {"own": Fault.NO_KEY}
    (folder / "edge.key").write_bytes(new_key)
    assert look(files(folder)).faults_on(None) == {}


def test_an_encrypted_key_is_no_key(folder: Path) -> None:
    """Nobody is there to type a password; OpenSSL would ask the terminal."""
    key = load_pem_private_key((folder / "edge.key").read_bytes(), password=None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    (folder / "edge.key").write_bytes(locked)
    assert look(files(folder)).faults_on(None) == {"own": Fault.NO_KEY}


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    (folder / "ca.pem").unlink()
    os.mkfifo(folder / "ca.pem")
    assert look(files(folder)).faults_on(None) == {"ca": Fault.UNREADABLE}


@pytest.mark.parametrize(
    ("begins", "ends", "fault"),
    [(-9, -1, Fault.EXPIRED), (1, 9, Fault.NOT_YET_VALID)],
)
@pytest.mark.parametrize(("name", "which"), [("edge", "own"), ("ca", "ca")])
def test_dates_that_do_not_fit_are_a_fault_of_that_file(
    folder: Path, begins: int, ends: int, fault: Fault, name: str, which: str
) -> None:
    write_dated(folder, name, begins=timedelta(days=begins), ends=timedelta(days=ends))
    found = look(files(folder))
    assert found.faults_on(time.time()) == {which: fault}
    assert found.context, "by its dates alone it can be used: the clock may be what is wrong"


def test_the_first_authority_to_end_counts(folder: Path) -> None:
    both = folder / "both.pem"
    write_dated(folder, "ca", begins=timedelta(days=-1), ends=timedelta(days=300))
    both.write_bytes((folder / "ca.pem").read_bytes() + (folder / "other.pem").read_bytes())
    found = look(TlsSettings(ca_file=both)).ca
    assert found
    assert found.days_left(time.time()) == pytest.approx(1, abs=0.01)


def test_files_that_change_all_the_while_are_for_now_unreadable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time a context is made of them, they are other ones by the time it is there."""

    def replaced_meanwhile(settings: TlsSettings) -> ssl.SSLContext:
        context = tls_context(settings)
        write_dated(folder, "edge", begins=timedelta(0), ends=timedelta(days=1))
        return context

    monkeypatch.setattr("edged.report.certificates.tls_context", replaced_meanwhile)
    assert look(files(folder)).context is None


# ── handshakes ─────────────────────────────────────────────────────────────────────────────────────────
async def handshake(folder: Path) -> bytes:
    """With a broker on the loopback: the certificate it shows. Raises ssl.SSLError."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(folder / "broker.pem", folder / "broker.key")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=server_side)
    port = server.sockets[0].getsockname()[1]
    try:
        context = tls_context(TlsSettings(ca_file=folder / "ca.pem"))
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return bytes(shown)
    finally:
        server.close()
        await server.wait_closed()


async def refused(folder: Path) -> ssl.SSLError:
    with silent_loop(), pytest.raises(ssl.SSLError) as refusal:
        await handshake(folder)
    return refusal.value


@contextmanager
def silent_loop() -> Iterator[None]:
    """The server's side of a handshake that is refused complains to the loop."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, _context: None)
    yield
    loop.set_exception_handler(None)


async def test_the_brokers_certificate_is_read_from_what_it_shows(folder: Path) -> None:
    found = validity_of(await handshake(folder))
    assert found
    assert days_left(found, time.time()) == pytest.approx(1, abs=0.01)
    assert validity_of(b"no certificate") is None


BEFORE_OR_AFTER = pytest.mark.parametrize(("begins", "ends", "code"), [(1, 9, 9), (-9, -1, 10)])


@BEFORE_OR_AFTER
@pytest.mark.parametrize("name", ["broker", "ca"])
async def test_a_date_that_does_not_fit_an_unset_clock_is_the_clocks_fault(
    folder: Path, begins: int, ends: int, code: int, name: str
) -> None:
    write_dated(folder, name, begins=timedelta(days=begins), ends=timedelta(days=ends))
    error = await refused(folder)
    assert isinstance(error, ssl.SSLCertVerificationError)
    assert error.verify_code == code
    now = time.time()
    assert names_the_clock(error, quality=UNSET, plausible=True, now_wall_s=now)
    assert names_the_clock(error, quality=HOLDOVER, plausible=False, now_wall_s=now)
    assert not names_the_clock(error, quality=SYNCED, plausible=True, now_wall_s=now)
    assert not names_the_clock(error, quality=HOLDOVER, plausible=True, now_wall_s=now)


@BEFORE_OR_AFTER
@pytest.mark.parametrize(
    ("known_days_from_now", "named"),
    [
        (5, {9}),  # the clock went back: by what we know the certificate has begun
        (-5, {10}),  # the clock went ahead: by what we know it holds
        (0, set()),  # the clock shows what we know: it is the certificate
        (None, set()),
    ],
)
async def test_a_clock_that_contradicts_what_is_known_is_named(
    folder: Path, begins: int, ends: int, code: int, known_days_from_now: int | None, named: set[int]
) -> None:
    write_dated(folder, "broker", begins=timedelta(days=begins), ends=timedelta(days=ends))
    shown = validity_of(x509.load_pem_x509_certificate((folder / "broker.pem").read_bytes()).public_bytes(Encoding.DER))
    now = time.time()
    known = None if known_days_from_now is None else now + known_days_from_now * DAY_S
    error = await refused(folder)
    blamed = names_the_clock(error, quality=HOLDOVER, plausible=True, now_wall_s=now, known_wall_s=known, broker=shown)
    assert blamed is (code in named)


async def test_any_other_failure_is_never_the_clocks(folder: Path) -> None:
    (folder / "ca.pem").write_bytes((folder / "other.pem").read_bytes())
    assert not names_the_clock(await refused(folder), quality=UNSET, plausible=False, now_wall_s=0.0)
    assert not names_the_clock(ssl.SSLError("wrong version"), quality=UNSET, plausible=False, now_wall_s=0.0)


def test_found_papers_of_an_empty_folder_are_all_faulty(tmp_path: Path) -> None:
    found: Found = look(files(tmp_path))
    assert found.faults_on(None) == {"own": Fault.UNREADABLE, "ca": Fault.UNREADABLE}
