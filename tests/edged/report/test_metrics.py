import asyncio
import copy
import re
import threading
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from edged.core.events import Json
from edged.report.errors import ReportMisused
from edged.report.metric_row import Metric
from edged.report.metric_table import METRICS
from edged.report.metrics import SnapshotCollector, samples, serve_metrics
from edged.report.settings import MetricsSettings

ANY_PORT = MetricsSettings(port=0)

STATUS: dict[str, Any] = {
    "version": 1,
    "site": {"tenant": "clinic", "site": "room-1"},
    "daemon": {"version": "0.1.0", "pid": 7, "uptime_s": 12.5, "config_hash": "c0ffee", "boot_id": "b00t"},
    "clock": {"wall": "2026-01-01T00:00:00.000Z", "quality": "holdover", "error_ms": 250.0},
    "tier": {"tier": 2, "for_s": 12.3, "av_compliant": True, "cause": "link_down"},
    "session": {"id": "s-1", "open": True, "for_s": 12.0},
    "rooms": [
        {
            "room": "room-1",
            "tier": {"tier": 2, "for_s": 12.3, "av_compliant": True},
            "session": {"id": "s-1", "open": True, "phase": "injecting", "joined": True},
            "streams": [{"medium": "video", "way": "to_room", "live": False, "source": "platform"}],
            "media": {
                "observing": True,
                "protection": "clear",
                "streams": [
                    {
                        "medium": "audio",
                        "way": "to_room",
                        "live": True,
                        "packet_rate_hz": 50.0,
                        "loss_pct": 1.0,
                        "frame_rate_hz": 30.0,
                    }
                ],
            },
            "phone": {"reachable": False, "registered": True, "rtt_ms": 1.0},
            "timers": [{"timer": "phone", "for_s": 130.0, "due_in_s": -10.0, "met": False, "expired": True}],
            "ready": {"level": "red", "reasons": [{"code": "tier_in_force", "say": "Wait."}]},
        },
        {"room": "room-2", "tier": {"tier": 0}, "session": {"open": False}, "ready": {"level": "green"}, "timers": []},
    ],
    "incidents": [{"number": 3, "cause": "link_down"}],
    "kpi": {"a_day": 12, "standing": 1, "flapping": 0, "most_frequent": "link.down"},
    "mobile": {"heard": True, "other_carrier": False},
    "drill": {"for_s": 3.0, "over": False},
    "tally": {"requested": 7, "answered_late": 2, "unanswered": 1, "halted": 3, "halted_by_connectivity": 2},
    "admission": {"sessions": 1},
    "links": [
        {
            "link": "fiber",
            "carrying": False,
            "verdict": "down",
            "rtt_ms": 20.0,
            "rtt_p95_ms": 22.0,
            "jitter_ms": 0.5,
            "loss_pct": 50.0,
            "age_s": 0.2,
            "pace": "session",
            "rtt_min_ms": 19.0,
            "rtt_p99_ms": 30.0,
            "burst_mean": 2.5,
            "burst_longest": 4,
            "mos": 3.2,
            "ways": [
                {
                    "direction": "up",
                    "loss_pct": 12.0,
                    "delay_above_ms": 35.0,
                    "jitter_ms": 1.0,
                    "lossy": True,
                    "slow": False,
                }
            ],
            "evidence": {"test": "joint", "nats": 23.1, "trip_nats": 22.6, "misses": 14, "pi": 0.01, "q": 0.3},
            "budget": {"limit_mb": 20.0, "used_mb": 3.1, "left_mb": 16.9, "stretched": True},
            "capacity": {
                "up": {"rate_bps": 94e6, "method": "train", "age_s": 7200.0},
                "down": {"rate_bps": 97e6, "method": "ramp", "age_s": 60.0},
            },
            "standby": {"fit": False, "proven_age_s": 60.0},
            "targets": [{"target": "icmp 198.51.100.40", "verdict": "down", "rtt_ms": 20.0, "loss_pct": 50.0}],
        },
        {"link": "cellular", "carrying": True, "verdict": "degraded", "rtt_ms": None, "targets": []},
    ],
    "router": {
        "answering": True,
        "active": "cellular",
        "wans": [
            {
                "wan": "0",
                "link": "fiber",
                "state": "connected",
                "healthy": False,
                "signal_dbm": None,
                "rx_bps": 0.0,
                "tx_bps": 1.0,
            },
            {
                "wan": "1",
                "link": "cellular",
                "state": "standby",
                "healthy": True,
                "signal_dbm": -70,
                "rx_bps": 5.0,
                "tx_bps": 6.0,
            },
        ],
    },
    "ups": [
        {
            "ups": "network",
            "contact": "ok",
            "power": "battery",
            "charge_pct": 87.0,
            "runtime_s": 1800.0,
            "load_pct": 25.0,
        }
    ],
    "qos": [
        {
            "interface": "wan0",
            "direction": "up",
            "state": "active",
            "rate_bps": 95_000_000,
            "classes": [
                {"name": "p1", "packets": 10, "bytes": 1000, "drops": 0, "backlog_bytes": 0},
                {"name": "p4", "packets": 90, "bytes": 9000, "drops": 3, "backlog_bytes": 1500},
            ],
        }
    ],
    "broker": {
        "connected": False,
        "pending_tier": 4,
        "pending_log": 7,
        "waiting": 9,
        "dropped": 2,
        "over_budget": False,
    },
    "record": {
        "durable": True,
        "stream": "5-5",
        "head": 123,
        "tier_pending": 4,
        "reserve_pct": 12.5,
        "evicted": 3,
        "coalesced": 0,
        "low_space": False,
    },
    "conditions": [
        {"name": "link.down", "at": "fiber", "severity": "alarm"},
        {"name": "clock.unset", "at": None, "severity": "info"},
    ],
    "unwatched": ["phone"],
    "blind": ["probe:fiber"],
}

EXPECTED = """
edged_info{config_hash="c0ffee",site="room-1",tenant="clinic",version="0.1.0"} 1.0
edged_clock_synced 0.0
edged_clock_error_seconds 0.25
edged_tier 2.0
edged_av_compliant 1.0
edged_link_up{link="fiber"} 0.0
edged_link_up{link="cellular"} 1.0
edged_link_degraded{link="cellular"} 1.0
edged_link_rtt_seconds{link="fiber"} 0.02
edged_link_loss_ratio{link="fiber"} 0.5
edged_link_rtt_min_seconds{link="fiber"} 0.019
edged_link_rtt_p99_seconds{link="fiber"} 0.03
edged_link_burst_mean_probes{link="fiber"} 2.5
edged_link_burst_longest_probes{link="fiber"} 4.0
edged_link_mos{link="fiber"} 3.2
edged_link_pace{link="fiber",pace="session"} 1.0
edged_link_way_loss_ratio{direction="up",link="fiber"} 0.12
edged_link_way_delay_seconds{direction="up",link="fiber"} 0.035
edged_link_way_lossy{direction="up",link="fiber"} 1.0
edged_link_way_slow{direction="up",link="fiber"} 0.0
edged_link_evidence_nats{link="fiber"} 23.1
edged_link_loss_again_ratio{link="fiber"} 0.3
edged_link_budget_limit_bytes{link="fiber"} 2e+07
edged_link_budget_used_bytes{link="fiber"} 3.1e+06
edged_link_budget_stretched{link="fiber"} 1.0
edged_link_capacity_bits_per_second{direction="up",link="fiber",method="train"} 9.4e+07
edged_link_standby_fit{link="fiber"} 0.0
edged_sessions_admissible 1.0
edged_target_up{link="fiber",target="icmp 198.51.100.40"} 0.0
edged_wan_active{link="fiber",wan="0"} 0.0
edged_wan_active{link="cellular",wan="1"} 1.0
edged_wan_connected{link="cellular",wan="1"} 1.0
edged_wan_signal_dbm{link="cellular",wan="1"} -70.0
edged_ups_on_battery{ups="network"} 1.0
edged_ups_low_battery{ups="network"} 0.0
edged_ups_charge_ratio{ups="network"} 0.87
edged_qos_bytes_total{class="p4",direction="up",interface="wan0"} 9000.0
edged_qos_drops_total{class="p4",direction="up",interface="wan0"} 3.0
edged_media_live{medium="audio",room="room-1",way="to_room"} 1.0
edged_media_encrypted{room="room-1"} 0.0
edged_stream_live{medium="video",room="room-1",way="to_room"} 0.0
edged_phone_reachable{room="room-1"} 0.0
edged_phone_rtt_seconds{room="room-1"} 0.001
edged_room_tier{room="room-1"} 2.0
edged_room_tier{room="room-2"} 0.0
edged_room_readiness{room="room-1"} 2.0
edged_room_readiness{room="room-2"} 0.0
edged_room_session_open{room="room-2"} 0.0
edged_room_phase{phase="injecting",room="room-1"} 1.0
edged_timer_due_seconds{room="room-1",timer="phone"} -10.0
edged_timer_met{room="room-1",timer="phone"} 0.0
edged_mobile_heard 1.0
edged_incidents_open 1.0
edged_alarms_a_day 12.0
edged_alarms_standing 1.0
edged_alarms_flapping 0.0
edged_drill_running 1.0
edged_session_requests_total 7.0
edged_session_answers_total{class="late"} 2.0
edged_session_answers_total{class="best"} 0.0
edged_session_unanswered_total 1.0
edged_contrast_stopped_total{act="halted"} 3.0
edged_contrast_stopped_by_connectivity_total{act="halted"} 2.0
edged_contrast_stopped_by_connectivity_total{act="held"} 0.0
edged_broker_connected 0.0
edged_events_pending{channel="tier"} 4.0
edged_events_pending{channel="log"} 7.0
edged_telemetry_dropped_total 2.0
edged_record_head{stream="5-5"} 123.0
edged_condition{at="fiber",name="link.down",severity="alarm"} 1.0
edged_condition{at="",name="clock.unset",severity="info"} 1.0
edged_unwatched{part="phone"} 1.0
edged_blind{source="probe:fiber"} 1.0
""".strip().splitlines()


def get(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        page: bytes = answer.read()
    return page.decode()


async def scrape(port: int) -> str:
    return await asyncio.to_thread(get, port)


async def test_a_scrape_shows_the_status_in_prometheus_words() -> None:
    async with serve_metrics(ANY_PORT, lambda: STATUS) as port:
        page = await scrape(port)
    lines = page.splitlines()
    assert [line for line in EXPECTED if line not in lines] == []
    families = {family.name: family for family in text_string_to_metric_families(page)}
    assert families["process_resident_memory_bytes"].samples[0].value > 1e6
    assert families["edged_qos_bytes"].type == "counter"


async def test_each_scrape_reads_anew() -> None:
    status: dict[str, Json] = {"tier": {"tier": 0}}
    async with serve_metrics(ANY_PORT, lambda: status) as port:
        assert "edged_tier 0.0" in (await scrape(port)).splitlines()
        status = {"tier": {"tier": 4}}
        assert "edged_tier 4.0" in (await scrape(port)).splitlines()


async def test_the_status_is_read_on_the_loop() -> None:
    threads = []

    def status() -> Mapping[str, Json]:
        threads.append(threading.current_thread())
        return STATUS

    async with serve_metrics(ANY_PORT, status) as port:
        await scrape(port)
    assert threads == [threading.current_thread()]


async def test_a_loop_that_stands_still_gives_no_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edged.report.metrics.LOOP_ANSWERS_S", 0.05)
    async with serve_metrics(ANY_PORT, lambda: STATUS) as port:
        page = get(port)  # blocks the loop
    assert "process_resident_memory_bytes" in page
    assert not re.search(r"^edged_", page, re.MULTILINE)


async def test_a_port_in_use_is_misuse() -> None:
    async with serve_metrics(ANY_PORT, lambda: {}) as port:
        with pytest.raises(ReportMisused, match=str(port)):
            async with serve_metrics(MetricsSettings(port=port), lambda: {}):
                pass


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_row_finds_its_place_in_a_full_status(metric: Metric) -> None:
    found = list(samples(metric, STATUS))
    assert found
    assert all(len(labels) == len(metric.labels) + len(metric.fixed) for labels, _ in found)
    assert any(labels and any(labels) for labels, _ in found) or not metric.labels


def test_names_and_helps_are_as_prometheus_wants_them() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"edged_[a-z0-9_]+", metric.name)
        assert metric.help
        assert not metric.help.endswith(".")
    helps = {(metric.name, metric.help, *metric.labels, *metric.fixed) for metric in METRICS}
    assert len(helps) == len({metric.name for metric in METRICS})


@pytest.mark.parametrize(
    ("path", "unknown", "gone"),
    [
        (("tier", "av_compliant"), None, "edged_av_compliant"),
        (("rooms",), None, "edged_phone_reachable"),
        (("rooms",), [{"room": "r", "phone": None}], "edged_phone_reachable"),
        (("rooms",), [{"room": "r", "phone": {"reachable": None}}], "edged_phone_reachable"),
        (("rooms",), [{"room": "r", "session": {"phase": None}}], "edged_room_phase"),
        (("rooms",), [{"room": "r", "ready": {"level": "blue"}}], "edged_room_readiness"),
        (("drill",), None, "edged_drill_running"),
        (("mobile", "other_carrier"), None, "edged_mobile_other_carrier"),
        (("router", "active"), None, "edged_wan_active"),
        (("clock", "quality"), "psychic", "edged_clock_synced"),
        (("tier", "tier"), "two", "edged_tier"),
        (("tier", "tier"), True, "edged_tier"),
        (("links",), "many", "edged_link_up"),
        (("links",), None, "edged_link_up"),
    ],
)
def test_unknown_is_no_sample_and_never_zero(path: tuple[str, ...], unknown: Json, gone: str) -> None:
    status = copy.deepcopy(STATUS)
    place = status
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = unknown
    assert [found for metric in METRICS if metric.name == gone for found in samples(metric, status)] == []


def test_what_appears_twice_is_shown_once() -> None:
    status = {"blind": ["probe:fiber", "probe:fiber"]}
    (family,) = [family for family in SnapshotCollector(lambda: status).collect() if family.name == "edged_blind"]
    assert len(family.samples) == 1


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["links", "verdict", "targets", "active", "wans"]), inner)
    ),
    max_leaves=15,
)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(sorted(STATUS)), _json))
def test_no_status_of_whatever_shape_breaks_a_scrape(status: Mapping[str, Json]) -> None:
    for family in SnapshotCollector(lambda: status).collect():
        assert family.name.startswith("edged_")
