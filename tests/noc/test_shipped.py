"""Dashboard and alerts as they are shipped: they parse, and know only what the consumer measures."""

import json
import re
from typing import Any

import pytest
import yaml
from edge_noc.figures import Figures, Health
from edge_noc.intake import Intake

from edged.core.conditions import BY_NAME
from tests.noc.conftest import KIT

METRIC = re.compile(r"\bedged_[a-z_]+\b")
SELECTOR = re.compile(r"(edged_noc_[a-z_]+)\{([^}]*)\}")
CONDITIONS = re.compile(r'name=~?"([^"]*)"')
LABEL = re.compile(r"(\w+)\s*=~?\s*\"")
OWN_LABELS = {"tenant", "site"}

RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((KIT / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
BOARD: dict[str, Any] = json.loads((KIT / "grafana-dashboard.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in BOARD["panels"] if panel["type"] != "row"]


def measured() -> dict[str, set[str]]:
    """Metric and its labels, as Prometheus has them."""
    families = Figures(Intake("a"), Health(commit_s=0.1), lambda: 0.0).families()
    names = (
        (f"{each.name}_total" if each.type == "counter" else each.name, set(each._labelnames)) for each in families
    )
    return dict(names)


def expressions() -> list[tuple[str, str]]:
    alerts = [(rule["alert"], rule["expr"]) for rule in RULES]
    panels = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
    choices = [(each["name"], each["definition"]) for each in BOARD["templating"]["list"] if "definition" in each]
    return [*alerts, *panels, *choices]


@pytest.mark.parametrize(("where", "expression"), expressions(), ids=lambda value: str(value)[:40])
def test_what_is_looked_at_is_measured(where: str, expression: str) -> None:
    known = measured()
    assert set(METRIC.findall(expression)) <= set(known)
    for metric, selectors in SELECTOR.findall(expression):
        assert set(LABEL.findall(selectors)) <= known[metric], f"{where}: {metric}"


def test_everything_measured_is_looked_at_somewhere() -> None:
    looked_at = {metric for _, expression in expressions() for metric in METRIC.findall(expression)}
    assert looked_at == set(measured())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_bad_for_how_long_and_one_thing_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    summary = rule["annotations"]["summary"]
    assert re.fullmatch(r"[A-Z][^.]*(\.py[^.]*)?\.", re.sub(r"\{\{.*?\}\}", "x", summary)), summary
    assert len(summary) <= 140


def test_alerts_name_conditions_the_box_knows() -> None:
    named = [name for rule in RULES for names in CONDITIONS.findall(rule["expr"]) for name in names.split("|")]
    assert named
    assert set(named) <= set(BY_NAME)


def test_what_must_wake_somebody_does() -> None:
    severity = {rule["alert"]: (rule["labels"]["severity"], rule["for"]) for rule in RULES}
    assert severity["EdgeTier4"] == ("page", "0s")
    assert {name for name, (how, _) in severity.items() if how == "page"} >= {
        "EdgeTier3",
        "EdgeSiteSilent",
        "EdgeOnBattery",
    }
    assert severity["EdgeGapOpen"][1] == "10m"


def test_the_dashboard_can_be_imported() -> None:
    assert (BOARD["title"], BOARD["uid"]) == ("edged: sites", "edged-noc")
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    sources = {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]}
    assert sources == {"${source}"}  # chosen when it is looked at: nothing of ours is in it


def test_no_panel_covers_another() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in BOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
