"""What each kind of Peplink says, and what is made of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wan.routers import (
    BALANCE_20X,
    PEPLINK,
    PEPWAVE,
    UPTIME,
    WANS,
    gateway_of,
    health_of,
    interfaces,
    look,
    peplink,
    state_of,
)
from wan.ifmib import IF_HC_IN
from wan.peplink import PROFILE
from wan.profile import WanHint
from wan.reading import WanState
from wan.varbinds import Oid, Value, oid

IF_MIB = interfaces("lo", "lan0", "wan0", "wan1")
TWO = {0: WANS[0], 1: WANS[1]}


def test_a_balance_20x_numbers_its_wans_from_0_and_tells_its_model_in_sys_descr() -> None:
    seen = look(PROFILE, IF_MIB | BALANCE_20X)
    assert [(wan.wan, wan.name, wan.state) for wan in seen.wans] == [
        ("0", "WAN", WanState.CONNECTED),
        ("1", "Cellular", WanState.STANDBY),
        ("2", "Mobile Internet", WanState.DISCONNECTED),
        ("3", "Wi-Fi WAN on 2.4 GHz", WanState.DISABLED),
        ("4", "Wi-Fi WAN on 5 GHz", WanState.DISABLED),
        ("5", "VLAN WAN 1", WanState.DISABLED),
    ]
    assert [wan.signal_dbm for wan in seen.wans] == [None, -71, None, None, None, None]
    assert [wan.healthy for wan in seen.wans] == [True, True, False, False, False, False]
    assert (seen.model, seen.firmware, seen.uptime_s) == ("Peplink Balance 20X", None, 5083.0)


def test_only_the_wans_of_the_settings_are_watched_and_by_their_names() -> None:
    hints = {"0": WanHint(name="fiber", interface="wan0"), "1": WanHint(name="cellular", interface="WAN1")}
    seen = look(PROFILE, IF_MIB | BALANCE_20X, hints)
    assert [(wan.wan, wan.name, wan.counters and wan.counters.interface) for wan in seen.wans] == [
        ("0", "fiber", 3),
        ("1", "cellular", 4),
    ]


def test_a_wan_the_router_lacks_is_unknown_and_said_to_be_absent() -> None:
    seen = look(PROFILE, IF_MIB | BALANCE_20X, {"0": WanHint(), "9": WanHint(name="satellite")})
    assert [(wan.name, wan.state, wan.present) for wan in seen.wans] == [
        ("WAN", WanState.CONNECTED, True),
        ("satellite", WanState.UNKNOWN, False),
    ]


def test_wans_find_their_counters_by_order_if_the_numbers_match() -> None:
    assert [wan.counters and wan.counters.interface for wan in look(PROFILE, IF_MIB | peplink(TWO)).wans] == [3, 4]
    assert {wan.counters for wan in look(PROFILE, IF_MIB | BALANCE_20X).wans} == {None}


def test_max_models_with_the_other_branch_are_read_alike() -> None:
    seen = look(PROFILE, IF_MIB | peplink(TWO, PEPWAVE))
    assert [(wan.wan, wan.state, wan.gateway) for wan in seen.wans] == [
        ("0", WanState.CONNECTED, "100.64.1.1"),
        ("1", WanState.STANDBY, "0.0.0.0"),
    ]


def test_the_device_branch_is_used_where_it_exists() -> None:
    device: dict[Oid, Value] = {
        (*PEPLINK, *oid("200.1.1.1.1.1.0")): b"Balance 580X",
        (*PEPLINK, *oid("200.1.1.1.1.2.0")): b"2930-0000-0000",
        (*PEPLINK, *oid("200.1.1.1.1.3.0")): b"8.5.1 build 5531",
    }
    seen = look(PROFILE, IF_MIB | peplink(TWO) | device)
    assert (seen.model, seen.firmware) == ("Balance 580X", "8.5.1 build 5531")
    balance: dict[Oid, Value] = {(*PEPLINK, *oid("1.1.1.1.0")): b"6.3.0 build 2100"}
    assert look(PROFILE, IF_MIB | peplink(TWO) | balance).firmware == "6.3.0 build 2100"


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (0, WanState.UNKNOWN),
        (1, WanState.DISABLED),
        (2, WanState.DISCONNECTED),
        (3, WanState.CONNECTED),
        (4, WanState.CONNECTING),
        (5, WanState.CONNECTING),
        (6, WanState.HEALTH_CHECK_FAILED),
        (7, WanState.DISCONNECTED),
        (8, WanState.STANDBY),
        (9, WanState.UNKNOWN),
        (-1, WanState.UNKNOWN),
        (b"3", WanState.UNKNOWN),
        ("3", WanState.UNKNOWN),
    ],
)
def test_every_state_number_has_a_meaning(told: Value, state: WanState) -> None:
    assert look(PROFILE, IF_MIB | peplink(TWO) | {state_of(0): told}).wans[0].state is state


@pytest.mark.parametrize(("told", "healthy"), [(0, False), (1, True), (2, None), (-1, None), (b"", None), (None, None)])
def test_health_is_unknown_unless_told(told: Value, healthy: bool | None) -> None:
    assert look(PROFILE, IF_MIB | peplink(TWO) | {health_of(0): told}).wans[0].healthy is healthy


def test_a_poll_asks_only_what_was_found_and_nothing_of_disabled_wans() -> None:
    found = IF_MIB | BALANCE_20X
    del found[gateway_of(1)]
    asked = set(PROFILE.plan(found, {}).fast)
    assert asked == {UPTIME} | {state_of(wan) for wan in (0, 1, 2)} | {health_of(wan) for wan in (0, 1, 2)} | {
        gateway_of(wan) for wan in (0, 2)
    }
    assert len(PROFILE.plan(IF_MIB | peplink(TWO), {}).fast) == 13


def test_a_router_without_the_wan_table_is_only_its_uptime() -> None:
    seen = look(PROFILE, {UPTIME: 100})
    assert (seen.wans, seen.uptime_s, seen.model) == ((), 1.0, None)


def test_a_direction_that_is_not_told_leaves_no_counters() -> None:
    view: dict[Oid, Value] = IF_MIB | peplink(TWO)
    view[(*IF_HC_IN, 3)] = None
    assert [wan.counters is None for wan in look(PROFILE, view).wans] == [True, False]


ROOTS = st.sampled_from([(*PEPLINK, *oid("2.1.2.1")), *PROFILE.survey, IF_HC_IN])
OIDS = st.builds(lambda root, rest: (*root, *rest), ROOTS, st.lists(st.integers(0, 6), max_size=4).map(tuple))
VALUES = st.one_of(st.none(), st.integers(), st.binary(max_size=20), st.ip_addresses(v=4).map(str))


@given(st.dictionaries(OIDS, VALUES, max_size=40), st.sets(st.sampled_from("0123")))
def test_no_answer_whatsoever_raises(view: dict[Oid, Value], wans: set[str]) -> None:
    seen = look(PROFILE, view, {wan: WanHint(interface="wan0") for wan in wans})
    assert not wans or {wan.wan for wan in seen.wans} == wans
