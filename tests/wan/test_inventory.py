from collections.abc import Mapping

from tests.wan.routers import UPTIME, WANS, gateway_of, interfaces, peplink, state_of
from wan.ifmib import SYS_UPTIME
from wan.inventory import Inventory
from wan.peplink import PROFILE
from wan.profile import WanHint
from wan.reading import WanState
from wan.varbinds import Oid, Value

FOUND: dict[Oid, Value] = interfaces("lo", "wan0", "wan1") | peplink({0: WANS[0], 1: WANS[1]})


def surveyed() -> Inventory:
    inventory = Inventory(PROFILE, {})
    inventory.learn(dict(FOUND))
    return inventory


def answer(inventory: Inventory, changes: Mapping[Oid, Value]) -> dict[Oid, Value]:
    said = FOUND | dict(changes)
    return {at: said.get(at) for at in inventory.fast}


def test_before_the_first_survey_it_asks_for_the_uptime_alone() -> None:
    inventory = Inventory(PROFILE, {})
    assert (inventory.is_new, inventory.fast) == (True, (SYS_UPTIME,))


def test_a_survey_names_the_wans_of_the_settings_that_are_not_there() -> None:
    inventory = Inventory(PROFILE, {"0": WanHint(), "7": WanHint()})
    assert inventory.learn(dict(FOUND)) == ("7",)
    assert not inventory.is_new


def test_a_poll_goes_over_the_survey() -> None:
    inventory = surveyed()
    seen = inventory.decode(answer(inventory, {state_of(0): 6, UPTIME: 600_000}))
    assert [wan.state for wan in seen.wans] == [WanState.HEALTH_CHECK_FAILED, WanState.STANDBY]
    assert [wan.signal_dbm for wan in seen.wans] == [None, -71]  # from the survey
    assert seen.uptime_s == 6000


def test_what_a_poll_was_not_given_is_unknown_and_not_asked_again() -> None:
    inventory = surveyed()
    asked = set(inventory.fast)
    for _ in range(2):
        seen = inventory.decode(answer(inventory, {state_of(0): None, gateway_of(0): None}))
        assert (seen.wans[0].state, seen.wans[0].gateway) == (WanState.UNKNOWN, None)
        assert asked - set(inventory.fast) == {state_of(0), gateway_of(0)}
    inventory.learn(dict(FOUND))
    assert set(inventory.fast) == asked


def test_it_is_outdated_once_the_router_started_again() -> None:
    inventory = surveyed()
    assert not inventory.outdated_by(answer(inventory, {UPTIME: 5}))  # nothing to compare with yet
    inventory.decode(answer(inventory, {}))
    assert not inventory.outdated_by(answer(inventory, {UPTIME: 508_300}))
    assert not inventory.outdated_by(answer(inventory, {UPTIME: 508_400}))
    assert inventory.outdated_by(answer(inventory, {UPTIME: 508_299}))


def test_it_is_outdated_once_something_is_gone_but_not_by_what_was_never_there() -> None:
    inventory = surveyed()
    inventory.decode(answer(inventory, {gateway_of(1): None}))
    assert not inventory.outdated_by(answer(inventory, {}))
    assert inventory.outdated_by(answer(inventory, {gateway_of(0): None}))


def test_what_a_survey_no_longer_finds_does_not_outdate_it() -> None:
    inventory = surveyed()
    inventory.decode(answer(inventory, {}))
    inventory.learn(interfaces("lo", "wan0", "wan1") | peplink({0: WANS[0]}))
    assert state_of(1) not in inventory.fast
    assert not inventory.outdated_by(answer(inventory, {}))


def test_a_router_that_says_nothing_at_all_is_still_asked_for_its_uptime() -> None:
    inventory = surveyed()
    seen = inventory.decode(dict.fromkeys(inventory.fast))
    assert (seen.uptime_s, inventory.fast) == (None, (SYS_UPTIME,))
    assert {wan.state for wan in seen.wans} == {WanState.UNKNOWN}
