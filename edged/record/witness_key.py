"""The box's own signing key: made once, kept in the state directory, readable by nobody else.

A file that cannot be read as our key is set aside, never deleted, and a new key is made: a box that cannot sign would
be worse. Blocking.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edged.record.witness import fingerprint, public_text

FILE_NAME = "witness.key"
SET_ASIDE_KEPT = 3
_LENGTH = 32

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WitnessKey:
    private: Ed25519PrivateKey
    public_key: str
    """32 bytes, base64."""
    fingerprint: str
    made: bool
    """Whether there was none before."""
    set_aside: Path | None
    """Where a file went that was no key."""


def load_or_make(directory: Path) -> WitnessKey:
    """Raises OSError when the disk takes no new key, and there is no old one."""
    path = directory / FILE_NAME
    aside = None
    try:
        if seed := _read(path):
            return _key(seed)
        aside = _put_aside(path, "not a key of ours")
    except FileNotFoundError:
        pass
    except OSError as error:
        aside = _put_aside(path, str(error))
    return _told(_key(_make(path), made=True, set_aside=aside))


def _read(path: Path) -> bytes | None:
    """The seed, or None for what is none. Others lose their leave to read it. Raises OSError."""
    with path.open("rb") as file:
        os.fchmod(file.fileno(), 0o600)
        seed = file.read(_LENGTH + 1)
    return seed if len(seed) == _LENGTH and any(seed) else None  # zeros: a file system that lost the content


def _make(path: Path) -> bytes:
    """On the disk under its name, whole, or not at all."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    seed = Ed25519PrivateKey.generate().private_bytes_raw()
    fresh = path.with_name(f"{path.name}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()  # a crash left it; never used
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(seed)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync(path.parent)
    return seed


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _put_aside(path: Path, why: str) -> Path:
    """To NAME.damaged-N, N from 1; the last of them makes way for another."""
    names = [path.with_name(f"{path.name}.damaged-{number}") for number in range(1, SET_ASIDE_KEPT + 1)]
    aside = next((name for name in names if not name.exists()), names[-1])
    path.replace(aside)
    log.error("witness key set aside", file=str(path), now=str(aside), why=why)
    return aside


def _key(seed: bytes, *, made: bool = False, set_aside: Path | None = None) -> WitnessKey:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = public_text(private)
    return WitnessKey(private, public, fingerprint(public), made, set_aside)


def _told(key: WitnessKey) -> WitnessKey:
    log.warning("a new witness key: tell the NOC its fingerprint", fingerprint=key.fingerprint)
    return key
