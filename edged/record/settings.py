"""How much of the past a box keeps."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class RecordSettings(BaseModel):
    """Bounds for rows that are settled (acknowledged, or sent) and for log rows. Tier rows the NOC has not acknowledged
    have none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    keep_mib: Annotated[int, Field(ge=1, le=4096)] = 64
    memory_rows: Annotated[int, Field(ge=16, le=65_536)] = 4096
    """Events held in memory while the disk refuses them; 4096 are about 3 MiB."""
