"""Finds out about the lines what probing cannot: capacity, doors, paths. Carries out the judge's errands, nothing else.

What comes of an errand is told as a reading, like everything an instrument sees.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, assert_never

from edged.config import SiteLink
from edged.core.effects import Errand, Leave, Run
from probes.budget import Budget
from probes.capacity.meter import CapacityMeter, Permit
from probes.exit import watch_exit
from probes.line_reading import LineReading, Method
from probes.path import PathRequest, diagnose, usual_way
from probes.stamp import StampTarget
from probes.standby import watch_standby

Instrument = Callable[[], Coroutine[Any, Any, None]]

DIAGNOSIS_BYTES = 60_000
"""What one look at a path costs at most, for a budget: 200 packets, some of them full."""


class Surveyor:
    def __init__(
        self,
        links: Mapping[str, SiteLink],
        tell: Callable[[LineReading], None],
        *,
        users: Callable[[str], bool],
        budgets: Mapping[str, Budget],
        monotonic: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        """`users(link)` says whether users need that link now."""
        self._links, self._tell, self._users = links, tell, users
        self._budgets, self._monotonic, self._wall = budgets, monotonic, wall
        self._permits = {name: Permit() for name in links}
        self._look_again, self._prove_again = ({name: asyncio.Event() for name in links} for _ in range(2))
        self._usual: dict[str, tuple[str | None, ...]] = {}
        self._to_diagnose: asyncio.Queue[str] = asyncio.Queue(2 * len(links))
        turn = asyncio.Lock()
        self._meters = {
            name: self._meter(name, link, turn) for name, link in links.items() if link.capacity is not None
        }

    def instruments(self) -> dict[str, Instrument]:
        found: dict[str, Instrument] = {"paths": self._diagnose_as_asked}
        found |= {f"capacity:{name}": meter.run for name, meter in self._meters.items()}
        for name, link in self._links.items():
            if link.exit is not None:
                look = partial(watch_exit, again=self._look_again[name], spent=self._spender(name))
                found[f"exit:{name}"] = partial(look, name, link.pin, link.exit, self._tell, monotonic=self._monotonic)
            if link.standby is not None:
                meter = self._meters.get(name)
                prove = partial(watch_standby, sample=meter.sample if meter else None)
                prove = partial(prove, again=self._prove_again[name], spent=self._spender(name))
                clock = self._monotonic
                found[f"standby:{name}"] = partial(prove, name, link.pin, link.standby, self._tell, monotonic=clock)
        return found

    def allow(self, leave: Leave) -> None:
        permit = self._permits[leave.link]
        permit.trains, permit.ramps = leave.trains, leave.ramps

    def run(self, run: Run) -> None:
        """Never blocks; an errand that cannot even wait is dropped, for the same was asked twice already."""
        match run.errand:
            case Errand.DIAGNOSE:
                if not self._to_diagnose.full():
                    self._to_diagnose.put_nowait(run.link)
            case Errand.PROVE:
                self._look_again[run.link].set()
                self._prove_again[run.link].set()
            case Errand.TRAIN:
                self._meters[run.link].ask(Method.TRAIN)
            case Errand.RAMP:
                self._meters[run.link].ask(Method.RAMP)
            case _:
                assert_never(run.errand)

    # ── paths ──────────────────────────────────────────────────────────────────────────────────────────
    async def _diagnose_as_asked(self) -> None:
        """One after the other: a diagnosis is a process of its own, and the box is small."""
        while True:
            name = await self._to_diagnose.get()
            self._spender(name)(DIAGNOSIS_BYTES)
            reading = await diagnose(self._request(name), monotonic=self._monotonic)
            if usual := usual_way(reading):
                self._usual[name] = usual
            self._tell(reading)

    def _request(self, name: str) -> PathRequest:
        link = self._links[name]
        stamp = next((target for target in link.targets if isinstance(target, StampTarget)), None)
        target = stamp or link.targets[0]
        port = {"udp_port": stamp.port} if stamp else {}
        return PathRequest(link=name, pin=link.pin, target=target.address, usual=self._usual.get(name, ()), **port)

    # ── what it costs ──────────────────────────────────────────────────────────────────────────────────
    def _meter(self, name: str, link: SiteLink, turn: asyncio.Lock) -> CapacityMeter:
        assert link.capacity is not None
        return CapacityMeter(
            name,
            link.pin,
            link.capacity,
            self._tell,
            permit=self._permits[name],
            users=partial(self._users, name),
            turn=turn,
            by_itself=link.monthly_mb is None,  # every 6 h is 150 MB a month; a standby's own sample is weekly
            spent=self._spender(name),
            monotonic=self._monotonic,
        )

    def _spender(self, name: str) -> Callable[[int], None]:
        budget = self._budgets.get(name)

        def spent(size_bytes: int) -> None:
            if budget is not None:
                budget.spend(size_bytes, self._wall())

        return spent
