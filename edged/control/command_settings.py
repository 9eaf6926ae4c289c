"""The keys the NOC may command this site with: `[commands.keys.NAME]`. Without any, every signed command is refused.

A key that is retired is deleted here; nothing else needs to be known of it.
"""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from edged.control.protocol import ControlError
from edged.control.roles import Role
from edged.report.signed import KEY_NAME, Command, Key

KEY_BYTES = 32
_MOST_PEM_BYTES = 4096


class KeyUnusable(ControlError):
    """A key that cannot check anything, or that anybody could sign for. The message names it and its file."""


KeyName = Annotated[str, Field(pattern=KEY_NAME)]


class KeySettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    public_key: str | None = None
    """Base64 of the 32 bytes of RFC 8032."""
    public_key_file: Path | None = None
    """PEM, as `openssl pkey -pubout` writes it."""
    role: Literal["view", "operate", "admin"]
    """As at the control socket: it bounds what `allow` gives."""
    allow: Annotated[tuple[Command, ...], Field(min_length=1)]

    @field_validator("public_key")
    @classmethod
    def _is_a_key(cls, text: str | None) -> str | None:
        if text is not None:
            _from_base64(text)
        return text

    @model_validator(mode="after")
    def _one_of_two(self) -> "KeySettings":
        if (self.public_key is None) == (self.public_key_file is None):
            raise ValueError("it needs either public_key or public_key_file")
        return self

    def read(self, name: str) -> Key:
        """Raises KeyUnusable."""
        if self.public_key is not None:
            raw = _from_base64(self.public_key)
        else:
            assert self.public_key_file is not None
            raw = _from_file(name, self.public_key_file)
        return Key(name, raw, Role[self.role.upper()], frozenset(self.allow))


class CommandSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: Annotated[dict[KeyName, KeySettings], Field(max_length=16)] = {}

    def trusted(self) -> Mapping[str, Key]:
        """The keys by name, read from their files.

        Raises:
            KeyUnusable: a file that cannot be read or holds something else, or one key under two names.
        """
        keys = {name: key.read(name) for name, key in self.keys.items()}
        owners: dict[bytes, str] = {}
        for name, key in keys.items():
            if (owner := owners.setdefault(key.public_key, name)) != name:
                raise KeyUnusable(f"commands.keys.{name}: the same key as {owner}")
        return keys


def _from_base64(text: str) -> bytes:
    """Raises ValueError."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    if len(raw) != KEY_BYTES:
        raise ValueError(f"base64 of {len(raw)} bytes, not of {KEY_BYTES}")
    if _is_weak(raw):
        raise ValueError("anybody can sign for this key (a point of small order; all zeros is one)")
    return raw


def _from_file(name: str, path: Path) -> bytes:
    where = f"commands.keys.{name}.public_key_file {path}"
    try:
        with path.open("rb") as file:
            pem = file.read(_MOST_PEM_BYTES)
    except OSError as error:
        raise KeyUnusable(f"{where}: {error.strerror or error}") from error
    if b"PRIVATE KEY" in pem:
        raise KeyUnusable(f"{where}: a private key; it belongs to the NOC alone, and this one is known here now")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"{where}: no public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyUnusable(f"{where}: not an Ed25519 key")
    if _is_weak(raw := key.public_bytes_raw()):
        raise KeyUnusable(f"{where}: anybody can sign for this key (a point of small order)")
    return raw


_PRIME = 2**255 - 19
_ORDER_8_Y = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
"""y of two of the points of order 8 on edwards25519 (the other two have its negative)."""
_WEAK_Y = {0, 1, _PRIME - 1, _ORDER_8_Y, _PRIME - _ORDER_8_Y}


def _is_weak(raw: bytes) -> bool:
    """Whether the point's order divides 8. A placeholder of zeros does: a fourth of all "signatures" would fit it."""
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    return y % _PRIME in _WEAK_Y
