"""Every metric as a row: its name, where its value stands in the status snapshot, what it counts as, what it means.
Pure.

A path names keys, `[]` goes through a list. What is null, absent or of another type gives no sample: unknown is never
zero. Names follow Prometheus: base units, `_ratio` from 0 to 1, `_total` for counters.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from edged.core.events import Json

Value: TypeAlias = Callable[[Json], float | None]


def _scaled(scale: float) -> Value:
    def value(found: Json) -> float | None:
        return found * scale if isinstance(found, (int, float)) and not isinstance(found, bool) else None

    return value


def _flag(found: Json) -> float | None:
    return float(found) if isinstance(found, bool) else None


def _present(found: Json) -> float | None:
    return None if found is None else 1.0


def _word(**values: float) -> Value:
    """What a word counts as; one that is not listed gives no sample."""
    return lambda found: values.get(found) if isinstance(found, str) else None


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    path: str
    value: Value
    help: str
    labels: Mapping[str, str]
    """Label to path; the path goes through the same elements of the same lists."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    same_as: str | None = None
    """A path: the value is 1 if it stands there too, 0 if not; no sample if nothing stands there."""


Row: TypeAlias = tuple[str, str, Value, str]


def _below(base: str, labels: Mapping[str, str], *rows: Row) -> list[Metric]:
    """Rows whose paths, and whose labels' paths, begin with `base`."""
    places = {label: f"{base}{path}" for label, path in labels.items()}
    return [Metric(name, f"{base}{path}", value, meaning, places) for name, path, value, meaning in rows]


_plain, _milli, _percent, _mega = _scaled(1.0), _scaled(0.001), _scaled(0.01), _scaled(1e6)
_answers = _word(up=1, degraded=1, down=0)


def _capacity(direction: str) -> list[Metric]:
    """Of every link, one direction."""
    rate, age = "edged_link_capacity_bits_per_second", "edged_link_capacity_age_seconds"
    labels = {"link": "links[].link", "method": f"links[].capacity.{direction}.method"}
    return [
        Metric(name, f"links[].capacity.{direction}.{key}", _plain, meaning, labels, {"direction": direction})
        for name, key, meaning in (
            (rate, "rate_bps", "IP-layer capacity of one direction, as it was last found out"),
            (age, "age_s", "Since that was found out"),
        )
    ]


METRICS: Sequence[Metric] = (
    Metric(
        "edged_info",
        "daemon",
        _present,
        "What runs here, and where",
        {
            name: path
            for path in ("daemon.version", "daemon.config_hash", "site.tenant", "site.site")
            for name in [path.split(".")[1]]
        },
    ),
    *_below(
        "",
        {},
        ("edged_uptime_seconds", "daemon.uptime_s", _plain, "Since the daemon started"),
        (
            "edged_clock_synced",
            "clock.quality",
            _word(synced=1, holdover=0, unset=0),
            "Whether the wall clock is synchronised",
        ),
        ("edged_clock_error_seconds", "clock.error_ms", _milli, "How far the wall clock may be off at most"),
        ("edged_tier", "tier.tier", _plain, "The containment tier in force, 0 to 4"),
        ("edged_tier_seconds", "tier.for_s", _plain, "For how long it has been in force"),
        ("edged_av_compliant", "tier.av_compliant", _flag, "Whether live two-way audio and video exist"),
        ("edged_session_open", "session.open", _flag, "Whether a supervised session is open"),
        (
            "edged_sessions_admissible",
            "admission.sessions",
            _plain,
            "How many supervised sessions the line can take now",
        ),
        ("edged_router_answering", "router.answering", _flag, "Whether the router answers"),
        ("edged_media_observing", "media.observing", _flag, "Whether the media observer can see"),
        ("edged_phone_reachable", "phone.reachable", _flag, "Whether the phone of the direct line answers"),
        ("edged_phone_rtt_seconds", "phone.rtt_ms", _milli, "Round trip to that phone"),
        ("edged_broker_connected", "broker.connected", _flag, "Whether the NOC's broker is connected"),
        ("edged_telemetry_waiting", "broker.waiting", _plain, "Telemetry that waits, in memory and on the disk"),
        ("edged_telemetry_dropped_total", "broker.dropped", _plain, "Telemetry that will never be sent"),
        ("edged_report_over_budget", "broker.over_budget", _flag, "Whether the link's reporting budget is used up"),
        ("edged_record_durable", "record.durable", _flag, "Whether every event is on the disk"),
        ("edged_record_low_space", "record.low_space", _flag, "Whether the disk has less room than the floor"),
        (
            "edged_record_reserve_ratio",
            "record.reserve_pct",
            _percent,
            "How full the reserve of tier events is that the NOC has not acknowledged",
        ),
        ("edged_events_evicted_total", "record.evicted", _plain, "Events deleted that had reached nobody"),
        ("edged_events_coalesced_total", "record.coalesced", _plain, "Tier events folded into a tombstone"),
    ),
    Metric(
        "edged_events_pending",
        "record.tier_pending",
        _plain,
        "Events that still have to arrive",
        {},
        {"channel": "tier"},
    ),
    Metric(
        "edged_events_pending", "broker.pending_log", _plain, "Events that still have to arrive", {}, {"channel": "log"}
    ),
    Metric("edged_record_head", "record.head", _plain, "The newest sequence number", {"stream": "record.stream"}),
    *_below(
        "links[].",
        {"link": "link"},
        ("edged_link_up", "verdict", _answers, "Whether a link carries packets, degraded or not"),
        ("edged_link_degraded", "verdict", _word(up=0, degraded=1, down=0), "Whether a link carries them badly"),
        ("edged_link_carrying", "carrying", _flag, "Whether the router sends the traffic this way"),
        ("edged_link_rtt_seconds", "rtt_ms", _milli, "Median round trip of the last second"),
        ("edged_link_rtt_min_seconds", "rtt_min_ms", _milli, "Shortest round trip of the last second"),
        ("edged_link_rtt_p95_seconds", "rtt_p95_ms", _milli, "95th percentile of the round trips of the last second"),
        ("edged_link_rtt_p99_seconds", "rtt_p99_ms", _milli, "99th percentile of the round trips of the last second"),
        ("edged_link_jitter_seconds", "jitter_ms", _milli, "RFC 3550 jitter of the round trips"),
        ("edged_link_loss_ratio", "loss_pct", _percent, "Probes lost in the last second"),
        ("edged_link_burst_mean_probes", "burst_mean", _plain, "Mean run of lost probes in the last ten seconds"),
        ("edged_link_burst_longest_probes", "burst_longest", _plain, "Longest run of lost probes in the same time"),
        ("edged_link_mos", "mos", _plain, "How a call would sound, 1 to 4.5 (E-model, ITU-T G.107)"),
        ("edged_link_age_seconds", "age_s", _plain, "Age of what is said of a link"),
    ),
    *_below(
        "links[].",
        {"link": "link", "pace": "pace"},
        ("edged_link_pace", "pace", _present, "The pace a link is probed at now"),
    ),
    *_below(
        "links[].",
        {"link": "link", "direction": "ways[].direction"},
        ("edged_link_way_loss_ratio", "ways[].loss_pct", _percent, "Probes lost in one direction in the last second"),
        ("edged_link_way_delay_seconds", "ways[].delay_above_ms", _milli, "One-way delay above this direction's usual"),
        ("edged_link_way_jitter_seconds", "ways[].jitter_ms", _milli, "Jitter of one direction"),
        ("edged_link_way_lossy", "ways[].lossy", _flag, "Whether the test on loss alarmed for one direction"),
        ("edged_link_way_slow", "ways[].slow", _flag, "Whether the test on delay alarmed for one direction"),
    ),
    *_below(
        "links[].",
        {"link": "link"},
        ("edged_link_evidence_nats", "evidence.nats", _plain, "Log-likelihood for a dead link when it was last judged"),
        ("edged_link_evidence_trip_nats", "evidence.trip_nats", _plain, "Where that log-likelihood says down"),
        ("edged_link_loss_first_ratio", "evidence.pi", _plain, "Learnt chance to lose a probe after one answered"),
        ("edged_link_loss_again_ratio", "evidence.q", _plain, "Learnt chance to lose a probe after one lost"),
        ("edged_link_budget_limit_bytes", "budget.limit_mb", _mega, "What probing may cost in a calendar month (UTC)"),
        ("edged_link_budget_used_bytes", "budget.used_mb", _mega, "What it has cost in this month, both directions"),
        (
            "edged_link_budget_stretched",
            "budget.stretched",
            _flag,
            "Whether the calm pace was slowed to keep within it",
        ),
        ("edged_link_standby_fit", "standby.fit", _flag, "Whether a link could take over a session"),
        ("edged_link_standby_proven_age_seconds", "standby.proven_age_s", _plain, "Since that was found out"),
    ),
    *_capacity("up"),
    *_capacity("down"),
    *_below(
        "links[].",
        {"link": "link", "target": "targets[].target"},
        ("edged_target_up", "targets[].verdict", _answers, "Whether a probed target answers"),
        ("edged_target_rtt_seconds", "targets[].rtt_ms", _milli, "Median round trip to a target"),
        ("edged_target_loss_ratio", "targets[].loss_pct", _percent, "Probes to a target lost in the last second"),
    ),
    Metric(
        "edged_wan_active",
        "router.wans[].link",
        _present,
        "Whether a WAN of the router carries the traffic",
        {"wan": "router.wans[].wan", "link": "router.wans[].link"},
        same_as="router.active",
    ),
    *_below(
        "router.wans[].",
        {"wan": "wan", "link": "link"},
        (
            "edged_wan_connected",
            "state",
            _word(connected=1, standby=1, connecting=0, disconnected=0, disabled=0, health_check_failed=0),
            "Whether the router calls a WAN connected or standing by",
        ),
        ("edged_wan_healthy", "healthy", _flag, "What the router's own health check says"),
        ("edged_wan_signal_dbm", "signal_dbm", _plain, "Radio signal of a cellular WAN"),
        ("edged_wan_receive_bits_per_second", "rx_bps", _plain, "Received, between the last two polls"),
        ("edged_wan_transmit_bits_per_second", "tx_bps", _plain, "Sent, between the last two polls"),
    ),
    *_below(
        "ups[].",
        {"ups": "ups"},
        (
            "edged_ups_on_battery",
            "power",
            _word(mains=0, battery=1, low_battery=1),
            "Whether a UPS runs on its battery",
        ),
        (
            "edged_ups_low_battery",
            "power",
            _word(mains=0, battery=0, low_battery=1),
            "Whether its battery is believed low",
        ),
        ("edged_ups_charge_ratio", "charge_pct", _percent, "Charge of the battery"),
        ("edged_ups_runtime_seconds", "runtime_s", _plain, "For how long the UPS says it can carry on"),
        ("edged_ups_load_ratio", "load_pct", _percent, "Load of the UPS"),
        (
            "edged_ups_contact",
            "contact",
            _word(ok=1, stale=0, driver_lost=0, unknown_ups=0, server_lost=0),
            "Whether fresh data come from a UPS",
        ),
    ),
    *_below(
        "qos[].",
        {"interface": "interface", "direction": "direction"},
        (
            "edged_qos_active",
            "state",
            _word(active=1, off=0, drifted=0, failed=0),
            "Whether the shaper is in force as planned",
        ),
        ("edged_qos_rate_bits_per_second", "rate_bps", _plain, "What an interface is shaped to"),
    ),
    *_below(
        "qos[].",
        {"interface": "interface", "direction": "direction", "class": "classes[].name"},
        ("edged_qos_bytes_total", "classes[].bytes", _plain, "Bytes sent"),
        ("edged_qos_packets_total", "classes[].packets", _plain, "Packets sent"),
        ("edged_qos_drops_total", "classes[].drops", _plain, "Packets dropped"),
        ("edged_qos_backlog_bytes", "classes[].backlog_bytes", _plain, "Bytes waiting"),
    ),
    *_below(
        "media.streams[].",
        {"medium": "medium", "way": "way"},
        ("edged_media_live", "live", _flag, "Whether a medium flows one way"),
        ("edged_media_packets_per_second", "packet_rate_hz", _plain, "Packets of a medium one way"),
        ("edged_media_loss_ratio", "loss_pct", _percent, "Packets of a medium lost one way"),
    ),
    *_below(
        "conditions[]",
        {"name": ".name", "at": ".at", "severity": ".severity"},
        ("edged_condition", "", _present, "A condition that holds now"),
    ),
    *_below("unwatched[]", {"part": ""}, ("edged_unwatched", "", _present, "A part that is not configured")),
    *_below("blind[]", {"source": ""}, ("edged_blind", "", _present, "A source that has been silent too long")),
)
