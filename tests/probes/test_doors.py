"""Two exits → one door, two, or not to be said."""

import pytest

from probes.doors import same_door
from probes.line_reading import ExitReading

ROUTER = "10.77.0.1"
Exit = tuple[str | None, tuple[str | None, ...]]


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        # address as the world sees it, hops from the nearest
        (("100.64.1.2", (ROUTER, "100.64.1.1")), ("100.64.2.2", (ROUTER, "100.64.2.1")), False),
        (("100.64.1.2", (ROUTER, "100.64.1.1")), ("100.64.1.2", (ROUTER, "100.64.1.1")), True),
        (
            ("100.64.1.2", (ROUTER, "100.64.1.1")),
            ("100.64.1.9", (ROUTER, "100.64.1.1")),
            True,
        ),  # one provider, two NATs
        (("100.64.1.2", (ROUTER, None)), ("100.64.2.2", (ROUTER, None)), False),
        (("100.64.1.2", (ROUTER, None, "192.0.2.1")), ("100.64.2.2", (ROUTER, None, "192.0.2.1")), True),
        (("100.64.1.2", ()), ("100.64.1.2", ()), True),
        ((None, (ROUTER, "100.64.1.1")), ("100.64.2.2", (ROUTER, "100.64.2.1")), False),
        ((None, (ROUTER, "100.64.1.1")), ("100.64.2.2", (ROUTER, None)), None),
        ((None, (ROUTER,)), ("100.64.2.2", (ROUTER,)), None),  # the site's own router is nobody's door
        ((None, ()), (None, ()), None),
        (("2001:db8::1", ("fe80::1", "2001:db8:1::1")), ("2001:db8:2::1", ("fe80::1", "2001:db8:2::f")), False),
    ],
)
def test_a_door_is_the_address_outside_or_the_first_router_behind_the_sites_own(a: Exit, b: Exit, same: bool) -> None:
    exits = [ExitReading("link", 0.0, mapped, hops) for mapped, hops in (a, b)]
    assert same_door(*exits) is same
    assert same_door(*reversed(exits)) is same
