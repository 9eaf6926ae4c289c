"""The topic tree `edge/v1/{tenant}/{site}/…`. Pure."""

import re
from dataclasses import dataclass

from edged.core.events import Channel
from edged.record.envelope import Origin
from edged.report.errors import ReportMisused

_LEVEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Topics:
    origin: Origin

    @property
    def base(self) -> str:
        return f"edge/v1/{self.origin.tenant}/{self.origin.site}"

    @property
    def state(self) -> str:
        return f"{self.base}/state"

    @property
    def acknowledgement(self) -> str:
        return f"{self.base}/ack"

    @property
    def request(self) -> str:
        return f"{self.base}/cmd/req"

    @property
    def answer(self) -> str:
        return f"{self.base}/cmd/res"

    @property
    def history(self) -> str:
        return f"{self.base}/hist"

    @property
    def noc(self) -> str:
        return f"edge/v1/{self.origin.tenant}/noc/state"

    def event(self, channel: Channel, tier: int) -> str:
        return f"{self.base}/evt/t{tier}" if channel is Channel.TIER else f"{self.base}/evt/log"

    def snapshot(self, thing: str) -> str:
        return f"{self.base}/snap/{_level(thing)}"

    def telemetry(self, kind: str) -> str:
        return f"{self.base}/tel/{_level(kind)}"


def _level(name: str) -> str:
    """Raises ReportMisused for what would not be exactly one level."""
    if not _LEVEL.fullmatch(name):
        raise ReportMisused(f"no topic level: {name!r}")
    return name
