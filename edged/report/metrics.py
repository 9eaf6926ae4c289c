"""Prometheus on loopback: each scrape reads the latest status snapshot through the table of
`edged.report.metric_table`.

Scrapes are served by threads, the snapshot is made on the event loop. A loop that stands still gives no samples.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from edged.core.events import Json
from edged.report.errors import ReportMisused
from edged.report.metric_row import Metric
from edged.report.metric_table import METRICS
from edged.report.settings import MetricsSettings

LOOP_ANSWERS_S = 2.0
"""How long a scrape waits for the event loop; Prometheus gives it 10 s."""

Place = Mapping[str, Json]
"""For each list passed on the way, by its path, the element that was taken."""


class SnapshotCollector(Collector):
    def __init__(self, snapshot: Callable[[], Mapping[str, Json]]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        snapshot = self._snapshot()
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for metric in METRICS:
            family = families.get(metric.name) or families.setdefault(metric.name, _family(metric))
            for labels, value in dict(samples(metric, snapshot)).items():
                family.add_metric(labels, value)
        yield from families.values()

    def describe(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """So that registering does not read a snapshot that is not there yet."""
        return []


def _family(metric: Metric) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if metric.name.endswith("_total") else GaugeMetricFamily
    return kind(metric.name, metric.help, labels=[*metric.labels, *metric.fixed])


def samples(metric: Metric, snapshot: Mapping[str, Json]) -> Iterator[tuple[tuple[str, ...], float]]:
    """(label values in the order of `labels` and `fixed`, value). Pure; a snapshot of another shape gives fewer
    samples, no error.
    """
    for found, place in _walk(snapshot, metric.path):
        value = metric.value(found)
        if metric.same_as is not None and value is not None:
            other = _look_up(snapshot, metric.same_as, {})
            value = None if other is None else float(found == other)
        if value is not None:
            labels = (_text(_look_up(snapshot, path, place)) for path in metric.labels.values())
            yield (*labels, *metric.fixed.values()), value


def _walk(value: Json, path: str) -> Iterator[tuple[Json, Place]]:
    """Every value at `path`, with the list elements it was reached through."""
    head, bracket, rest = path.partition("[]")
    found = _follow(value, head)
    if not bracket:
        yield found, {}
    elif isinstance(found, Sequence) and not isinstance(found, str):
        for element in found:
            for inner, place in _walk(element, rest):
                yield inner, {f"{head}[]": element} | {f"{head}[]{deeper}": taken for deeper, taken in place.items()}


def _look_up(snapshot: Json, path: str, place: Place) -> Json:
    """The value at `path`, through the elements in `place`."""
    taken = max((passed for passed in place if path.startswith(passed)), key=len, default=None)
    return _follow(snapshot, path) if taken is None else _follow(place[taken], path.removeprefix(taken))


def _follow(value: Json, keys: str) -> Json:
    for key in keys.split("."):
        if key:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _text(value: Json) -> str:
    return "" if value is None else str(value)


@asynccontextmanager
async def serve_metrics(settings: MetricsSettings, snapshot: Callable[[], Mapping[str, Json]]) -> AsyncIterator[int]:
    """Serves `/metrics` while entered; gives the port. `snapshot` is called on the loop, once a scrape.

    Raises ReportMisused if the port cannot be had.
    """
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(_from_loop(asyncio.get_running_loop(), snapshot)))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    # In a thread: it looks up this box's name, which takes 10 s where the name server is dead.
    starting = asyncio.ensure_future(
        asyncio.to_thread(start_http_server, settings.port, str(settings.address), registry)
    )
    try:
        server, thread = await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_stop_late)
        raise
    except OSError as error:
        raise ReportMisused(f"cannot serve metrics on {settings.address} port {settings.port}: {error}") from error
    try:
        yield server.server_port
    finally:
        await asyncio.to_thread(server.shutdown)  # up to 0.5 s, the pace at which it looks
        server.server_close()
        thread.join()


def _stop_late(starting: "asyncio.Future[tuple[WSGIServer, Thread]]") -> None:
    """Nobody waits for it any more: it must not keep the port."""
    if not starting.cancelled() and starting.exception() is None:
        server, _ = starting.result()
        server.socket.close()
        Thread(target=server.shutdown, daemon=True).start()


def _from_loop(
    loop: asyncio.AbstractEventLoop, snapshot: Callable[[], Mapping[str, Json]]
) -> Callable[[], Mapping[str, Json]]:
    async def make() -> Mapping[str, Json]:
        return snapshot()

    def ask() -> Mapping[str, Json]:
        try:
            return asyncio.run_coroutine_threadsafe(make(), loop).result(LOOP_ANSWERS_S)
        except TimeoutError:
            return {}

    return ask
