"""`edgectl events`: what was recorded, newest last, each with what tells it from the next one of its kind."""

from typing import Any

from rich.console import RenderableType
from rich.text import Text

from edged.cli.words import TIER_STYLES, table

Doc = dict[str, Any]

ROUTINE = frozenset({"av.seconds", "ledger.checkpoint"})
"""Proof that comes by itself every few seconds; between it nobody would find the rest."""

_TOLD = (
    *(
        "number",
        "incident",
        "alarm",
        "row",
        "at",
        "room",
        "timer",
        "due_in_s",
        "cause",
        "cause_at",
        "previous",
        "active",
    ),
    *("drill", "act", "subject", "for_s", "errand", "command", "refused", "actor", "reason", "session"),
    *("phase", "response_s", "response_class", "waited_s", "by_connectivity", "worst_tier", "audio", "video"),
    *("seconds", "ended_s_ago", "av", "protection"),
    *("dies_at", "direction", "method", "rate_mbit", "why", "mapped", "fit", "lacks"),
    *("error", "lasted_s", "row_hash", "key", "protocol"),
)
_ONLY_IF_TRUE = ("drill",)


def name(each: Doc) -> str:
    """ "tier.entered" of "edge.tier.entered.v1"."""
    return str(each["event"]["type"]).removeprefix("edge.").removesuffix(".v1")


def events(listed: list[Doc]) -> RenderableType:
    shown = table("SEQ", "TIME", "TIER", "EVENT")
    shown.add_column("ABOUT", overflow="fold")
    for each in listed:
        body = each["event"]
        colour = TIER_STYLES[body["tier"]] if name(each).startswith("tier.") else ""
        shown.add_row(
            str(body["sequence"]),
            body["time"][:23].replace("T", " "),
            Text(f" {body['tier']} ", style=colour),
            name(each),
            about(body["data"]),
        )
    return shown


def about(data: Doc) -> str:
    """What is false is told as well: a fitness, a blame."""
    told = {key: data[key] for key in _TOLD if data.get(key) not in (None, [])}
    told = {key: value for key, value in told.items() if value or key not in _ONLY_IF_TRUE}
    if "at" not in told and data.get("source") is not None:
        told["source"] = data["source"]
    return "  ".join(f"{key}={_plain(value)}" for key, value in told.items())


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
