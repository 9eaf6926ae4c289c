"""What somebody should deal with, each with its one response; what is out of sight is only counted."""

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from edged.cli import alarm_list
from tests.edged.core.room import calm_room


def alarm(name: str, **more: Any) -> dict[str, Any]:
    """As the status tells it."""
    condition, _, at = name.partition(" ")
    alarm = {"alarm": name, "condition": condition, "at": at, "severity": "alarm", "for_s": 12.0}
    response = {"say": "Call the provider of this line.", "who": "NOC", "by_s": 900.0}
    standing = {"acknowledged": False, "shelved_for_s": None, "suppressed": False, "flapping": False}
    return {**alarm, **response, **standing, "incident": None, "symptoms": 0, **more}


def text(shown: RenderableType) -> list[str]:
    console = Console(file=io.StringIO(), width=112)
    console.print(shown)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def long(*listed: dict[str, Any]) -> list[str]:
    return text(alarm_list.alarms({"alarms": list(listed)}))


def short(*listed: dict[str, Any]) -> str:
    return " ".join(text(alarm_list.alarms_in_short({"alarms": list(listed)})))


def test_an_alarm_is_one_line_with_its_response() -> None:
    assert long(alarm("link.down fiber"), alarm("phone.unreachable ct-1", symptoms=2)) == [
        " NOW    link.down fiber 12 s  Call the provider of this line. NOC",
        "        phone.unreachable ct-1 12 s +2  Call the provider of this line. NOC",
    ]


@pytest.mark.parametrize(
    ("more", "head"),
    [
        ({}, "link.down fiber 12 s"),
        ({"symptoms": 3}, "link.down fiber 12 s +3"),
        ({"flapping": True}, "link.down fiber 12 s flapping"),
        ({"acknowledged": True}, "link.down fiber 12 s acknowledged"),
    ],
)
def test_what_stands_about_an_alarm_is_said_beside_its_name(more: dict[str, Any], head: str) -> None:
    assert short(alarm("link.down fiber", **more)) == f" NOW    {head}"


@pytest.mark.parametrize("more", [{"shelved_for_s": 600.0}, {"suppressed": True}])
def test_what_is_shelved_or_made_by_a_drill_is_only_counted(more: dict[str, Any]) -> None:
    listed = (alarm("link.down fiber"), alarm("link.degraded cellular", **more))
    assert short(*listed) == " NOW    link.down fiber 12 s · 1 out of sight"
    assert long(*listed)[1:] == ["        1 shelved or made by the drill"]


def test_of_many_the_last_are_counted() -> None:
    assert long(*(alarm(f"link.down l{n}") for n in range(9)))[5:] == ["        4 more: edgectl alarms"]


def test_without_an_alarm_nothing_is_said() -> None:
    assert [*long(), short()] == [""]


def test_the_status_of_the_judge_is_what_is_read() -> None:
    told: Any = calm_room().phone(False).wait(40).doc()
    assert set(told["alarms"][0]) == set(alarm("x y"))
