"""What must be known to hear the mobile workstation."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FilePath

from probes.errors import MisuseError
from probes.packets.heartbeat import KEY_BYTES_MIN, PORT
from probes.phone_settings import Address, Port


class MobileSettings(BaseModel):
    """Where the box listens for the heartbeat, and what it makes of silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Address = IPv4Address("0.0.0.0")
    """To listen on. It must be reached from the mobile network: a forwarded port, or the site's VPN."""
    port: Port = PORT
    key_file: FilePath
    """The key this one workstation signs with: at least 16 bytes of text, white space around it left out."""
    silence_s: Annotated[float, Field(ge=2, le=600)] = 10.0
    """Without a heartbeat for so long it is not there. 10 s: five lost in a row at the sender's 2 s."""
    interval_s: Annotated[float, Field(ge=1, le=60)] = 5.0
    """How often a reading comes while nothing changes."""


def read_key(path: Path) -> bytes:
    """The shared key. Raises MisuseError where it cannot be read or is too short."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise MisuseError(f"key of the mobile workstation {path}: {error.strerror}") from error
    if len(key) < KEY_BYTES_MIN:
        raise MisuseError(f"key of the mobile workstation {path} has {len(key)} bytes, {KEY_BYTES_MIN} are needed")
    return key
