"""What the lab's authority certified, looked at with OpenSSL's strictest eyes."""

import ssl
import stat
from pathlib import Path

import pytest

from lab.services.own_authority import server_context
from lab.services.secret_key import made

NAME = "platform.lab.test"


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """Both ends in memory. Raises ssl.SSLError as the client sees it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=name)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for end in (asking, answering):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert asking.version() == "TLSv1.3"


def trusting(directory: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=directory / "ca.pem")
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # Python's own default from 3.13 on
    return context


def test_who_reads_the_file_trusts_the_name_and_no_other(tmp_path: Path) -> None:
    server = server_context(tmp_path, NAME)
    shake_hands(server, trusting(tmp_path), NAME)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"not valid for 'other\.lab\.test'"):
        shake_hands(server, trusting(tmp_path), "other.lab.test")


def test_another_labs_authority_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    server = server_context(tmp_path, NAME)
    server_context(tmp_path / "other", NAME)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, trusting(tmp_path / "other"), NAME)


def test_no_private_key_stays_on_disk(tmp_path: Path) -> None:
    server_context(tmp_path, NAME)
    assert [path.name for path in tmp_path.iterdir()] == ["ca.pem"]
    assert b"PRIVATE" not in (tmp_path / "ca.pem").read_bytes()


def test_a_shared_key_is_its_owners_alone_and_new_each_time(tmp_path: Path) -> None:
    path = tmp_path / "stamp.key"
    first = made(path)
    assert path.read_bytes() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made(path) != first == first.strip()
