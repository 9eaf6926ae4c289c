"""The status document: the judge's snapshot, and what the shell knows of itself, its record and its broker."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from edged import __version__
from edged.clock import Clock, rfc3339
from edged.config import Loaded
from edged.core.events import Json
from edged.core.plan import Plan
from edged.core.snapshot import snapshot
from edged.core.state import State
from edged.record.recorded import RecordStatus
from edged.report.reading import BrokerReading

Doc = dict[str, Json]


@dataclass
class Status:
    """Builds the document on demand; every reader (socket, retained snapshots, metrics) sees the same."""

    loaded: Loaded
    clock: Clock
    boot_id: str
    plan: Plan
    state: Callable[[], State]
    record: Callable[[], RecordStatus]
    broker: BrokerReading | None = None
    started_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.started_s = self.clock.monotonic()

    def document(self) -> Doc:
        now = self.clock.monotonic()
        site = self.loaded.config.site
        return {
            "version": 1,
            "site": {"tenant": site.tenant, "site": site.name},
            "daemon": {
                "version": __version__,
                "pid": os.getpid(),
                "uptime_s": round(now - self.started_s, 1),
                "config_hash": self.loaded.hash,
                "boot_id": self.boot_id,
            },
            "clock": self._clock(),
            **snapshot(self.plan, self.state(), now),
            "broker": self._broker(now),
            "record": self._record(),
        }

    def things(self) -> dict[str, Json]:
        """What is retained at the broker as `snap/{thing}`, without ages: they would change every second."""
        document = self.document()
        return {thing: _ageless(document[thing]) for thing in RETAINED if document.get(thing) is not None}

    def _clock(self) -> Doc:
        told = self.state().clock
        return {
            "wall": rfc3339(self.clock.wall()),
            "quality": self.clock.quality().value,
            "source": told.source if told else None,
            "offset_ms": None if told is None or told.offset_s is None else round(told.offset_s * 1e3, 3),
            "error_ms": None if told is None or told.error_s is None else round(told.error_s * 1e3, 3),
            "plausible": told.plausible if told else None,
        }

    def _broker(self, now: float) -> Doc | None:
        held = self.broker
        if held is None:
            return None
        return {
            "connected": held.connected,
            "for_s": round(now - held.since_s, 1),
            "cause": held.cause.value,
            "broker": held.broker,
            "link": held.link,
            "protocol": held.protocol,
            "pending_tier": held.pending_tier,
            "pending_log": held.pending_log,
            "noc": held.noc.value,
            "dropped": held.dropped,
            "waiting": held.waiting,
            "over_budget": held.over_budget,
        }

    def _record(self) -> Doc:
        held = self.record()
        return {
            "durable": held.durable,
            "stream": held.stream,
            "head": held.head,
            "tier_pending": held.pending_tier,
            "log_pending": held.pending_log,
            "reserve_pct": round(held.reserve_pct, 1),
            "evicted": held.evicted,
            "coalesced": held.coalesced,
            "low_space": held.low_space,
            "second_copy": held.journal,
        }


RETAINED = (
    *("tier", "rooms", "session", "links", "router", "ups", "qos", "phone", "mobile", "drill"),
    *("incidents", "alarms", "conditions"),
)
_CHANGING = {
    # Figures that move by themselves; they go up as telemetry, not in a snapshot of states.
    *("for_s", "age_s", "due_in_s", "lost_for_s", "clears_in_s", "proven_age_s", "misses", "sent", "lost"),
    *("rtt_ms", "rtt_min_ms", "rtt_p95_ms", "rtt_p99_ms", "jitter_ms", "loss_pct", "delay_above_ms"),
    *("burst_mean", "burst_longest", "mos", "pace", "evidence", "targets", "used_mb", "left_mb", "document"),
    *("packet_rate_hz", "frame_rate_hz", "frozen_for_s"),
    *("rx_bps", "tx_bps", "classes", "charge_pct", "runtime_s", "load_pct"),
}
_OF_A_STREAM = _CHANGING | {"confidence"}
"""It grows with every packet; of a capacity it is part of the result."""
_COUNTDOWNS = {"shelved_for_s": "shelved"}
"""Told as whether they run."""


def _ageless(value: Json) -> Json:
    if isinstance(value, dict):
        changing = _OF_A_STREAM if "medium" in value else _CHANGING
        running = {said: value[key] is not None for key, said in _COUNTDOWNS.items() if key in value}
        kept = {key: held for key, held in value.items() if key not in changing and key not in _COUNTDOWNS}
        return {**{key: _ageless(held) for key, held in kept.items()}, **running}
    return [_ageless(held) for held in value] if isinstance(value, list) else value
