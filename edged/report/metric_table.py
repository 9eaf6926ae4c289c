"""Every metric as a row (edged.report.metric_row): its name, where its value stands in the status snapshot, what it
counts as, what it means. What belongs to a room is in edged.report.room_metrics. Pure.
"""

from collections.abc import Sequence

from edged.report.metric_row import Metric, below, flag, mega, milli, percent, plain, present, word
from edged.report.room_metrics import ROOM_METRICS

_answers = word(up=1, degraded=1, down=0)


def _capacity(direction: str) -> list[Metric]:
    """Of every link, one direction."""
    rate, age = "edged_link_capacity_bits_per_second", "edged_link_capacity_age_seconds"
    labels = {"link": "links[].link", "method": f"links[].capacity.{direction}.method"}
    return [
        Metric(name, f"links[].capacity.{direction}.{key}", plain, meaning, labels, {"direction": direction})
        for name, key, meaning in (
            (rate, "rate_bps", "IP-layer capacity of one direction, as it was last found out"),
            (age, "age_s", "Since that was found out"),
        )
    ]


METRICS: Sequence[Metric] = (
    Metric(
        "edged_info",
        "daemon",
        present,
        "What runs here, and where",
        {
            name: path
            for path in ("daemon.version", "daemon.config_hash", "site.tenant", "site.site")
            for name in [path.split(".")[1]]
        },
    ),
    *below(
        "",
        {},
        ("edged_uptime_seconds", "daemon.uptime_s", plain, "Since the daemon started"),
        (
            "edged_clock_synced",
            "clock.quality",
            word(synced=1, holdover=0, unset=0),
            "Whether the wall clock is synchronised",
        ),
        ("edged_clock_error_seconds", "clock.error_ms", milli, "How far the wall clock may be off at most"),
        ("edged_tier", "tier.tier", plain, "The containment tier in force, 0 to 4: the highest of the rooms"),
        ("edged_tier_seconds", "tier.for_s", plain, "For how long it has been in force"),
        ("edged_av_compliant", "tier.av_compliant", flag, "Whether live two-way audio and video exist in that room"),
        ("edged_session_open", "session.open", flag, "Whether a supervised session is open in that room"),
        (
            "edged_sessions_admissible",
            "admission.sessions",
            plain,
            "How many supervised sessions the line can take now",
        ),
        ("edged_router_answering", "router.answering", flag, "Whether the router answers"),
        ("edged_broker_connected", "broker.connected", flag, "Whether the NOC's broker is connected"),
        ("edged_telemetry_waiting", "broker.waiting", plain, "Telemetry that waits, in memory and on the disk"),
        ("edged_telemetry_dropped_total", "broker.dropped", plain, "Telemetry that will never be sent"),
        ("edged_report_over_budget", "broker.over_budget", flag, "Whether the link's reporting budget is used up"),
        ("edged_record_durable", "record.durable", flag, "Whether every event is on the disk"),
        ("edged_record_low_space", "record.low_space", flag, "Whether the disk has less room than the floor"),
        (
            "edged_record_reserve_ratio",
            "record.reserve_pct",
            percent,
            "How full the reserve of tier events is that the NOC has not acknowledged",
        ),
        ("edged_events_evicted_total", "record.evicted", plain, "Events deleted that had reached nobody"),
        ("edged_events_coalesced_total", "record.coalesced", plain, "Tier events folded into a tombstone"),
    ),
    Metric(
        "edged_events_pending",
        "record.tier_pending",
        plain,
        "Events that still have to arrive",
        {},
        {"channel": "tier"},
    ),
    Metric(
        "edged_events_pending", "broker.pending_log", plain, "Events that still have to arrive", {}, {"channel": "log"}
    ),
    Metric("edged_record_head", "record.head", plain, "The newest sequence number", {"stream": "record.stream"}),
    *below(
        "links[].",
        {"link": "link"},
        ("edged_link_up", "verdict", _answers, "Whether a link carries packets, degraded or not"),
        ("edged_link_degraded", "verdict", word(up=0, degraded=1, down=0), "Whether a link carries them badly"),
        ("edged_link_carrying", "carrying", flag, "Whether the router sends the traffic this way"),
        ("edged_link_rtt_seconds", "rtt_ms", milli, "Median round trip of the last second"),
        ("edged_link_rtt_min_seconds", "rtt_min_ms", milli, "Shortest round trip of the last second"),
        ("edged_link_rtt_p95_seconds", "rtt_p95_ms", milli, "95th percentile of the round trips of the last second"),
        ("edged_link_rtt_p99_seconds", "rtt_p99_ms", milli, "99th percentile of the round trips of the last second"),
        ("edged_link_jitter_seconds", "jitter_ms", milli, "RFC 3550 jitter of the round trips"),
        ("edged_link_loss_ratio", "loss_pct", percent, "Probes lost in the last second"),
        ("edged_link_burst_mean_probes", "burst_mean", plain, "Mean run of lost probes in the last ten seconds"),
        ("edged_link_burst_longest_probes", "burst_longest", plain, "Longest run of lost probes in the same time"),
        ("edged_link_mos", "mos", plain, "How a call would sound, 1 to 4.5 (E-model, ITU-T G.107)"),
        ("edged_link_age_seconds", "age_s", plain, "Age of what is said of a link"),
    ),
    *below(
        "links[].",
        {"link": "link", "pace": "pace"},
        ("edged_link_pace", "pace", present, "The pace a link is probed at now"),
    ),
    *below(
        "links[].",
        {"link": "link", "direction": "ways[].direction"},
        ("edged_link_way_loss_ratio", "ways[].loss_pct", percent, "Probes lost in one direction in the last second"),
        ("edged_link_way_delay_seconds", "ways[].delay_above_ms", milli, "One-way delay above this direction's usual"),
        ("edged_link_way_jitter_seconds", "ways[].jitter_ms", milli, "Jitter of one direction"),
        ("edged_link_way_lossy", "ways[].lossy", flag, "Whether the test on loss alarmed for one direction"),
        ("edged_link_way_slow", "ways[].slow", flag, "Whether the test on delay alarmed for one direction"),
    ),
    *below(
        "links[].",
        {"link": "link"},
        ("edged_link_evidence_nats", "evidence.nats", plain, "Log-likelihood for a dead link when it was last judged"),
        ("edged_link_evidence_trip_nats", "evidence.trip_nats", plain, "Where that log-likelihood says down"),
        ("edged_link_loss_first_ratio", "evidence.pi", plain, "Learnt chance to lose a probe after one answered"),
        ("edged_link_loss_again_ratio", "evidence.q", plain, "Learnt chance to lose a probe after one lost"),
        ("edged_link_budget_limit_bytes", "budget.limit_mb", mega, "What probing may cost in a calendar month (UTC)"),
        ("edged_link_budget_used_bytes", "budget.used_mb", mega, "What it has cost in this month, both directions"),
        (
            "edged_link_budget_stretched",
            "budget.stretched",
            flag,
            "Whether the calm pace was slowed to keep within it",
        ),
        ("edged_link_standby_fit", "standby.fit", flag, "Whether a link could take over a session"),
        ("edged_link_standby_proven_age_seconds", "standby.proven_age_s", plain, "Since that was found out"),
    ),
    *_capacity("up"),
    *_capacity("down"),
    *below(
        "links[].",
        {"link": "link", "target": "targets[].target"},
        ("edged_target_up", "targets[].verdict", _answers, "Whether a probed target answers"),
        ("edged_target_rtt_seconds", "targets[].rtt_ms", milli, "Median round trip to a target"),
        ("edged_target_loss_ratio", "targets[].loss_pct", percent, "Probes to a target lost in the last second"),
    ),
    Metric(
        "edged_wan_active",
        "router.wans[].link",
        present,
        "Whether a WAN of the router carries the traffic",
        {"wan": "router.wans[].wan", "link": "router.wans[].link"},
        same_as="router.active",
    ),
    *below(
        "router.wans[].",
        {"wan": "wan", "link": "link"},
        (
            "edged_wan_connected",
            "state",
            word(connected=1, standby=1, connecting=0, disconnected=0, disabled=0, health_check_failed=0),
            "Whether the router calls a WAN connected or standing by",
        ),
        ("edged_wan_healthy", "healthy", flag, "What the router's own health check says"),
        ("edged_wan_signal_dbm", "signal_dbm", plain, "Radio signal of a cellular WAN"),
        ("edged_wan_receive_bits_per_second", "rx_bps", plain, "Received, between the last two polls"),
        ("edged_wan_transmit_bits_per_second", "tx_bps", plain, "Sent, between the last two polls"),
    ),
    *below(
        "ups[].",
        {"ups": "ups"},
        (
            "edged_ups_on_battery",
            "power",
            word(mains=0, battery=1, low_battery=1),
            "Whether a UPS runs on its battery",
        ),
        (
            "edged_ups_low_battery",
            "power",
            word(mains=0, battery=0, low_battery=1),
            "Whether its battery is believed low",
        ),
        ("edged_ups_charge_ratio", "charge_pct", percent, "Charge of the battery"),
        ("edged_ups_runtime_seconds", "runtime_s", plain, "For how long the UPS says it can carry on"),
        ("edged_ups_load_ratio", "load_pct", percent, "Load of the UPS"),
        (
            "edged_ups_contact",
            "contact",
            word(ok=1, stale=0, driver_lost=0, unknown_ups=0, server_lost=0),
            "Whether fresh data come from a UPS",
        ),
    ),
    *below(
        "qos[].",
        {"interface": "interface", "direction": "direction"},
        (
            "edged_qos_active",
            "state",
            word(active=1, off=0, drifted=0, failed=0),
            "Whether the shaper is in force as planned",
        ),
        ("edged_qos_rate_bits_per_second", "rate_bps", plain, "What an interface is shaped to"),
    ),
    *below(
        "qos[].",
        {"interface": "interface", "direction": "direction", "class": "classes[].name"},
        ("edged_qos_bytes_total", "classes[].bytes", plain, "Bytes sent"),
        ("edged_qos_packets_total", "classes[].packets", plain, "Packets sent"),
        ("edged_qos_drops_total", "classes[].drops", plain, "Packets dropped"),
        ("edged_qos_backlog_bytes", "classes[].backlog_bytes", plain, "Bytes waiting"),
    ),
    *ROOM_METRICS,
    *below(
        "conditions[]",
        {"name": ".name", "at": ".at", "severity": ".severity"},
        ("edged_condition", "", present, "A condition that holds now"),
    ),
    *below("unwatched[]", {"part": ""}, ("edged_unwatched", "", present, "A part that is not configured")),
    *below("blind[]", {"source": ""}, ("edged_blind", "", present, "A source that has been silent too long")),
)
