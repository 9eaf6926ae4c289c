"""An errand from the command line: asked for, waited for, and shown in words."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edged.cli.client import ask
from edged.cli.words import mbit

Doc = dict[str, Any]

WITHIN_S = {"diagnose": 40.0, "prove": 15.0, "train": 60.0, "ramp": 60.0}
"""Each ends by itself well before; two measurements may wait for each other."""
_LOOK_S = 0.25
_OPEN_ENDED = 5.0  # a ramp that met its own limit or our shaper knows no upper bound

_WHY = {
    "no_answer": "the far end does not answer",
    "not_authorised": "the far end does not take our key",
    "no_route": "this box cannot send that way",
    "users_hurt": "stopped, for somebody needed the line",
    "too_noisy": "measured, but the figures do not agree with each other",
    "over_budget": "stopped at its byte budget",
}


class NoResult(Exception):
    """Nothing came of it in time."""


def run(path: Path, errand: str, link: str) -> Doc:
    """The link's part of the status, once it holds what the errand found out.

    Raises as `client.ask`, and NoResult.
    """
    asked_s = time.monotonic()
    ask(path, "ask", {"errand": errand, "link": link})
    while (waited_s := time.monotonic() - asked_s) < WITHIN_S[errand]:
        held = next(each for each in ask(path, "status")["links"] if each["link"] == link)
        if _FOUND[errand](held, waited_s):
            return dict(held)
        time.sleep(_LOOK_S)
    raise NoResult(f"{errand} {link}: nothing found out within {WITHIN_S[errand]:.0f} s")


def said(errand: str, link: Doc) -> list[str]:
    """What was found out, a line each."""
    return _SAID[errand](link)


def in_vain(errand: str, link: Doc) -> bool:
    """A measurement without a figure in either direction."""
    return errand in ("train", "ramp") and all(_failure(link, way) for way in ("up", "down"))


# ── has it come? ───────────────────────────────────────────────────────────────────────────────────────
def _newer(held: Doc | None, waited_s: float) -> bool:
    return held is not None and held["age_s"] < waited_s


def _measured(method: str) -> Callable[[Doc, float], bool]:
    def found(link: Doc, waited_s: float) -> bool:
        return all(any(_newer(each, waited_s) for each in _attempts(link, way, method)) for way in ("up", "down"))

    return found


def _attempts(link: Doc, way: str, method: str) -> list[Doc]:
    """The figure and the failure of one direction by this method, as far as there are."""
    both = ((link["capacity"] or {}).get(way), link["not_measured"][way])
    return [each for each in both if each is not None and each["method"] == method]


_FOUND: dict[str, Callable[[Doc, float], bool]] = {
    "diagnose": lambda link, waited_s: _newer(link["path"], waited_s),
    "prove": lambda link, waited_s: _newer(link["exit"], waited_s),
    "train": _measured("train"),
    "ramp": _measured("ramp"),
}


# ── in words ───────────────────────────────────────────────────────────────────────────────────────────
def _path(link: Doc) -> list[str]:
    from probes.path_words import in_words  # pydantic: only here

    path = link["path"]
    if path["trouble"] is not None:
        return [in_words(link["link"], path["trouble"], None)]
    hops = [f"  {hop['ttl']:>2}  {hop['address'] or '*'}" for hop in path["document"]["hops"]]
    return [in_words(link["link"], None, path["document"]), *hops]


def _exit(link: Doc) -> list[str]:
    held = link["exit"]
    hops = " → ".join(hop or "*" for hop in held["hops"]) or "no router answers"
    seen = held["mapped"] or "nobody: the STUN server does not answer"
    return [f"{link['link']} is seen from outside as {seen}", f"  over {hops}"]


def _capacity(link: Doc) -> list[str]:
    return [_one_way(link, way) for way in ("up", "down")]


def _one_way(link: Doc, way: str) -> str:
    held: Any = (link["capacity"] or {}).get(way)
    if failed := _failure(link, way):
        return f"{link['link']} {way}: no figure by {failed['method']}: {_WHY.get(failed['why'], failed['why'])}"
    low, high = mbit(held["low_bps"]), mbit(held["high_bps"])
    between = f"{low} or more" if held["high_bps"] > _OPEN_ENDED * held["rate_bps"] else f"{low} to {high}"
    sure = f"{100 * held['confidence']:.0f} %"
    return f"{link['link']} {way}: {mbit(held['rate_bps'])} Mbit/s by {held['method']} ({between}, {sure} sure)"


def _failure(link: Doc, way: str) -> Doc | None:
    """Why there is no figure, where that is newer than the last figure."""
    held: Any = (link["capacity"] or {}).get(way)
    failed: Any = link["not_measured"][way]
    return failed if failed is not None and (held is None or failed["age_s"] < held["age_s"]) else None


_SAID: dict[str, Callable[[Doc], list[str]]] = {
    "diagnose": _path,
    "prove": _exit,
    "train": _capacity,
    "ramp": _capacity,
}
