"""Who we are to the router. SNMPv3 keys are made from passwords as RFC 3414 says; pysnmp would take 50 times as long
for it.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

AuthProtocol = Literal["SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]
PrivProtocol = Literal["AES-128", "AES-192", "AES-256", "AES-192-C", "AES-256-C"]
"""192 and 256 bits were never standardised: the plain names are draft-blumenthal (net-snmp and most), "-C" is Cisco's
way.
"""

HASHES = {"SHA-1": "sha1", "SHA-224": "sha224", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
STRETCHED_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Community:
    """SNMPv2c."""

    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class User:
    """SNMPv3. `priv` None: not encrypted; `auth` None: not even authenticated."""

    name: str
    auth: AuthProtocol | None
    auth_password: str = field(repr=False)
    priv: PrivProtocol | None
    priv_password: str = field(repr=False)


Credentials = Community | User


def master_key(password: str, auth: AuthProtocol) -> bytes:
    """The password, repeated to 1 MiB and hashed (RFC 3414 A.2, RFC 7860 9.3). 1–3 ms. Raises ValueError for an empty
    one.
    """
    octets = password.encode()
    if not octets:
        raise ValueError("an empty password makes no key")
    repeated = octets * (STRETCHED_BYTES // len(octets) + 1)
    return hashlib.new(HASHES[auth], repeated[:STRETCHED_BYTES]).digest()
