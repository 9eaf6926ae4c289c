"""Every kind of prober there is. A new one is its own file and one line here; a test fails when the line is missing."""

from typing import Annotated

from pydantic import Field

from probes.dns import DnsTarget
from probes.icmp import IcmpTarget
from probes.stamp import StampTarget
from probes.stun import StunTarget
from probes.tcp import TcpTarget
from probes.tls import TlsTarget

Target = Annotated[
    DnsTarget  #
    | IcmpTarget
    | StampTarget
    | StunTarget
    | TcpTarget
    | TlsTarget,
    Field(discriminator="kind"),
]
