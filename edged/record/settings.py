"""How much of the past a box keeps."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class RecordSettings(BaseModel):
    """Bounds for rows that are settled (acknowledged, or sent) and for log rows; tier rows the NOC has not acknowledged
    have a reserve of their own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    keep_mib: Annotated[int, Field(ge=1, le=4096)] = 64
    memory_rows: Annotated[int, Field(ge=16, le=65_536)] = 4096
    """Events held in memory while the disk refuses them; 4096 are about 3 MiB."""
    reserve_mib: Annotated[int, Field(ge=1, le=1024)] = 8
    """For tier events the NOC has not acknowledged; 8 MiB are about 25 000. When it is full they are folded, and said
    to be.
    """
    floor_mib: Annotated[int, Field(ge=0, le=65_536)] = 64
    """With less room than this on the disk, less is kept. 0: the disk is ours."""
