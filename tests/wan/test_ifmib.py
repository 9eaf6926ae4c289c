import pytest

from tests.wan.routers import interfaces
from wan.ifmib import IF_ALIAS, assign
from wan.profile import Hints, WanHint
from wan.varbinds import Oid, Value

TWO = {"0": "WAN", "1": "Cellular"}


@pytest.mark.parametrize(
    ("names", "hints", "found"),
    [
        pytest.param(("lo", "wan0", "wan1"), {}, [2, 3], id="by order"),
        pytest.param(("lo", "wan0", "wan1", "wan2"), {}, [None, None], id="by order, but three for two"),
        pytest.param(("wan", "lo", "cellular"), {}, [1, 3], id="by the WAN's own name"),
        pytest.param(("wan0", "cellular", "wan1"), {}, [1, 2], id="by name before order"),
        pytest.param(("eth0", "eth1"), {"0": WanHint(interface="ETH1")}, [2, None], id="by ifName in the settings"),
        pytest.param(("eth0", "eth1"), {"0": WanHint(interface="descr of eth1")}, [2, None], id="by ifDescr"),
        pytest.param(("eth0", "eth1"), {"1": WanHint(if_index=1)}, [None, 1], id="by ifIndex in the settings"),
        pytest.param(("eth0", "eth1"), {"1": WanHint(if_index=3)}, [None, None], id="an ifIndex that is not there"),
        pytest.param(("wan0", "wan1"), {"0": WanHint(interface="eth9")}, [None, 2], id="a name that is not there"),
        pytest.param(("eth0", "eth0"), {"0": WanHint(interface="eth0")}, [None, None], id="a name that two have"),
    ],
)
def test_each_wan_finds_its_interface_or_none(names: tuple[str, ...], hints: Hints, found: list[int | None]) -> None:
    assert list(assign(TWO, hints, interfaces(*names)).values()) == found


def test_an_alias_names_an_interface_too() -> None:
    view: dict[Oid, Value] = interfaces("eth0", "eth1") | {(*IF_ALIAS, 2): b"fiber to the provider"}
    assert assign({"0": "WAN"}, {"0": WanHint(interface="Fiber to the provider")}, view) == {"0": 2}
