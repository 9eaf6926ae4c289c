import asyncio

from edge_noc.figures import Figures, Health, OnLoop
from edge_noc.intake import Intake
from prometheus_client import CollectorRegistry, generate_latest

from edged.contract.examples import DATA
from edged.core.events import Json
from tests.noc.sites import S, T, event, measurement, moment, state, tombstone
from tests.noc.test_intake import arrived, hist, taken


class Still(OnLoop):
    """Read where the test runs."""

    def __init__(self, figures: Figures) -> None:
        self.families = figures.families

    def collect(self):  # type: ignore[no-untyped-def]
        return self.families()


def test_a_site_is_a_page_of_figures_and_what_is_unknown_is_absent() -> None:
    intake, registry = Intake("a"), CollectorRegistry()
    registry.register(Still(Figures(intake, Health(connected=True), lambda: 12.0)))
    link = {**DATA["snap.links"]["links"][0], "link": "fiber", "verdict": "down", "cause": "loss"}
    links: dict[str, Json] = {"links": [link]}
    rooms: dict[str, Json] = {"rooms": DATA["snap.rooms"]["rooms"]}
    alarms: dict[str, Json] = {"alarms": DATA["snap.alarms"]["alarms"]}
    conditions: dict[str, Json] = {"conditions": [{"name": "link.down", "at": "fiber", "severity": "alarm"}]}
    taken(
        intake,
        *(arrived("state", state("online", (S, 5, 0))), arrived("evt/t3", event(S, 1, tier=3))),
        *(arrived("evt/t3", event(S, 1, tier=3)), arrived("evt/t3", event(S, 4, tier=3))),
        *(hist(tombstone(S, 2, 2)), arrived("tel/links", measurement(T, 1)), arrived("evt/t1", b"?")),
        *(
            arrived("snap/links", moment("snap.links", links)),
            arrived("snap/conditions", moment("snap.conditions", conditions)),
            arrived("snap/rooms", moment("snap.rooms", rooms)),
            arrived("snap/alarms", moment("snap.alarms", alarms)),
        ),
        now_s=10.0,
    )
    site = {"tenant": "clinic", "site": "room-1"}
    expected = {
        ("edged_noc_site_up",): 1.0,
        ("edged_noc_tier",): 3.0,
        ("edged_noc_last_message_age_seconds",): 2.0,
        ("edged_noc_gaps_open", "kind", "event"): 2.0,
        ("edged_noc_gaps_open", "kind", "telemetry"): 0.0,
        ("edged_noc_ack_lag",): 1.0,
        ("edged_noc_record_durable",): 1.0,
        ("edged_noc_link_up", "link", "fiber"): 0.0,
        ("edged_noc_link_rtt_seconds", "link", "fiber"): 0.02,
        ("edged_noc_link_loss_ratio", "link", "fiber"): 0.0,
        ("edged_noc_link_rtt_seconds", "link", "cellular"): None,
        ("edged_noc_condition", "name", "link.down", "at", "fiber", "severity", "alarm"): 1.0,
        ("edged_noc_events_total", "channel", "tier"): 2.0,
        ("edged_noc_duplicates_total", "kind", "event"): 1.0,
        ("edged_noc_lost_total", "kind", "event", "why", "evicted"): 1.0,
        ("edged_noc_lost_total", "kind", "event", "why", "torn"): 0.0,
        ("edged_noc_site_stopped",): 0.0,
        ("edged_noc_room_tier", "room", "room-1"): 2.0,
        ("edged_noc_room_av_compliant", "room", "room-1"): 1.0,
        ("edged_noc_room_readiness", "room", "room-1"): 2.0,
        ("edged_noc_room_supervised", "room", "room-1"): 1.0,
        ("edged_noc_alarms_unanswered",): 1.0,
        ("edged_noc_incidents_open",): None,
        ("edged_noc_unwitnessed_seconds",): 2.0,
    }
    found = {
        (name, *labels): registry.get_sample_value(name, site | dict(zip(labels[::2], labels[1::2], strict=True)))
        for name, *labels in expected
    }
    assert found == expected
    assert registry.get_sample_value("edged_noc_garbage_total", {"reason": "no_json"}) == 1.0
    assert registry.get_sample_value("edged_noc_broker_connected") == 1.0


async def test_scrapes_on_other_threads_are_served_by_the_loop() -> None:
    registry = CollectorRegistry()
    registry.register(OnLoop(Figures(Intake("a"), Health(), lambda: 0.0), asyncio.get_running_loop()))
    page = await asyncio.to_thread(generate_latest, registry)
    assert b"edged_noc_broker_connected 0.0" in page


def test_a_loop_that_is_closed_gives_no_figures() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    assert OnLoop(Figures(Intake("a"), Health(), lambda: 0.0), loop).collect() == []
