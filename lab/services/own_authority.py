"""A certificate authority of the lab's own: one root, made at start and trusted by who reads DIR/ca.pem, and what it
certified. The root's key is never written down, so nobody else can ever be certified by it.

Made so that Python 3.13's strict checks of a chain pass (RFC 5280: key usage, key identifiers).
"""

import datetime
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab import plan

DAYS = 30
"""And a day back, for who asks with a clock that is behind."""


def server_context(directory: Path, name: str) -> ssl.SSLContext:
    """TLS for a server called `name`, of an authority made now; DIR/ca.pem is what its clients trust."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _root(ca_key)
    certificate = _certificate(name, key, ca, ca_key)
    (directory / plan.CA_FILE).write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(context, directory / f".{name}.pem", key, certificate)
    return context


def _root(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _named("lab authority")
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = _dated(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return (
        builder.add_extension(_usage(certifies=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        _dated(_named(name), ca.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(_usage(certifies=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(authority, critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _dated(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
    )


def _usage(*, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certifies,
        key_cert_sign=certifies,
        crl_sign=certifies,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _load(context: ssl.SSLContext, path: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    """OpenSSL takes the key from a file only; it is there for an instant."""
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
    try:
        context.load_cert_chain(path)
    finally:
        path.unlink()
