"""Keys that both ends of a measurement share: made anew for each lab, in files that only its owner reads."""

import os
import secrets
from pathlib import Path

KEY_BYTES = 32


def made(path: Path) -> bytes:
    """Write a fresh key there, as hexadecimal text, and return what the file holds."""
    key = secrets.token_hex(KEY_BYTES).encode()
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
    return key
