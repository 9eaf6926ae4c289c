"""Signed checkpoints of the hash chain: a statement of where the record stood, that only this box could have made.

Ed25519 (RFC 8032) over DOMAIN and the statement, spelled as RFC 8785 says. The chain binds all rows before the one
named (`edged.record.chain`), so one statement kept elsewhere is enough to find any later change of them. Pure.
"""

import base64
from binascii import Error as NotBase64
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edged.record.canonical import canonical

DOMAIN = b"edged-ledger-checkpoint-v1\n"
"""Before what is signed, so that no signature made for something else fits."""
FINGERPRINT_CHARS = 32
"""128 bits: nobody finds a second key with it, and two people can compare it on the phone."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The row of this sequence has this hash."""

    stream: str
    at: int
    """The sequence of the newest row of `stream`."""
    row_hash: str
    """What the row after it must carry: 64 hexadecimal digits."""

    def spelled(self) -> bytes:
        return DOMAIN + canonical({"at": self.at, "row_hash": self.row_hash, "stream": self.stream})


def sign(key: Ed25519PrivateKey, statement: Statement) -> str:
    """The signature, 64 bytes in base64."""
    return base64.b64encode(key.sign(statement.spelled())).decode()


def check(public_key: str, statement: Statement, signature: str) -> bool:
    """Whether the owner of `public_key` signed this. Both in base64; what is no key or no signature signed nothing."""
    try:
        key = Ed25519PublicKey.from_public_bytes(_bytes(public_key, 32))
        key.verify(_bytes(signature, 64), statement.spelled())
    except (ValueError, InvalidSignature):
        return False
    return True


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half, 32 bytes in base64."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def fingerprint(public_key: str) -> str:
    """Names a key: the first half of SHA-256 over its 32 bytes, hexadecimal. Raises ValueError for what is no key."""
    return sha256(_bytes(public_key, 32)).hexdigest()[:FINGERPRINT_CHARS]


def _bytes(text: str, length: int) -> bytes:
    """In the one spelling there is: two spellings of one key would be two keys. Raises ValueError."""
    try:
        found = base64.b64decode(text, validate=True)
    except NotBase64 as error:
        raise ValueError(f"not base64: {error}") from error
    if len(found) != length or base64.b64encode(found).decode() != text:
        raise ValueError(f"not {length} bytes in base64")
    return found
