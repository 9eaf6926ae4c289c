"""Which WAN is active: by state, by gateway and health, by bytes, or unknown."""

from collections.abc import Sequence

import pytest

from tests.wan.seen import wan
from wan.active import DWELL_S, HOLD_S, ActiveWan
from wan.profile import WanSeen
from wan.rates import Rate
from wan.reading import WanState

S = WanState


@pytest.mark.parametrize(
    ("wans", "active"),
    [
        pytest.param([wan("0"), wan("1", S.STANDBY)], "0", id="connected beside standby"),
        pytest.param([wan("0", S.HEALTH_CHECK_FAILED), wan("1")], "1", id="failed over: the health check failed"),
        pytest.param([wan("0", S.DISCONNECTED), wan("1")], "1", id="failed over: disconnected"),
        pytest.param([wan("0", S.DISCONNECTED), wan("1", S.CONNECTING)], None, id="in between: nobody carries it"),
        pytest.param([wan("0", S.DISCONNECTED), wan("1", S.DISCONNECTED)], None, id="all down"),
        pytest.param([wan("0"), wan("1")], None, id="both connected and nothing more known"),
        pytest.param([wan("0"), wan("1", S.UNKNOWN)], None, id="the other may carry it, nobody knows"),
        pytest.param([wan("0", S.UNKNOWN), wan("1", S.DISCONNECTED)], None, id="unknown alone"),
        pytest.param([wan("0"), wan("1", S.UNKNOWN, present=False)], "0", id="a WAN that is not there carries nothing"),
        pytest.param([], None, id="no WAN at all"),
    ],
)
def test_states_decide_first(wans: Sequence[WanSeen], active: str | None) -> None:
    assert ActiveWan().decide(wans, {}, 0.0) == active


BOTH = (wan("0"), wan("1"))


def bits(zero_bps: float, one_bps: float) -> dict[str, Rate]:
    return {"0": Rate(zero_bps / 2, zero_bps / 2), "1": Rate(one_bps / 2, one_bps / 2)}


SESSION, PROBES, IDLE = 5e6, 6e4, 0.0


@pytest.mark.parametrize(
    "table",
    [
        pytest.param([(0, SESSION, PROBES, None), (2.9, SESSION, PROBES, None), (3, SESSION, PROBES, "0")], id="dwell"),
        pytest.param([(0, PROBES, IDLE, None), (10, PROBES, IDLE, None)], id="probes alone prove nothing"),
        pytest.param([(0, SESSION, SESSION, None), (10, SESSION, SESSION, None)], id="balanced"),
        pytest.param(
            [(0, SESSION, SESSION / 3, None), (10, SESSION, SESSION / 3, None)], id="three times is not enough"
        ),
        pytest.param(
            [(0, SESSION, 0, None), (3, SESSION, 0, "0"), (4, 0, SESSION, "0"), (5, SESSION, 0, "0")],
            id="one burst is no move",
        ),
        pytest.param(
            [(0, SESSION, 0, None), (3, SESSION, 0, "0"), (4, 0, SESSION, "0"), (7, 0, SESSION, "1")],
            id="the traffic moved",
        ),
        pytest.param(
            [(0, SESSION, 0, None), (3, SESSION, 0, "0"), (3 + HOLD_S, 0, 0, "0"), (3.1 + HOLD_S, 0, 0, None)],
            id="evidence grows old",
        ),
    ],
)
def test_bytes_decide_between_connected_wans(table: Sequence[tuple[float, float, float, str | None]]) -> None:
    chooser = ActiveWan()
    for at_s, zero, one, expected in table:
        assert chooser.decide(BOTH, bits(zero, one), at_s) == expected, f"at {at_s} s"


def test_without_the_bytes_of_one_nobody_knows() -> None:
    chooser = ActiveWan()
    assert [chooser.decide(BOTH, {"0": Rate(SESSION, SESSION)}, at) for at in (0.0, 5.0)] == [None, None]


def test_one_unknown_state_is_known_by_its_bytes() -> None:
    """Linux calls a working PPP or WWAN interface "unknown"."""
    wans = (wan("0", S.UNKNOWN), wan("1", S.DISCONNECTED))
    chooser = ActiveWan()
    assert [chooser.decide(wans, bits(SESSION, 0), at) for at in (0.0, DWELL_S)] == [None, "0"]


def test_it_stays_while_the_other_connects_as_long_as_its_bytes_flow() -> None:
    chooser = ActiveWan()
    alone = (wan("0", S.DISCONNECTED), wan("1"))
    assert [chooser.decide(alone, bits(0, SESSION), at) for at in (0.0, 5.0)] == ["1", "1"]
    assert chooser.decide(BOTH, bits(0, SESSION), 6.0) == "1"


def test_a_wan_that_went_away_takes_its_evidence_with_it() -> None:
    chooser = ActiveWan()
    for at in (0.0, 5.0):
        chooser.decide(BOTH, bits(SESSION, 0), at)
    chooser.decide((wan("0", S.DISCONNECTED), wan("1")), bits(0, SESSION), 6.0)
    assert chooser.decide(BOTH, bits(SESSION, 0), 7.0) is None


@pytest.mark.parametrize(
    ("before", "now", "active"),
    [
        pytest.param(wan("0", gateway="100.64.1.1"), wan("0", gateway="0.0.0.0"), "1", id="it lost its gateway"),
        pytest.param(wan("0", gateway="0.0.0.0"), wan("0", gateway="0.0.0.0"), None, id="it never had one (PPPoE)"),
        pytest.param(wan("0", healthy=True), wan("0", healthy=False), "1", id="its health check fails"),
        pytest.param(wan("0", healthy=False), wan("0", healthy=False), None, id="its health check never was good"),
        pytest.param(
            wan("0", gateway="100.64.1.1"), wan("0", gateway=None), None, id="its gateway is not told any more"
        ),
        pytest.param(wan("0", healthy=True), wan("0", healthy=None), None, id="its health is not told any more"),
    ],
)
def test_between_idle_wans_it_is_the_one_that_lost_nothing(before: WanSeen, now: WanSeen, active: str | None) -> None:
    other = wan("1", healthy=True, gateway="100.64.2.1")
    chooser = ActiveWan()
    assert chooser.decide((before, other), {}, 0.0) is None
    assert chooser.decide((now, other), {}, 1.0) == active
    assert chooser.decide((now, wan("1", S.STANDBY)), {}, 2.0) == "0"


def test_bytes_that_flow_outweigh_a_lost_gateway_and_old_ones_do_not() -> None:
    other = wan("1", gateway="100.64.2.1")
    had, lost = (wan("0", gateway="100.64.1.1"), other), (wan("0", gateway="0.0.0.0"), other)
    chooser = ActiveWan()
    assert [chooser.decide(had, bits(SESSION, 0), at) for at in (0.0, DWELL_S)] == [None, "0"]
    assert chooser.decide(lost, bits(SESSION, 0), DWELL_S + 1) == "0"
    assert chooser.decide(lost, bits(0, 0), DWELL_S + 2) == "1"
