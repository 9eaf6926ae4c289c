"""`edged replay`: recorded observations through the judge once more, and what it says now against what it said then."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import typer

from edged import __version__
from edged.blackbox import story
from edged.blackbox.errors import BlackBoxBroken
from edged.blackbox.readback import Recording, Step, files, read
from edged.blackbox.replay import Difference, Replayed, other_parts, replay
from edged.core.plan import Plan
from edged.core.state import State

_SHOWN = 20
"""Differences with another plan, at most: after the first dozens nobody reads on."""


@dataclass(frozen=True, slots=True)
class _Before:
    """What the next segment needs of one. Not its story: a day of them need not fit into memory."""

    recording: Recording
    state: State


@dataclass(frozen=True, slots=True)
class _Done:
    recording: Recording
    replayed: Replayed
    before: _Before | None


@dataclass(frozen=True, slots=True)
class _Empty:
    """A segment that a kill cut off before it held anything. No fault, and no reason to say nothing."""

    path: Path


@dataclass(frozen=True, slots=True)
class _Unread:
    """What was recorded and cannot be judged again, and why."""

    why: str


def main(place: Path, *, as_json: bool, show: bool, plan: Plan | None) -> int:
    """Replays one segment or a directory of them; `plan` instead of the recorded one asks what would have been. What
    there is to tell of a segment is told before the next one is read.

    Returns the exit status: 0 identical, 1 different, 2 not all could be read (what could be is told all the same).
    """
    totals: Counter[str] = Counter(observations=0, decisions=0, different=0)
    unread: list[str] = []
    segments: list[dict[str, object]] = []
    limit = 1 if plan is None else _SHOWN
    for each in _all(place, plan):
        match each:
            case _Unread(why):
                unread.append(why)
                typer.echo(f"edged: {why}", err=True)
            case _Empty(path):
                typer.echo(f"{path}: cut off before anything was in it", err=as_json)
            case _Done(recording, replayed):
                left = max(0, limit - totals["different"])
                totals.update(_counts(replayed))
                if as_json:
                    segments.append(story.document(recording, replayed, everything=show))
                else:
                    typer.echo("\n".join(_text(each, show=show, limit=left)))
    if as_json:
        typer.echo(json.dumps(_document(totals, unread, segments), indent=2))
    else:
        _say_verdict(totals, unread, limit=limit)
    return 2 if unread else 1 if totals["different"] else 0


def _all(place: Path, plan: Plan | None) -> Iterator[_Done | _Empty | _Unread]:
    """Each segment on its own, from the state in its header; and what is missing or could not be read."""
    try:
        paths = files(place)
    except BlackBoxBroken as error:
        yield _Unread(str(error))
        return
    missing = {two: one for one, two in pairwise(paths) if int(two.stem) != int(one.stem) + 1}
    before: _Before | None = None
    empty = 0
    for path in paths:
        if path in missing:
            yield _Unread(f"{path}: what was recorded between {missing[path].name} and this is missing")
        try:
            found = read(path)
            if found is None:
                empty += 1
                yield _Empty(path)
                continue
            done = _one(*found, before, plan)
        except BlackBoxBroken as error:
            yield _Unread(str(error))
            continue
        yield done
        if done.recording.damage is not None:
            yield _Unread(f"{path}: {done.recording.damage}: nothing behind that is read")
        before = _Before(done.recording, done.replayed.state)
    if empty == len(paths):
        yield _Unread(f"{place}: cut off before a header was written")


def _one(recording: Recording, steps: Iterator[Step], before: _Before | None, plan: Plan | None) -> _Done:
    """A segment that goes on where the one before it ended must begin with the state that one came to. With another
    plan than the recorded one it goes on with that state.
    """
    state = recording.header.state
    reached = before.state if before is not None and _follows(before.recording, recording) else state
    replayed = replay(plan or recording.header.plan, reached if plan else state, steps)
    if plan is None and (others := other_parts(reached, state)):
        then = tuple(f"state.{name}" for name in others)
        gap = Difference(1, recording.header.now_s, "the segment before", then, ("another state",), ())
        replayed = replace(replayed, differences=(gap, *replayed.differences))
    return _Done(recording, replayed, before)


def _follows(before: Recording, after: Recording) -> bool:
    """Whether nothing is missing between them."""
    one, other = before.header, after.header
    nothing_lost = (one.lost.steps if one.lost else 0) == (other.lost.steps if other.lost else 0)
    return before.whole and nothing_lost and (one.life, one.part + 1) == (other.life, other.part)


def _text(done: _Done, *, show: bool, limit: int) -> Iterator[str]:
    recording, replayed, before = done.recording, done.replayed, done.before
    yield from story.heading(recording, __version__)
    if before is not None:
        yield from story.since(before.recording.header, recording.header)
    yield from (story.event_line(recording, each) for each in replayed.story if show or story.is_headline(each))
    for difference in replayed.differences[:limit]:
        yield from story.difference_lines(recording, difference)


def _say_verdict(totals: Counter[str], unread: list[str], *, limit: int) -> None:
    if totals["different"] > limit:
        typer.echo(f"and {totals['different'] - limit} more differences (--json lists all)")
    if totals["observations"] or not unread:
        verdict = story.verdict(totals["observations"], totals["decisions"], totals["different"])
        typer.echo(f"{verdict} as far as it can be read" if unread else verdict)


def _counts(replayed: Replayed) -> dict[str, int]:
    return {
        "observations": replayed.observations,
        "decisions": replayed.decisions,
        "different": len(replayed.differences),
    }


def _document(totals: Counter[str], unread: list[str], segments: list[dict[str, object]]) -> dict[str, object]:
    return {
        "software": __version__,
        **totals,
        "identical": totals["different"] == 0 and not unread,
        "unreadable": unread,
        "segments": segments,
    }
