"""`edged replay`: recorded observations through the judge once more, and what it says now against what it said then."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import typer

from edged import __version__
from edged.blackbox import story
from edged.blackbox.errors import BlackBoxBroken
from edged.blackbox.readback import Recording, Step, files, read
from edged.blackbox.replay import Difference, Replayed, replay, same_state
from edged.core.plan import Plan

_SHOWN = 20
"""Differences with another plan, at most: after the first dozens nobody reads on."""
_Done: TypeAlias = tuple[Recording, Replayed]


def main(place: Path, *, as_json: bool, show: bool, plan: Plan | None) -> int:
    """Replays one segment or a directory of them; `plan` instead of the recorded one asks what would have been.

    Returns the exit status: 0 identical, 1 different, 2 unreadable (whatever could be read is told all the same).
    """
    done, broken = _all(place, plan)
    different = sum(len(replayed.differences) for _, replayed in done)
    if as_json:
        typer.echo(json.dumps(_document(done, broken, show=show), indent=2))
    else:
        for line in _text(done, show=show, limit=1 if plan is None else _SHOWN):
            typer.echo(line)
    for error in broken:
        typer.echo(f"edged: {error}", err=True)
    return 2 if broken else 1 if different else 0


def _all(place: Path, plan: Plan | None) -> tuple[list[_Done], list[str]]:
    """Each segment on its own, from the state in its header; and what could not be read."""
    done: list[_Done] = []
    broken: list[str] = []
    try:
        paths = files(place)
    except BlackBoxBroken as error:
        return [], [str(error)]
    for path in paths:
        try:
            found = read(path)
            if found is not None:
                done.append(_one(*found, done[-1] if done else None, plan))
        except BlackBoxBroken as error:
            broken.append(str(error))
    if not done and not broken:
        broken.append(f"{place}: cut off before a header was written")
    return done, broken


def _one(recording: Recording, steps: Iterator[Step], before: _Done | None, plan: Plan | None) -> _Done:
    """A segment that goes on where the one before it ended must begin with the state that one came to. With another
    plan than the recorded one it goes on with that state.
    """
    state = recording.header.state
    reached = before[1].state if before is not None and _follows(before[0], recording) else state
    replayed = replay(plan or recording.header.plan, reached if plan else state, steps)
    if plan is None and not same_state(reached, state):
        gap = Difference(1, recording.header.now_s, "the segment before", ("the state here",), ("another state",), ())
        replayed = replace(replayed, differences=(gap, *replayed.differences))
    return recording, replayed


def _follows(before: Recording, after: Recording) -> bool:
    """Whether nothing is missing between them."""
    one, other = before.header, after.header
    nothing_lost = (one.lost.steps if one.lost else 0) == (other.lost.steps if other.lost else 0)
    return before.whole and nothing_lost and (one.life, one.part + 1) == (other.life, other.part)


def _text(done: list[_Done], *, show: bool, limit: int) -> Iterator[str]:
    left = limit
    for recording, replayed in done:
        yield from story.heading(recording, __version__)
        yield from (story.event_line(recording, each) for each in replayed.story if show or story.is_headline(each))
        for difference in replayed.differences[:left]:
            yield from story.difference_lines(recording, difference)
        left = max(0, left - len(replayed.differences))
    totals = _totals(done)
    if totals["different"] > limit:
        yield f"and {totals['different'] - limit} more differences (--json lists all)"
    yield story.verdict(totals["observations"], totals["decisions"], totals["different"])


def _totals(done: list[_Done]) -> dict[str, int]:
    return {
        "observations": sum(replayed.observations for _, replayed in done),
        "decisions": sum(replayed.decisions for _, replayed in done),
        "different": sum(len(replayed.differences) for _, replayed in done),
    }


def _document(done: list[_Done], broken: list[str], *, show: bool) -> dict[str, object]:
    totals = _totals(done)
    return {
        "software": __version__,
        **totals,
        "identical": totals["different"] == 0 and not broken,
        "unreadable": broken,
        "segments": [story.document(recording, replayed, everything=show) for recording, replayed in done],
    }
