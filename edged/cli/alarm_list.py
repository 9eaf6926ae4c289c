"""The alarms on the board: what somebody should deal with, each with the one response it requires.

They come in the order to read them; what is shelved or made by a drill is only counted.
"""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from edged.cli.words import BAD, DIM, WARN, span

Doc = dict[str, Any]
_MOST_LINES = 5
_INDENT = " " * 8


def alarms(doc: Doc) -> RenderableType:
    """A line an alarm, with what to do and who; the eldest of many are counted."""
    shown, hidden = _sorted_out(doc)
    lines = [
        _head(each).append(f"  {each['say']} ").append(each["who"], style="italic") for each in shown[:_MOST_LINES]
    ]
    rest = [f"{len(shown) - _MOST_LINES} more: edgectl alarms"] if len(shown) > _MOST_LINES else []
    rest += [f"{hidden} shelved or made by the drill"] if hidden else []
    if rest:
        lines.append(Text(", ".join(rest), style=DIM))
    return _labelled(lines)


def alarms_in_short(doc: Doc) -> RenderableType:
    """Their names in one line."""
    shown, hidden = _sorted_out(doc)
    names = [_head(each) for each in shown]
    names += [Text(f"{hidden} out of sight", style=DIM)] if hidden else []
    return _labelled([Text(" · ", style=WARN).join(names)] if names else [])


def _sorted_out(doc: Doc) -> tuple[list[Doc], int]:
    """Those to deal with, and how many are out of sight."""
    shown = [each for each in doc["alarms"] if each["shelved_for_s"] is None and not each["suppressed"]]
    return shown, len(doc["alarms"]) - len(shown)


def _head(each: Doc) -> Text:
    style = DIM if each["acknowledged"] else BAD if each["severity"] == "alarm" else WARN
    text = Text(f"{each['alarm']} {span(each['for_s'])}", style=style)
    if each["symptoms"]:
        text.append(f" +{each['symptoms']}")
    if each["flapping"]:
        text.append(" flapping")
    return text.append(" acknowledged") if each["acknowledged"] else text


def _labelled(lines: Sequence[Text]) -> RenderableType:
    return Group(*(Text(" NOW    " if index == 0 else _INDENT, style=DIM) + line for index, line in enumerate(lines)))
