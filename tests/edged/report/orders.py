"""Signed commands as the NOC would make them, with keys that are always the same."""

import base64
import json
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edged.clock import ClockQuality, rfc3339
from edged.control.roles import Role
from edged.record.canonical import canonical
from edged.report.signed import DOMAIN, Command, Key, Moment

SITE = "clinic/room-1"
NOW = Moment(1_767_225_600.0, ClockQuality.SYNCED)  # 2026-01-01T00:00:00Z


@dataclass(frozen=True)
class Pen:
    """A key pair of the NOC."""

    name: str
    secret: Ed25519PrivateKey

    def trusted(self, role: Role = Role.OPERATE, allow: tuple[Command, ...] = tuple(Command)) -> Key:
        """What the site knows of it."""
        return Key(self.name, self.secret.public_key().public_bytes_raw(), role, frozenset(allow))

    def order(self, **changes: Any) -> bytes:
        """A signed session_open, valid from now for five minutes; `changes` are made before it is signed."""
        said = {
            "command": "session_open",
            "id": "c-1",
            "site": SITE,
            "key": self.name,
            "not_before": rfc3339(NOW.wall_s),
            "expires": rfc3339(NOW.wall_s + 300),
            "args": {"session": "s-1"},
        }
        return self.sign({key: value for key, value in (said | changes).items() if value is not ...})

    def sign(self, said: dict[str, Any]) -> bytes:
        signature = self.secret.sign(DOMAIN + canonical(said))
        return json.dumps(said | {"signature": base64.b64encode(signature).decode()}).encode()


def pen(name: str = "noc-1", seed: int = 1) -> Pen:
    return Pen(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def after(seconds: float, quality: ClockQuality = ClockQuality.SYNCED, error_s: float = 0.0) -> Moment:
    return replace(NOW, wall_s=NOW.wall_s + seconds, quality=quality, error_s=error_s)
