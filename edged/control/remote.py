"""Carries out what the NOC signed: verified, once, audited. Like a person at the CLI it only tells the judge facts.

Order of things: whose signature; known already? then the answer of then; may it be done now; kept as begun, on the
disk; done; its answer kept; answered. So a crash in the middle leaves a command that is never done twice, and a disk
that cannot keep this promise leaves it undone.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from edged.clock import Clock
from edged.control.command_audit import CommandAudit
from edged.control.command_book import CommandBook, Entry, Shelf
from edged.control.desk import Judge
from edged.core.events import Event, Json
from edged.core.observations import Commanded, PersonActed
from edged.report.signed import By, Denied, Key, Moment, Order, Permitted, Why, parse_order, permit, signer

_log = structlog.get_logger()

MOST_WAITING = 32
"""A command takes two fsyncs, some milliseconds; who sends more than this at once is flooding."""
MOST_ANSWERS = 256
"""While there is no line; the oldest makes way. Who misses an answer sends the command again and gets it."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one message."""

    id: str | None
    command: str | None = None
    key: Key | None = None
    """Only of a good signature."""
    refused: str | None = None
    """The code: a Why, or the judge's."""
    result: Mapping[str, Json] | None = None
    repeated: bool = False

    def answer(self) -> dict[str, Json]:
        """The data of what goes out on `cmd/res`. What is not known is left out."""
        said: dict[str, Json] = {"id": self.id, "status": "refused" if self.refused else "done"}
        if self.command is not None:
            said["command"] = self.command
        if self.refused is not None:
            said["reason"] = str(self.refused)
        if self.result is not None:
            said["result"] = self.result
        return said | {"repeated": True} if self.repeated else said


class Remote:
    """Made once; `run` is vital to commands only: without it they wait, and then are refused as too many."""

    def __init__(
        self,
        judge: Judge,
        shelf: Shelf,
        clock: Clock,
        *,
        site: str,
        keys: Mapping[str, Key],
        clock_error_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        """`site` is "tenant/site", `keys` are by name; without any, every signed command is refused."""
        self._judge, self._book, self._clock = judge, CommandBook(shelf), clock
        self._site, self._keys, self._clock_error_s = site, keys, clock_error_s
        self._audit = CommandAudit(judge.tell)
        self._waiting: deque[bytes] = deque()
        self._came = asyncio.Event()
        self._watchers: list[Callable[[], None]] = []
        self.answers: deque[dict[str, Json]] = deque(maxlen=MOST_ANSWERS)
        """Data for `cmd/res`, oldest first; whoever sends one takes it out."""

    def take(self, payload: bytes) -> None:
        """A message of `cmd/req` that says it is signed. Never waits, never raises."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(payload)
            self._came.set()
            return
        order = parse_order(payload)
        self._say(_Outcome(order.id, refused=order.why if isinstance(order, Denied) else Why.BUSY))

    def watch(self, changed: Callable[[], None]) -> None:
        """`changed` is called on the loop whenever an answer waits."""
        self._watchers.append(changed)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._audit.tick(self._clock.monotonic())
            if self._waiting:
                self._say(await self._look_at(self._waiting.popleft()))
            else:
                await self._rest()

    # ── one message ────────────────────────────────────────────────────────────────────────────────────
    async def _look_at(self, payload: bytes) -> _Outcome:
        order = parse_order(payload)
        if isinstance(order, Denied):
            return _Outcome(order.id, refused=order.why)
        key = signer(order, self._keys, self._site)
        if isinstance(key, Why):
            return _Outcome(order.id, refused=key)
        entry = await self._book.find(order)
        if entry is None or _was_left_undone(order, entry):
            return await self._first_time(order, key)
        return _again(order, key, entry)

    async def _first_time(self, order: Order, key: Key) -> _Outcome:
        permitted = permit(order, key, self._now())
        if isinstance(permitted, Why):
            return _Outcome(order.id, order.command, key, refused=permitted)
        if await self._book.write(order, None):
            outcome = await self._carry_out(order, key, permitted)
        else:
            outcome = _Outcome(order.id, order.command, key, refused=Why.NOT_DURABLE)
        if not await self._book.write(order, outcome.answer()):
            _log.warning("the answer to a command is not on the disk", id=order.id)
        return outcome

    async def _carry_out(self, order: Order, key: Key, permitted: Permitted) -> _Outcome:
        meaning = permitted.meaning(By(self._clock.monotonic(), f"noc:{key.name}", key.role.name.lower()))
        events = await self._judge.submit(meaning)
        if refused := _refusal(events):
            return _Outcome(order.id, order.command, key, refused=refused)
        acted = bool(events) and isinstance(meaning, PersonActed)  # an errand is only under way now
        return _Outcome(order.id, order.command, key, result={"tier": events[-1].tier} if acted else None)

    def _now(self) -> Moment:
        return Moment(self._clock.wall(), self._clock.quality(), self._clock_error_s() or 0.0)

    # ── what came of it ────────────────────────────────────────────────────────────────────────────────
    def _say(self, outcome: _Outcome) -> None:
        self._audit.note(_commanded(outcome, self._clock.monotonic()))
        self.answers.append(outcome.answer())
        for changed in self._watchers:
            changed()

    async def _rest(self) -> None:
        self._came.clear()
        due_s = self._audit.due_s
        left_s = None if due_s is None else max(0.0, due_s - self._clock.monotonic())
        with suppress(TimeoutError):
            async with asyncio.timeout(left_s):
                await self._came.wait()


def _was_left_undone(order: Order, entry: Entry) -> bool:
    """The disk refused it then, and may take it now."""
    return entry.digest == order.digest and (entry.answer or {}).get("reason") == Why.NOT_DURABLE


def _again(order: Order, key: Key, entry: Entry) -> _Outcome:
    """The answer of then, whatever may have become of its window, its key or the clock since."""
    if entry.digest not in (None, order.digest):
        return _Outcome(order.id, order.command, key, refused=Why.ID_REUSED)
    if entry.answer is None:
        return _Outcome(order.id, order.command, key, refused=Why.INTERRUPTED, repeated=True)
    reason, result = entry.answer.get("reason"), entry.answer.get("result")
    return _Outcome(
        order.id,
        order.command,
        key,
        refused=reason if isinstance(reason, str) else None,
        result=result if isinstance(result, Mapping) else None,
        repeated=True,
    )


def _refusal(events: tuple[Event, ...]) -> str | None:
    """The judge's code; None if it took the fact."""
    return next((str(event.data["refused"]) for event in events if event.name.endswith(".refused")), None)


def _commanded(outcome: _Outcome, now_s: float) -> Commanded:
    key = outcome.key
    return Commanded(
        now_s,
        outcome.id,
        outcome.command,
        key.name if key else None,
        key.role.name.lower() if key else None,
        str(outcome.refused) if outcome.refused else None,
        outcome.repeated,
    )
