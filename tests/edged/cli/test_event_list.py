"""What was recorded, each event with what tells it from the next one of its kind."""

import json
from pathlib import Path
from typing import Any

import pytest

from edged.cli import event_list
from tests.edged.cli.site_desk import site
from tests.edged.cli.test_link_board import text
from tests.edged.core.room import calm_room


def recorded(kind: str, sequence: int = 7, tier: int = 0, **data: Any) -> dict[str, Any]:
    time = "2026-01-01T10:00:00.123Z"
    return {"event": {"type": f"edge.{kind}.v1", "sequence": str(sequence), "tier": tier, "time": time, "data": data}}


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        (
            "timer.started",
            {"timer": "phone", "room": "ct-1", "due_in_s": 120.0},
            "room=ct-1  timer=phone  due_in_s=120",
        ),
        (
            "act.shelved",
            {"act": "shelved", "subject": "link.down fiber", "for_s": 1800.0, "actor": "tech", "reason": "nuisance"},
            "act=shelved  subject=link.down fiber  for_s=1800  actor=tech  reason=nuisance",
        ),
        (
            "session.answered",
            {"room": "ct-1", "session": "s-1", "response_s": 75.2, "response_class": "late"},
            "room=ct-1  session=s-1  response_s=75.2  response_class=late",
        ),
        (
            "act.held",
            {"act": "held", "reason": "degraded", "by_connectivity": True, "session": None},
            "act=held  reason=degraded  by_connectivity=True",
        ),
        (
            "av.seconds",
            {"room": "ct-1", "av": "YYNNUUYYYY", "seconds": 10},
            "room=ct-1  seconds=10  av=YYNNUUYYYY",
        ),
        ("source.failed", {"source": "router", "error": "WanTimeout"}, "error=WanTimeout  source=router"),
        ("act.held", {"act": "held", "by_connectivity": False}, "act=held  by_connectivity=False"),
        (
            "tier.entered",
            {"row": "t2.failover", "previous": 0, "drill": True},
            "row=t2.failover  previous=0  drill=True",
        ),
        ("tier.entered", {"row": "t2.failover", "previous": 0, "drill": False}, "row=t2.failover  previous=0"),
        ("alarm.raised", {"alarm": "link.down fiber", "incident": 2}, "incident=2  alarm=link.down fiber"),
        ("link.down.raised", {"at": "fiber", "incident": 12, "source": "x"}, "incident=12  at=fiber"),
    ],
)
def test_of_an_event_what_tells_it_apart(kind: str, data: dict[str, Any], says: str) -> None:
    shown = text(event_list.events([recorded(kind, **data)]), width=160)
    assert shown.rstrip().endswith(f" {kind}  {says}")


def test_a_long_event_is_told_whole_and_takes_no_column_from_the_others() -> None:
    data = {"row": "t5.contrast_given", "room": "ct-1", "cause": "remote_or_application", "session": "s-" + 60 * "7"}
    shown = text(event_list.events([recorded("tier.entered", 4711, 4, **data)]), width=80)
    assert "4711  2026-01-01 10:00:00.123   4    tier.entered" in shown
    assert "".join(shown.split()).count("7") >= 60 + 1
    assert "…" not in shown


def test_proof_that_comes_by_itself_does_not_push_the_rest_out(tmp_path: Path) -> None:
    seconds = [recorded("av.seconds", sequence) for sequence in range(40)]
    listed = [recorded("tier.entered", 100, 3), *seconds, recorded("ledger.checkpoint", 200), recorded("act.held", 300)]
    with site(calm_room(), tmp_path, recorded=[each["event"] for each in listed]) as ctl:
        few, everything, told = (ctl("events", "-n", "5", *words)[1] for words in ((), ("--all",), ("--json",)))
    assert "tier.entered" in few
    assert "act.held" in few
    assert "av.seconds" not in few
    assert "av.seconds" in everything
    assert "tier.entered" not in everything
    assert len(json.loads(told)) == 5
