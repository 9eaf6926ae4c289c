"""How a line's bandwidth is measured: against which far end, how often, and at what cost at most."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress

from probes.errors import MisuseError
from probes.packets import capacity as wire

KEY_BYTES_MIN = 16


class CapacitySettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    address: IPvAnyAddress
    """Of the far end, which runs `python -m probes.capacity.server`."""
    port: Annotated[int, Field(ge=1, le=65535)] = wire.PORT
    key_file: Path
    """The key shared with it: at least 16 bytes, blanks around them not counted."""
    mtu_bytes: Annotated[int, Field(ge=576, le=9000)] = 1500
    """Size of the IP packets that measure."""
    train_every_s: Annotated[float, Field(ge=60, le=604800)] = 6 * 3600.0
    """How often an idle line is sampled by trains: with the default size, both ways, some 150 MB a month."""
    train_bytes_max: Annotated[int, Field(ge=50_000, le=20_000_000)] = 600_000
    """Of one sample of one direction: three trains of 100 ms at 16 Mbit/s, five of 10 ms at 96."""
    train_delay_rise_s: Annotated[float, Field(ge=0.002, le=1)] = 0.010
    """A delay so far above that of the idle line is somebody else's queue: not now."""
    ramp_bytes_max: Annotated[int, Field(ge=100_000, le=2_000_000_000)] = 60_000_000
    """Of one ramp in one direction: 2 s at 240 Mbit/s."""
    ramp_seconds_max: Annotated[float, Field(ge=1, le=20)] = 8.0
    ramp_start_mbit: Annotated[float, Field(ge=0.1, le=100)] = 1.0
    max_mbit: Annotated[float, Field(ge=1, le=1000)] = 300.0
    """A ramp does not go beyond, and then says no more than that the line carries as much."""


def read_key(path: Path) -> bytes:
    """The shared key. Raises MisuseError where it cannot be read or is too short."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise MisuseError(f"capacity key {path}: {error.strerror}") from error
    if len(key) < KEY_BYTES_MIN:
        raise MisuseError(f"capacity key {path} has {len(key)} bytes, at least {KEY_BYTES_MIN} are needed")
    return key
