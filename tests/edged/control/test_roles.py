import grp
import os
import socket

import pytest

from edged.control.roles import NEEDED, Role, RoleSettings, caller_of, role_of

A_GROUP = grp.getgrgid(os.getgid()).gr_name
OTHER_UID = 54_321


@pytest.mark.parametrize(
    ("settings", "role"),
    [
        (RoleSettings(view=(A_GROUP,), operate=(), admin=()), Role.VIEW),
        (RoleSettings(view=(A_GROUP,), operate=(A_GROUP,), admin=()), Role.OPERATE),
        (RoleSettings(view=(), operate=(), admin=(A_GROUP,)), Role.ADMIN),
        (RoleSettings(view=(), operate=(), admin=()), Role.NONE),
        (RoleSettings(view=("no-such-group-here",), operate=(), admin=()), Role.NONE),
    ],
)
def test_h2_the_highest_role_of_any_group_counts(settings: RoleSettings, role: Role) -> None:
    assert role_of(OTHER_UID, {os.getgid()}, settings) is role


def test_root_and_the_daemons_own_account_are_admin() -> None:
    nobody = RoleSettings(view=(), operate=(), admin=())
    assert role_of(0, set(), nobody) is Role.ADMIN
    assert role_of(os.geteuid(), set(), nobody) is Role.ADMIN


def test_h2_the_kernel_says_who_is_at_the_other_end() -> None:
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        caller = caller_of(here, RoleSettings())
    assert caller.uid == os.geteuid()
    assert caller.role is Role.ADMIN


def test_h2_whatever_changes_something_needs_more_than_view() -> None:
    assert {do for do, role in NEEDED.items() if role is Role.VIEW} == {
        "status",
        "events",
        "watch",
        "incidents",
        "incident",
    }
