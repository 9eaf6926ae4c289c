"""Phone and mobile workstation, as far as they can be trusted when the lines are gone (C1, C3, rule 12)."""

from dataclasses import replace

import pytest

from edged.core import fallback
from edged.core.observations import Act
from edged.core.plan import PhonePlan, Plan
from probes.reading import Verdict
from tests.edged.core.room import SITE, Room, calm_room
from ups.reading import Power


def with_phone(**known: tuple[str, ...]) -> Plan:
    return replace(SITE, phones={"": PhonePlan(**known)})


def phone(room: Room) -> bool | None:
    return fallback.phone(room.plan, room.state, "room")


# ── C1: the line, in its levels ──
@pytest.mark.parametrize(
    ("reachable", "registered", "counts", "conditions"),
    [
        (True, None, True, set()),
        (True, True, True, set()),
        (False, None, False, {"phone.unreachable"}),
        (False, False, False, {"phone.unreachable", "phone.unregistered"}),
        (None, None, None, set()),
    ],
)
def test_c1_the_line_counts_while_it_answers_and_is_registered_and_each_failure_has_its_alarm(
    reachable: bool | None, registered: bool | None, counts: bool | None, conditions: set[str]
) -> None:
    room = calm_room().phone(reachable, registered=registered).wait(2)
    assert phone(room) is counts
    assert {name for name, _ in room.state.conditions if name.startswith("phone.")} == conditions


def test_c1_l5_a_line_that_answers_proves_nobody_at_it_only_a_person_attests_that() -> None:
    room = calm_room().phone(True, registered=True).media(audio=False, video=False)
    assert room.wait(121).state.tier == 4
    spoken = calm_room().media(audio=False, video=False).wait(10).act(Act.PHONE_CONFIRMED).wait(121)
    assert spoken.state.tier == 3
    assert spoken.last("act.phone_confirmed").data["actor"] == "tech"


def test_c1_attested_no_contact_counts_though_the_line_answers() -> None:
    room = calm_room().phone(True, registered=True).media(audio=False, video=False).wait(4).act(Act.PHONE_FAILED)
    assert room.state.tier == 4
    assert room.last("tier.entered").data["row"] == "t4.no_contact"


# ── rule 12: shared fate ──
@pytest.mark.parametrize(
    ("known", "shared"),
    [
        ({}, ()),
        ({"rides_on": ("fiber",)}, ("link:fiber",)),
        ({"rides_on": ("fiber", "cellular")}, ("link:fiber", "link:cellular")),
        ({"fed_by": ("network",)}, ("ups:network",)),
        ({"rides_on": ("copper",), "fed_by": ("workstation",)}, ()),
        ({"rides_on": ("fiber",), "fed_by": ("network",)}, ("link:fiber", "ups:network")),
    ],
)
def test_rule12_a_phone_on_a_line_or_ups_of_the_session_is_flagged_and_never_counted_as_surviving(
    known: dict[str, tuple[str, ...]], shared: tuple[str, ...]
) -> None:
    room = calm_room(with_phone(**known)).wait(1)
    assert fallback.shares(room.plan, "room") == shared
    assert (("phone.shared_fate", "room") in room.state.conditions) is bool(shared)
    assert phone(room) is (None if shared else True)
    assert phone(room.phone(False)) is False, "dead is dead, whatever it shares"


def test_rule12_a_phone_whose_every_line_is_down_is_proven_dead_whatever_it_last_said() -> None:
    room = calm_room(with_phone(rides_on=("fiber",))).link("fiber", Verdict.DOWN)
    assert phone(room) is False
    both = calm_room(with_phone(rides_on=("fiber", "cellular"))).link("fiber", Verdict.DOWN)
    assert phone(both) is None
    assert phone(both.link("cellular", Verdict.DOWN)) is False


def test_rule12_t4_with_both_lines_cut_a_phone_on_one_of_them_is_tier_4_at_once() -> None:
    room = calm_room(with_phone(rides_on=("fiber",))).media(audio=False, video=False)
    room.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN)
    assert room.seconds_to(4, within_s=4) <= 3.5
    assert room.last("tier.entered").data["row"] == "t4.phone_dead"


def test_rule12_a_line_of_its_own_survives_the_same_cut() -> None:
    room = calm_room(with_phone()).media(audio=False, video=False)
    room.link("fiber", Verdict.DOWN).link("cellular", Verdict.DOWN).wait(10)
    assert room.state.tier == 3


def test_rule12_rule14_a_phone_on_the_ups_of_the_workstation_does_not_share_the_network_s_power() -> None:
    room = calm_room(with_phone(fed_by=("workstation",))).ups("workstation", Power.OFF)
    assert phone(room) is True


# ── C3: the mobile workstation ──
BACKUP = (SITE.links[0], replace(SITE.links[1], mcc_mnc="311-480", asn=6167))
MOBILE = replace(SITE, links=BACKUP, has_mobile=True)


@pytest.mark.parametrize(
    ("heard", "mcc_mnc", "asn", "diverse", "condition"),
    [
        (True, "310-260", 21928, True, None),
        (True, "311-480", 21928, False, "mobile.same_carrier"),
        (True, "310-260", 6167, False, "mobile.same_carrier"),
        (True, None, None, None, None),
        (False, "310-260", 21928, None, "mobile.silent"),
        (None, "310-260", 21928, None, None),
    ],
)
def test_c3_the_mobile_workstation_must_be_heard_and_on_another_carrier_than_the_failover(
    heard: bool | None, mcc_mnc: str | None, asn: int | None, diverse: bool | None, condition: str | None
) -> None:
    room = calm_room(MOBILE).mobile(heard, mcc_mnc=mcc_mnc, asn=asn).wait(1)
    assert fallback.mobile_is_diverse(room.plan, room.state) is diverse
    assert {name for name, _ in room.state.conditions if name.startswith("mobile.")} == {condition} - {None}


def test_c3_every_backup_line_has_to_be_on_another_carrier() -> None:
    third = replace(BACKUP[1], name="satellite", mcc_mnc="310-260", asn=14593)
    room = calm_room(MOBILE).mobile(mcc_mnc="310-260", asn=21928)
    assert fallback.mobile_is_diverse(replace(MOBILE, links=(*BACKUP, third)), room.state) is False
    unknown = replace(third, mcc_mnc=None, asn=None)
    assert fallback.mobile_is_diverse(replace(MOBILE, links=(*BACKUP, unknown)), room.state) is None
