from copy import deepcopy
from typing import Any

import pytest

from bench.footprint import not_well

WELL: dict[str, Any] = {
    "tier": {"tier": 0},
    "unwatched": [],
    "blind": [],
    "links": [{"link": "fiber", "verdict": "up"}, {"link": "cellular", "verdict": "up"}],
    "router": {"answering": True},
    "ups": [{"contact": "ok"}, {"contact": "ok"}],
    "qos": [{"state": "active"}, {"state": "active"}],
    "phone": {"reachable": True},
    "broker": {"connected": True},
    "media": {"streams": [{"live": True}] * 4},
}


def test_a_site_where_all_is_well_lacks_nothing() -> None:
    assert not_well(WELL) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tier": {"tier": 1}}, "tier 0"),
        ({"unwatched": ["phone"]}, "all configured"),
        ({"links": [{"link": "fiber", "verdict": "unknown"}]}, "links up"),
        ({"router": None}, "the router"),
        ({"ups": [{"contact": "ok"}]}, "both UPSes"),
        ({"qos": []}, "QoS"),
        ({"phone": {"reachable": False}, "broker": {"connected": False}}, "the phone, the broker"),
        ({"media": {"streams": [{"live": True}] * 3}}, "3 of 4 media streams flow"),
        ({"media": None}, "0 of 4 media streams flow"),
    ],
)
def test_what_is_not_well_is_named(change: dict[str, Any], said: str) -> None:
    assert not_well({**deepcopy(WELL), **change}) == said
