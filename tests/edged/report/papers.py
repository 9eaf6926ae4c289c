"""An authority, a broker's and a client's certificate, and an authority nobody knows. Valid for a day."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey


def write_papers(folder: Path) -> None:
    """NAME.pem and NAME.key for ca, other, broker and edge."""
    authorities = {name: _key(folder, name) for name in ("ca", "other")}
    for name, key in authorities.items():
        _sign(folder, name, key, issuer=name, issuer_key=key)
    for name in ("broker", "edge"):
        _sign(folder, name, _key(folder, name), issuer="ca", issuer_key=authorities["ca"])


def _key(folder: Path, name: str) -> Key:
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def write_dated(folder: Path, name: str, *, begins: timedelta, ends: timedelta) -> None:
    """Anew NAME.pem and NAME.key, signed by the authority that lies there; it begins and ends so long from now."""
    authority = cast(Key, load_pem_private_key((folder / "ca.key").read_bytes(), password=None))
    key = authority if name == "ca" else _key(folder, name)
    _sign(folder, name, key, issuer="ca", issuer_key=authority, begins=begins, ends=ends)


def _sign(
    folder: Path,
    name: str,
    key: Key,
    *,
    issuer: str,
    issuer_key: Key,
    begins: timedelta = timedelta(hours=-1),
    ends: timedelta = timedelta(days=1),
) -> None:
    now, authority = datetime.now(UTC), name == issuer
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_called(name))
        .issuer_name(_called(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        # Python 3.13 checks as strictly as RFC 5280 asks: who may sign must say so, and keys must be identified.
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage(authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
