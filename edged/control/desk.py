"""Answers what comes through the control socket. What a person does is an observation, never a call to an actuator."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from edged.clock import Clock, rfc3339
from edged.control import archive
from edged.control.desk_args import (
    ActArgs,
    Args,
    AskArgs,
    EventsArgs,
    EvidenceArgs,
    IncidentArgs,
    IncidentsArgs,
    NoArgs,
    PlatformArgs,
    WatchArgs,
)
from edged.control.protocol import Refusal, Request
from edged.control.refusals import plain
from edged.control.roles import Caller
from edged.core.events import Event, Json
from edged.core.observations import AccessRefused, Asked, Observation, PersonActed, PlatformSaid
from edged.record.recorded import Recorded


class Judge(Protocol):
    """The part of judging that the desk needs."""

    def tell(self, observation: Observation) -> None: ...

    async def submit(self, observation: Observation) -> tuple[Event, ...]: ...


A = TypeVar("A", bound=Args)


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
        state_dir: Path,
        seal: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`seal` has the record signed up to now, and returns when that is recorded."""
        self._judge, self._clock = judge, clock
        self._document, self._recent, self._reload = document, recent, reload
        self._state_dir, self._seal = state_dir, seal

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
            case "platform":
                return await self._platform(_args(PlatformArgs, request))
            case "ask":
                return await self._ask(_args(AskArgs, request), caller)
            case "incidents":
                return await asyncio.to_thread(archive.incidents, self._state_dir, _args(IncidentsArgs, request))
            case "incident":
                return await asyncio.to_thread(archive.incident, self._state_dir, _args(IncidentArgs, request))
            case "evidence":
                return await self._evidence(_args(EvidenceArgs, request))
            case "reload":
                _args(NoArgs, request)
                self._reload()
                return {"said": "the new configuration is good; starting anew with it"}
            case _:
                raise Refusal("unknown", f"do: {request.do!r} has no answer")

    async def _evidence(self, args: EvidenceArgs) -> dict[str, Json]:
        """Whoever asks may carry it away: the first portion finds everything signed that there is."""
        if self._seal and args.after is None:
            await self._seal()
        return await asyncio.to_thread(archive.evidence, self._state_dir, args)

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
        """What was recorded, when, and what stands in the room now."""
        role = caller.role.name.lower()
        about = (args.session, args.room, args.subject, args.for_s)
        done = PersonActed(self._clock.monotonic(), args.act, caller.name, role, args.reason, *about)
        events = await self._judge.submit(done)
        self._raise_refused(events, args.act.value.replace("_", " "))
        told = next((event.data for event in events if event.name.startswith("act.")), {})
        return {
            "act": args.act.value,
            "reason": args.reason.value,
            "at": rfc3339(self._clock.wall()),
            "repeated": any(event.name == "act.repeated" for event in events),
            "room": told.get("room"),
            "session": told.get("session"),
            "events": [event.name for event in events],
            **_stands(self._document(), told.get("room")),
        }

    async def _platform(self, args: PlatformArgs) -> dict[str, Json]:
        """Told again every few seconds: its word is old after six."""
        document = self._document()
        rooms = _names(document, "rooms", "room")
        if args.room is not None and args.room not in rooms:
            raise _refusal("no_such_room", "platform", document)
        if args.room is None and len(rooms) > 1:
            raise _refusal("which_room", "platform", document)
        streams = (args.audio_to_room, args.audio_from_room, args.video_to_room, args.video_from_room)
        await self._judge.submit(PlatformSaid(self._clock.monotonic(), args.room or rooms[0], *streams))
        return _stands(self._document(), args.room or rooms[0])

    async def _ask(self, args: AskArgs, caller: Caller) -> dict[str, Json]:
        """Only that it is under way: what comes of it is recorded, and in the status."""
        role = caller.role.name.lower()
        asked = Asked(self._clock.monotonic(), args.errand, args.link, caller.name, role)
        self._raise_refused(await self._judge.submit(asked), f"{args.errand.value} {args.link}")
        return {"errand": args.errand.value, "link": args.link}

    def _raise_refused(self, events: tuple[Event, ...], what: str) -> None:
        told = next((event.data for event in events if event.name.endswith(".refused")), None)
        if told is not None:
            raise _refusal(str(told["refused"]), what, self._document(), told.get("room"))


def _refusal(code: str, what: str, document: dict[str, Json], room: Json = None) -> Refusal:
    """In plain words, with the names there are where one was wrong or missing."""
    names: list[str] = []
    match code:
        case "no_such_room" | "which_room":
            names = _names(document, "rooms", "room")
        case "no_such_link":
            names = _names(document, "links", "link")
        case "another_session_is_open" | "not_the_open_session":
            names = _sessions(document, room)
    return Refusal(code, f"{what}: {plain(code)}" + (f" (there is {', '.join(names)})" if names else ""))


def _names(document: dict[str, Json], section: str, key: str) -> list[str]:
    found: Any = document[section]
    return [str(each[key]) for each in found]


def _sessions(document: dict[str, Json], room: Json) -> list[str]:
    rooms: Any = document["rooms"]
    return [str(each["session"]["id"]) for each in rooms if each["room"] == room and each["session"]["open"]]


_OF_THE_TIER = ("tier", "say", "who", "due_in_s")


def _stands(document: dict[str, Json], room: Json) -> dict[str, Json]:
    """The tier in force in that room (None: on the site), what it demands; whether a late answer wants its record."""
    rooms: Any = document["rooms"]
    held: Any = next((each for each in rooms if each["room"] == room), document)
    session = held["session"]
    late = bool(session["joined"]) and session["response_class"] != "best" and not session["escalated"]
    return {**{key: held["tier"][key] for key in _OF_THE_TIER}, "wants_escalation": late}


def _args(model: type[A], request: Request) -> A:
    try:
        return model.model_validate(request.args)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise Refusal("bad_args", f"args.{key}: {said} (found {first['input']!r})") from error
