"""How much telemetry a box keeps while nobody takes it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class BacklogSettings(BaseModel):
    """Bounds of the file. What is beyond them is told coarser, then makes way, the oldest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_mib: Annotated[int, Field(ge=1, le=4096)] = 64
    """Of the file and its write-ahead log; two lines, two UPSes and two shapers offline for 72 h need 2 MiB."""
    full_h: Annotated[float, Field(ge=0.1, le=720)] = 6
    """Younger than this it is kept second by second, older minute by minute."""
    keep_days: Annotated[float, Field(ge=0.1, le=366)] = 14
    floor_mib: Annotated[int, Field(ge=0, le=1 << 20)] = 64
    """Of free space on the disk, which are the ledger's: with less the file gives back what it has."""
