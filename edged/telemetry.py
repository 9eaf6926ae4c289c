"""Figures for the NOC, regularly: a record per link, UPS and interface. None is an event; a lost one is no loss."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from edged.core.events import Json

EVERY_S = 10.0
"""Slow enough for a metered line: six kinds at 400 bytes are 21 MB a month."""

FIGURES: Mapping[str, tuple[str, ...]] = {
    # kind of telemetry (and key in the status document) → figures it carries
    "links": ("link", "verdict", "rtt_ms", "rtt_p95_ms", "jitter_ms", "loss_pct", "sent", "lost"),
    "ups": ("ups", "power", "charge_pct", "runtime_s", "load_pct"),
    "qos": ("interface", "rate_bps", "classes"),
}


async def tell_figures(tell: Callable[[str, Mapping[str, Json]], None], document: Callable[[], dict[str, Any]]) -> None:
    """Until cancelled: `tell(kind, figures)` for everything there is."""
    while True:
        await asyncio.sleep(EVERY_S)
        now = document()
        for kind, keys in FIGURES.items():
            rows = [{key: each.get(key) for key in keys} for each in now[kind]]
            if rows:
                tell(kind, {"rows": rows})
