"""How much the black box keeps."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class BlackBoxSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_mib: Annotated[int, Field(ge=0, le=4096)] = 64
    """64 MiB hold the last day of a site with two links, a router, two shapers and two UPSes (about 2.4 MiB an hour).
    0: nothing is recorded, and what an earlier run recorded stays until somebody deletes it.
    """
