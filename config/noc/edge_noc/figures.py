"""What Prometheus sees of all sites. Absent is never zero.

Named `edged_noc_*`: `edged_*` is what a box says of itself.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from edge_noc.asking import Kind
from edge_noc.book import UNKNOWN_STREAM
from edge_noc.intake import Intake, Key, Site

Sample: TypeAlias = tuple[tuple[str, ...], float]
Family: TypeAlias = GaugeMetricFamily | CounterMetricFamily
SCRAPE_S = 5.0
NEVER_MEANT = (UNKNOWN_STREAM, "torn", "crash")
"""Why events are gone that no policy of a site gave up."""


@dataclass(slots=True)
class Health:
    """Of the consumer itself."""

    connected: bool = False
    queued: int = 0
    """Messages that came and are not on the disk yet."""
    commit_s: float | None = None
    """How long the latest took."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One for each site."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    samples: Callable[[Site, float], Iterable[Sample]]


def _one(value: float | None) -> list[Sample]:
    return [] if value is None else [((), float(value))]


def _each(values: Mapping[str, float]) -> list[Sample]:
    return [((name,), float(value)) for name, value in values.items()]


def _rooms(site: Site, what: str) -> list[Sample]:
    found = {name: getattr(room, what) for name, room in site.looks.rooms.items()}
    return _each({name: value for name, value in found.items() if value is not None})


def _per_kind(site: Site, count: Callable[..., int]) -> list[Sample]:
    sums: dict[str, float] = {}
    for stream in site.streams.values():
        sums[stream.kind.value] = sums.get(stream.kind.value, 0.0) + count(stream.book)
    return [((kind,), value) for kind, value in sums.items()]


def _lost(site: Site) -> list[Sample]:
    """Those that should never be begin at zero: Prometheus sees no increase in a series that begins at one."""
    sums: dict[tuple[str, ...], float] = {(Kind.EVENT.value, why): 0.0 for why in NEVER_MEANT}
    for stream in site.streams.values():
        for why, parts in stream.book.lost().items():
            labels = (stream.kind.value, why)
            sums[labels] = sums.get(labels, 0.0) + sum(last - first + 1 for first, last in parts)
    return list(sums.items())


def _site_up(site: Site) -> float | None:
    return None if site.presence.state is None else site.presence.up


GAUGES: tuple[Metric, ...] = (
    Metric("edged_noc_site_up", "Whether a site is online", (), lambda site, _: _one(_site_up(site))),
    Metric(
        "edged_noc_site_stopped",
        "Whether a site was stopped on purpose",
        (),
        lambda site, _: _one(None if site.presence.state is None else site.presence.state == "stopped"),
    ),
    Metric("edged_noc_tier", "The containment tier in force, 0 to 4", (), lambda site, _: _one(site.looks.tier)),
    Metric("edged_noc_room_tier", "The tier of one room", ("room",), lambda site, _: _rooms(site, "tier")),
    Metric(
        "edged_noc_room_av_compliant",
        "Whether a session has live two-way audio and video",
        ("room",),
        lambda site, _: _rooms(site, "av_compliant"),
    ),
    Metric(
        "edged_noc_room_readiness",
        "Whether the next injection may begin: 0 green, 1 amber, 2 red",
        ("room",),
        lambda site, _: _rooms(site, "readiness"),
    ),
    Metric(
        "edged_noc_room_supervised",
        "Whether a radiologist supervises",
        ("room",),
        lambda site, _: _rooms(site, "joined"),
    ),
    Metric("edged_noc_incidents_open", "Incidents that are open", (), lambda site, _: _one(site.looks.incidents)),
    Metric(
        "edged_noc_alarms_unanswered",
        "Alarms in sight that nobody acknowledged",
        (),
        lambda site, _: _one(site.looks.unanswered),
    ),
    Metric(
        "edged_noc_unwitnessed_seconds",
        "Since when there are events that no checkpoint covers",
        (),
        lambda site, now_s: _one(0.0 if site.witnessed.since_s is None else now_s - site.witnessed.since_s),
    ),
    Metric(
        "edged_noc_last_message_age_seconds",
        "Since a site last said anything, since this consumer started",
        (),
        lambda site, now_s: _one(None if site.heard_s is None else now_s - site.heard_s),
    ),
    Metric(
        "edged_noc_gaps_open",
        "Numbers that are missing and may still come",
        ("kind",),
        lambda site, _: _per_kind(site, lambda book: book.missing),
    ),
    Metric(
        "edged_noc_ack_lag",
        "Tier events that are here and cannot be acknowledged yet",
        (),
        lambda site, _: _one(sum(stream.book.waiting for stream in site.streams.values())),
    ),
    Metric(
        "edged_noc_record_durable",
        "Whether a site's events are on its disk",
        (),
        lambda site, _: _one(site.looks.durable),
    ),
    Metric(
        "edged_noc_link_up", "Whether a link carries packets", ("link",), lambda site, _: _each(site.looks.links_up)
    ),
    Metric(
        "edged_noc_link_rtt_seconds",
        "Median round trip, newest second",
        ("link",),
        lambda site, _: _each(site.looks.rtt_s),
    ),
    Metric(
        "edged_noc_link_loss_ratio",
        "Probes lost, newest second",
        ("link",),
        lambda site, _: _each(site.looks.loss_ratio),
    ),
    Metric("edged_noc_ups_charge_ratio", "Charge of a UPS", ("ups",), lambda site, _: _each(site.looks.charge_ratio)),
    Metric(
        "edged_noc_condition",
        "A condition that stands now",
        ("name", "at", "severity"),
        lambda site, _: [(condition, 1.0) for condition in site.looks.conditions],
    ),
)
COUNTERS: tuple[Metric, ...] = (
    Metric(
        "edged_noc_events_total",
        "Events and measurements taken in since the start, each once",
        ("channel",),
        lambda site, _: _each({channel.value: count for channel, count in site.events.items()}),
    ),
    Metric(
        "edged_noc_duplicates_total",
        "What came although it was here",
        ("kind",),
        lambda site, _: _per_kind(site, lambda book: book.duplicates),
    ),
    Metric(
        "edged_noc_lost_total",
        "Numbers that are not here and will not come",
        ("kind", "why"),
        lambda site, _: _lost(site),
    ),
)


class Figures:
    """Reads the books, so it belongs where they are written: on the event loop."""

    def __init__(self, intake: Intake, health: Health, monotonic: Callable[[], float]) -> None:
        self._intake, self._health, self._monotonic = intake, health, monotonic

    def families(self) -> list[Family]:
        now_s = self._monotonic()
        sites = list(self._intake.sites.items())
        gauges = [
            _filled(GaugeMetricFamily(each.name, each.meaning, labels=_labels(each)), each, sites, now_s)
            for each in GAUGES
        ]
        counters = [
            _filled(CounterMetricFamily(each.name, each.meaning, labels=_labels(each)), each, sites, now_s)
            for each in COUNTERS
        ]
        return [*gauges, *counters, *self._own()]

    def _own(self) -> Iterator[Family]:
        health = self._health
        yield GaugeMetricFamily("edged_noc_broker_connected", "Whether this consumer has a broker", health.connected)
        yield GaugeMetricFamily("edged_noc_queued_messages", "Messages that are not on the disk yet", health.queued)
        if health.commit_s is not None:
            yield GaugeMetricFamily(
                "edged_noc_commit_seconds", "How long the latest took to be on the disk", health.commit_s
            )
        garbage = CounterMetricFamily(
            "edged_noc_garbage_total", "What was no telemetry, by what was wrong", labels=["reason"]
        )
        for reason, count in self._intake.garbage.items():
            garbage.add_metric([reason], count)
        questions = CounterMetricFamily(
            "edged_noc_resends_total", "Asked for what is missing, and how it ended", labels=["end"]
        )
        for end, count in self._intake.questions.items():
            questions.add_metric([end], count)
        yield from (garbage, questions)


class OnLoop(Collector):
    """Scrapes come on threads of their own; the figures are read on the event loop."""

    def __init__(self, figures: Figures, loop: asyncio.AbstractEventLoop) -> None:
        self._figures, self._loop = figures, loop

    def collect(self) -> Iterable[Family]:
        """A loop that stands still, or is closing, gives no samples."""
        reading: Future[list[Family]] = Future()

        def read() -> None:
            if reading.set_running_or_notify_cancel():
                reading.set_result(self._figures.families())

        try:
            self._loop.call_soon_threadsafe(read)
            return reading.result(SCRAPE_S)
        except (RuntimeError, TimeoutError):
            reading.cancel()
            return []

    def describe(self) -> Iterable[Family]:
        """Without this the registry would collect once to learn the names."""
        return []


def _labels(metric: Metric) -> list[str]:
    return ["tenant", "site", *metric.labels]


def _filled(family: Family, metric: Metric, sites: Iterable[tuple[Key, Site]], now_s: float) -> Family:
    for key, site in sites:
        for labels, value in metric.samples(site, now_s):
            family.add_metric([*key, *labels], value)
    return family
