"""Answers what comes through the control socket. What a person does is an observation, never a call to an actuator."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from edged.clock import Clock
from edged.control.protocol import Refusal, Request
from edged.control.roles import Caller
from edged.core.effects import Errand
from edged.core.events import Event, Json
from edged.core.observations import AccessRefused, Act, Asked, Observation, PersonActed, Reason
from edged.record.recorded import Recorded


class Judge(Protocol):
    """The part of judging that the desk needs."""

    def tell(self, observation: Observation) -> None: ...

    async def submit(self, observation: Observation) -> tuple[Event, ...]: ...


class _Args(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NoArgs(_Args):
    pass


class EventsArgs(_Args):
    limit: Annotated[int, Field(ge=1, le=1000)] = 30


class WatchArgs(_Args):
    every_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0


class ActArgs(_Args):
    """Codes and an opaque id; there is no free text that could carry a patient's data."""

    act: Act
    reason: Reason
    session: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None = None

    @field_validator("reason")
    @classmethod
    def _ones_own(cls, reason: Reason) -> Reason:
        if reason is Reason.NOC_COMMAND:
            raise ValueError("only a signed command can say so")
        return reason


class AskArgs(_Args):
    errand: Errand
    link: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]


A = TypeVar("A", bound=_Args)


class Desk:
    """One for the life of the daemon; `edged.control.server` puts callers through."""

    def __init__(
        self,
        judge: Judge,
        clock: Clock,
        *,
        document: Callable[[], dict[str, Json]],
        recent: Callable[[int], Awaitable[list[Recorded]]],
        reload: Callable[[], None],
    ) -> None:
        self._judge, self._clock = judge, clock
        self._document, self._recent, self._reload = document, recent, reload

    async def answer(self, request: Request, caller: Caller) -> Any:
        """The data of the reply. Raises Refusal."""
        match request.do:
            case "status":
                _args(NoArgs, request)
                return self._document()
            case "events":
                rows = await self._recent(_args(EventsArgs, request).limit)
                return [{"event": json.loads(row.body), "durable": row.durable} for row in rows]
            case "act":
                return await self._act(_args(ActArgs, request), caller)
            case "ask":
                return await self._ask(_args(AskArgs, request), caller)
            case "reload":
                _args(NoArgs, request)
                self._reload()
                return {"said": "the new configuration is good; starting anew with it"}
            case _:
                raise Refusal("unknown", f"do: {request.do!r} has no answer")

    def refused(self, request: Request, caller: Caller) -> None:
        """H4: somebody asked for more than their role allows."""
        role = caller.role.name.lower()
        self._judge.tell(AccessRefused(self._clock.monotonic(), caller.name, role, request.do))

    async def watch(self, request: Request) -> AsyncGenerator[Any, None]:
        """The status document, again and again."""
        every_s = _args(WatchArgs, request).every_s
        while True:
            yield self._document()
            await asyncio.sleep(every_s)

    async def _act(self, args: ActArgs, caller: Caller) -> dict[str, Json]:
        done = PersonActed(
            self._clock.monotonic(), args.act, caller.name, caller.role.name.lower(), args.reason, args.session
        )
        events = await self._judge.submit(done)
        _raise_refused(events, args.act.value)
        return {"tier": events[-1].tier if events else None, "events": [event.name for event in events]}

    async def _ask(self, args: AskArgs, caller: Caller) -> dict[str, Json]:
        """Only that it is under way: what comes of it is recorded, and in the status."""
        role = caller.role.name.lower()
        asked = Asked(self._clock.monotonic(), args.errand, args.link, caller.name, role)
        _raise_refused(await self._judge.submit(asked), f"{args.errand.value} {args.link}")
        return {"errand": args.errand.value, "link": args.link}


def _raise_refused(events: tuple[Event, ...], what: str) -> None:
    refused = next((event.data["refused"] for event in events if event.name.endswith(".refused")), None)
    if refused is not None:
        raise Refusal(str(refused), f"{what}: {str(refused).replace('_', ' ')}")


def _args(model: type[A], request: Request) -> A:
    try:
        return model.model_validate(request.args)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise Refusal("bad_args", f"args.{key}: {first['msg']} (found {first['input']!r})") from error
