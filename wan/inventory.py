"""What this router has, from surveys, and what to ask it each poll. Pure.

A poll asks only for what the router gave before. So whatever is missing in an answer has gone, and everything is to
be surveyed again; likewise after a restart (sysUpTime fell), since ifIndexes may have changed hands.
"""

from collections import ChainMap

from wan.ifmib import SYS_UPTIME, uptime_s
from wan.profile import Hints, Plan, Profile, RouterSeen, WanRow, WanSeen
from wan.reading import WanState
from wan.varbinds import Oid, Value, Varbinds


class Inventory:
    def __init__(self, profile: Profile, hints: Hints) -> None:
        self.fast: tuple[Oid, ...] = (SYS_UPTIME,)
        """What the next GET asks."""
        self.is_new = True
        """Nothing was surveyed yet."""
        self._profile = profile
        self._hints = hints
        self._plan = Plan(wans=(), fast=self.fast, model=None)
        self._found: dict[Oid, Value] = {}
        self._last: dict[Oid, Value] = {}

    def learn(self, found: dict[Oid, Value]) -> tuple[str, ...]:
        """Take over a finished survey. Returns the WANs of the settings that this router lacks."""
        self.is_new = False
        self._plan = self._profile.plan(found, self._hints)
        self.fast = self._plan.fast
        self._found = {at: value for at, value in found.items() if at not in self.fast}  # a poll's value or none
        self._last = {at: value for at, value in self._last.items() if at in self.fast}
        return tuple(row.wan for row in self._plan.wans if not row.present)

    def outdated_by(self, polled: Varbinds) -> bool:
        """True if the router is no more what it was in the poll before."""
        before_s, now_s = uptime_s(self._last), uptime_s(polled)
        restarted = before_s is not None and now_s is not None and now_s < before_s
        return restarted or any(polled.get(at) is None for at in self._last)

    def decode(self, polled: dict[Oid, Value]) -> RouterSeen:
        """This poll's values over the survey's. What was not given is not asked again until the next survey."""
        self._last = {at: value for at, value in polled.items() if value is not None}
        self.fast = tuple(self._last) or (SYS_UPTIME,)
        view = ChainMap(polled, self._found)
        return RouterSeen(
            wans=tuple(self._wan(row, view) for row in self._plan.wans),
            uptime_s=uptime_s(polled),
            model=self._plan.model,
            firmware=self._plan.firmware,
        )

    def _wan(self, row: WanRow, view: Varbinds) -> WanSeen:
        if not row.present:
            return WanSeen(row.wan, row.name, WanState.UNKNOWN, present=False)
        return self._profile.decode(row, view)
