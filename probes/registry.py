"""Every kind of prober there is. A new one is its own file and one line here; a test fails when the line is missing."""

from typing import Annotated

from pydantic import Field

from probes.icmp import IcmpTarget
from probes.stamp import StampTarget
from probes.tcp import TcpTarget

Target = Annotated[
    IcmpTarget  #
    | StampTarget
    | TcpTarget,
    Field(discriminator="kind"),
]
