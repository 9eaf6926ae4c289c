"""The answer to an act, in one line: what was recorded, when, the tier now, and what to do next, if anything."""

from typing import Any

from edged.cli.words import span

Doc = dict[str, Any]


def answer(done: Doc, subject: str | None = None) -> str:
    """`done` is the desk's reply to `act`; `subject` the alarm or marker it was about."""
    recorded = "already recorded" if done["repeated"] else "recorded"
    where = f" in {done['room']}" if done["room"] else ""
    whose = f", session {done['session']}" if done["session"] else ""
    what = f"{done['act'].replace('_', ' ')}{f' {subject}' if subject else ''}{where}{whose}"
    line = f"{recorded}: {what} ({done['reason']}) at {done['at'][11:19]}Z"
    return f"{line}; tier is {done['tier']}{_next(done)}"


def _next(done: Doc) -> str:
    if done["say"]:
        return f". {done['say']} ({done['who']}{deadline(done['due_in_s'])})"
    if done["wants_escalation"]:
        return ". The answer came late or was not measured: document it with `edgectl escalate`"
    return ""


def deadline(due_in_s: float | None) -> str:
    """ ", 1m 32s left" or ", NOW"; nothing where there is none."""
    if due_in_s is None:
        return ""
    return f", {span(due_in_s)} left" if due_in_s > 0 else ", NOW"
