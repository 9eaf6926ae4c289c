"""Where a path dies: one row a case, and the rule that says so."""

from typing import Any

import pytest

from probes.diagnosis.where import RULES, Sight, where
from probes.line_reading import DiesAt as D
from probes.path_document import Why as W

R, P, C = "10.77.0.1", "100.64.1.1", "172.31.0.2"
NAMES = {"seen": "routers", "at": "refused_at", "by": "refused_by", "alive": "neighbour_alive"}

CASES: tuple[tuple[str, dict[str, Any], D, W], ...] = (
    ("all is well", {"target_answers": True, "seen": (R, P, C)}, D.NOWHERE, W.TARGET_ANSWERS),
    ("well, though no router answers", {"target_answers": True}, D.NOWHERE, W.TARGET_ANSWERS),
    ("well, though some packets were refused", {"target_answers": True, "at": 1}, D.NOWHERE, W.TARGET_ANSWERS),
    ("the box would not send", {"sent": False}, D.LAN, W.NOT_SENT),
    ("cable to the router pulled", {"alive": False}, D.LAN, W.NEIGHBOUR_SILENT),
    ("nothing, and the router could not be asked", {}, D.LAN, W.NEIGHBOUR_SILENT),
    ("router forwards nothing and says nothing", {"alive": True}, D.ROUTER, W.NEIGHBOUR_ALONE),
    ("router has no way on and says so", {"seen": (None,), "at": 1}, D.ROUTER, W.ROUTER_REFUSES),
    ("fiber cut behind the router", {"seen": (R, None)}, D.ROUTER, W.NOTHING_BEHIND_ROUTER),
    ("the same, with a usual path", {"seen": (R,), "usual": (R, P, C)}, D.ROUTER, W.NOTHING_BEHIND_ROUTER),
    ("cut behind the provider's first router", {"seen": (R, P, None)}, D.PROVIDER, W.LOST_ON_THE_WAY),
    ("a provider's router, ours silent", {"seen": (None, P)}, D.PROVIDER, W.LOST_ON_THE_WAY),
    ("the provider refuses", {"seen": (R, P), "at": 2, "by": P}, D.PROVIDER, W.REFUSED_ON_THE_WAY),
    ("a circle", {"seen": (R, P, C, P, C, P, C)}, D.PROVIDER, W.LOOP),
    ("one router at two places is no circle", {"seen": (R, P, P)}, D.PROVIDER, W.LOST_ON_THE_WAY),
    ("last router answers as usual", {"seen": (R, P, C), "usual": (R, P, C)}, D.FAR_END, W.USUAL_PATH_ANSWERS),
    ("one in between fell silent", {"seen": (R, None, C), "usual": (R, P, C)}, D.FAR_END, W.USUAL_PATH_ANSWERS),
    ("last router says so", {"seen": (R, P), "at": 3, "by": C, "usual": (R, P, C)}, D.FAR_END, W.USUAL_PATH_ANSWERS),
    ("a usual path that ends in silence", {"seen": (R, P), "usual": (R, P, None)}, D.PROVIDER, W.LOST_ON_THE_WAY),
    ("a usual path of one router", {"seen": (R,), "usual": (R,)}, D.ROUTER, W.NOTHING_BEHIND_ROUTER),
    ("a modem of our own, silence", {"has_router": False}, D.PROVIDER, W.LINE_SILENT),
    ("a modem of our own, first hop answers", {"has_router": False, "seen": (P,)}, D.PROVIDER, W.LOST_ON_THE_WAY),
    ("a modem of our own, first hop refuses", {"has_router": False, "at": 1}, D.PROVIDER, W.REFUSED_ON_THE_WAY),
    ("target on our network, gone", {"on_link": True, "alive": False}, D.LAN, W.NEIGHBOUR_SILENT),
    ("target on our network, deaf", {"on_link": True, "alive": True}, D.FAR_END, W.TARGET_SILENT),
)  # fmt: skip


@pytest.mark.parametrize(("sight", "dies_at", "why"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_where_it_dies(sight: dict[str, Any], dies_at: D, why: W) -> None:
    assert where(
        Sight(**{"target_answers": False} | {NAMES.get(name, name): value for name, value in sight.items()})
    ) == (dies_at, why)


def test_every_rule_has_a_case() -> None:
    assert {(dies_at, why) for _, dies_at, why in RULES} == {case[2:] for case in CASES}
    assert {why for _, _, why in RULES} == set(W)
