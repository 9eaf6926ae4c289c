"""The way from the record to the NOC, wired: the reporter, what it may cost on each link, who looks at signed commands,
and the certificates it lives on.
"""

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from edged import __version__
from edged.clock import SystemClock
from edged.config import Config, Loaded
from edged.control.desk import Judge
from edged.control.remote import Remote
from edged.core.events import Json
from edged.core.observations import Observation, UplinkReading
from edged.record.backlog import Backlog
from edged.record.envelope import Origin
from edged.record.store import Store
from edged.report.dial import Way
from edged.report.mqtt import Reporter
from edged.report.pacing import Share
from edged.report.papers import Papers
from edged.report.reading import BrokerReading
from edged.report.settings import BrokerSettings, ShareSettings
from edged.telemetry import SecondRecords, tell_figures
from probes.budget import Budget, Spent

Part = Callable[[], Coroutine[Any, Any, None]]

_SHARE = "report-{link}"
"""What a link's reporting budget is called among the budgets that outlive a restart."""


class Reporting:
    """One for the life of the daemon, where a broker is configured."""

    def __init__(
        self,
        loaded: Loaded,
        broker: BrokerSettings,
        *,
        store: Store,
        backlog: Backlog,
        clock: SystemClock,
        judge: Judge,
        snapshots: Callable[[], Mapping[str, Json]],
        document: Callable[[], dict[str, Json]],
        error_s: Callable[[], float | None],
        said: Callable[[BrokerReading], None],
        spent: Mapping[str, Spent],
    ) -> None:
        """`error_s` is how wrong the wall clock may be, `said` hears every reading of the line, `spent` is what budgets
        had spent before, by name.
        """
        config = loaded.config
        self._backlog, self._clock, self._judge = backlog, clock, judge
        self._document, self._said = document, said
        self._shares = {name: _share(name, broker, spent) for name in config.links}
        origin = Origin(config.site.tenant, config.site.name)
        self._papers = Papers(broker.tls, judge.tell, clock, broker=self._broker_shows) if broker.tls else None
        keys = config.commands.trusted() if config.commands else {}
        site = f"{origin.tenant}/{origin.site}"
        self._remote = Remote(judge, store, clock, site=site, keys=keys, clock_error_s=error_s)
        self.reporter = Reporter(
            store,
            broker,
            origin=origin,
            clock=clock,
            birth={"version": __version__, "config_hash": loaded.hash},
            snapshots=snapshots,
            emit=self._line,
            backlog=backlog,
            ways=_ways(config),
            shares=self._shares,
            link=config.plan().primary.name,
            remote=self._remote,
            papers=self._papers,
        )

    @property
    def budgets(self) -> dict[str, Budget]:
        """Of the metered links, by the name they are kept under."""
        return {_SHARE.format(link=link): share.budget for link, share in self._shares.items() if share.budget}

    def vital(self, seconds: SecondRecords) -> dict[str, Part]:
        """What must never end."""
        figures = partial(tell_figures, self._backlog.put, self._document, seconds, monotonic=self._clock.monotonic)
        return {"report": self._report, "telemetry": figures}

    def instruments(self) -> dict[str, Part]:
        """What may fail and is started again."""
        found: dict[str, Part] = {"commands": self._remote.run}
        if self._papers:
            found["certificates"] = self._papers.run
        return found

    async def _report(self) -> None:
        if self._papers:
            await self._papers.look()
            self._papers.watch(self.reporter.new_papers)
        await self.reporter.run()

    def _broker_shows(self) -> bytes | None:
        return self.reporter.broker_certificate()

    def _line(self, reading: BrokerReading) -> None:
        self._said(reading)
        told: Observation = UplinkReading(
            reading.at_s,
            reading.connected,
            reading.since_s,
            reading.cause.value,
            link=reading.link,
            over_budget=reading.over_budget,
        )
        self._judge.tell(told)


def _share(link: str, broker: BrokerSettings, spent: Mapping[str, Spent]) -> Share:
    share = broker.links.get(link, ShareSettings())
    return Share.of(share.replay_kbit, share.monthly_mb, spent.get(_SHARE.format(link=link)))


def _ways(config: Config) -> dict[str, Way]:
    return {name: Way(str(link.source) if link.source else None, link.interface) for name, link in config.links.items()}
