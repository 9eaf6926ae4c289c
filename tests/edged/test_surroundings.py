"""What the house tells a link's prober: its port at the router, and users' bytes while they can be told apart."""

from dataclasses import replace

import pytest

from edged.surroundings import Surroundings, room_side
from tests.edged.core.room import SITE
from wan.reading import RouterCause, RouterReading, WanReading, WanState


def router(*states: WanState, answering: bool = True) -> RouterReading:
    wans = tuple(WanReading(str(n), "", state, None, None, None, None, None, None) for n, state in enumerate(states))
    return RouterReading("router", 0.0, answering, 0.0, RouterCause.NONE, "0", wans, None, None, None)


def surroundings(carrier: str | None = None, room: str | None = "lo") -> Surroundings:
    return Surroundings(SITE, room, carrier=lambda: carrier, budgets={}, monotonic=lambda: 0.0)


@pytest.mark.parametrize(
    ("state", "up"),
    [
        (WanState.CONNECTED, True),
        (WanState.STANDBY, True),
        (WanState.HEALTH_CHECK_FAILED, True),  # the port is there; whether the line is, the probes know sooner
        (WanState.UNKNOWN, True),
        (WanState.DISCONNECTED, False),
        (WanState.DISABLED, False),
    ],
)
def test_a_port_without_carrier_is_told_to_its_own_link(state: WanState, up: bool) -> None:
    around = surroundings()
    around.router_said(router(state, WanState.STANDBY))
    assert {name: its.far_carrier for name, its in around.links.items()} == {"fiber": up, "cellular": True}


def test_a_router_that_does_not_answer_says_nothing_of_its_ports() -> None:
    around = surroundings()
    around.router_said(router(WanState.DISCONNECTED, WanState.STANDBY))
    around.router_said(router(WanState.DISCONNECTED, WanState.STANDBY, answering=False))
    assert around.links["fiber"].far_carrier


def test_users_bytes_vouch_for_the_carrying_link_alone() -> None:
    around = surroundings("fiber")
    assert isinstance(around.links["fiber"].user_bytes(), int)
    assert around.links["cellular"].user_bytes() is None
    around.close()


@pytest.mark.parametrize(("carrier", "room"), [(None, "lo"), ("fiber", None), ("fiber", "nosuch0")])
def test_what_cannot_be_told_apart_is_not_told(carrier: str | None, room: str | None) -> None:
    around = surroundings(carrier, room)
    assert around.links["fiber"].user_bytes() is None
    around.close()


def test_a_single_link_carries_whatever_arrives() -> None:
    around = Surroundings(
        replace(SITE, links=SITE.links[:1]), "lo", carrier=lambda: None, budgets={}, monotonic=lambda: 0.0
    )
    assert isinstance(around.links["fiber"].user_bytes(), int)
    around.close()


@pytest.mark.parametrize(
    ("media", "shaped", "side"),
    [("lan0", [("wan0", "up")], "lan0"), (None, [("wan0", "up"), ("lan1", "down")], "lan1"), (None, [], None)],
)
def test_the_side_of_the_room_is_where_media_are_observed_or_the_way_down_is_shaped(
    media: str | None, shaped: list[tuple[str, str]], side: str | None
) -> None:
    assert room_side(media, shaped) == side
