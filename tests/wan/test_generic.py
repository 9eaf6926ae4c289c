import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wan.routers import interfaces, look
from wan.generic import PROFILE
from wan.ifmib import IF_OPER_STATUS
from wan.profile import Counters, WanHint
from wan.reading import WanState
from wan.varbinds import Oid, Value

IF_MIB = interfaces("lo", "lan0", "eth1", "wwan0")
HINTS = {"fiber": WanHint(interface="eth1"), "cellular": WanHint(name="LTE", if_index=4)}


def test_the_settings_name_the_wans_and_the_router_their_state_and_bytes() -> None:
    seen = look(PROFILE, IF_MIB | {(*IF_OPER_STATUS, 4): 2}, HINTS)
    assert [(wan.wan, wan.name, wan.state, wan.counters) for wan in seen.wans] == [
        ("fiber", "fiber", WanState.CONNECTED, Counters(3000, 6000, interface=3, discontinuity_ticks=0)),
        ("cellular", "LTE", WanState.DISCONNECTED, Counters(4000, 8000, interface=4, discontinuity_ticks=0)),
    ]
    assert {(wan.healthy, wan.signal_dbm, wan.gateway) for wan in seen.wans} == {(None, None, None)}
    assert (seen.model, seen.firmware) == ("Peplink Balance 20X", None)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (1, WanState.CONNECTED),
        (2, WanState.DISCONNECTED),
        (3, WanState.UNKNOWN),
        (4, WanState.UNKNOWN),
        (5, WanState.STANDBY),
        (6, WanState.DISCONNECTED),
        (7, WanState.DISCONNECTED),
        (0, WanState.UNKNOWN),
        (b"\x01", WanState.UNKNOWN),
        (None, WanState.UNKNOWN),
    ],
)
def test_every_oper_status_has_a_meaning(told: Value, state: WanState) -> None:
    assert look(PROFILE, IF_MIB | {(*IF_OPER_STATUS, 3): told}, HINTS).wans[0].state is state


def test_an_interface_the_router_lacks_is_unknown_and_said_to_be_absent() -> None:
    seen = look(PROFILE, IF_MIB, {"fiber": WanHint(interface="eth7"), "cellular": WanHint(if_index=99)})
    assert {(wan.state, wan.present, wan.counters) for wan in seen.wans} == {(WanState.UNKNOWN, False, None)}


def test_a_poll_asks_nine_oids_for_two_wans() -> None:
    assert len(PROFILE.plan(IF_MIB, HINTS).fast) == 9


OIDS = st.builds(
    lambda root, index: (*root, index), st.sampled_from([*PROFILE.survey, IF_OPER_STATUS]), st.integers(0, 4)
)


@given(st.dictionaries(OIDS, st.one_of(st.none(), st.integers(), st.binary(max_size=20)), max_size=20))
def test_no_answer_whatsoever_raises(view: dict[Oid, Value]) -> None:
    assert [wan.wan for wan in look(PROFILE, view, HINTS).wans] == ["fiber", "cellular"]
