import pytest
from pydantic import ValidationError

from probes.link_settings import LinkSettings, Role
from probes.prober import Pin

ICMP = {"kind": "icmp", "address": "198.51.100.40"}
STAMP = {"kind": "stamp", "address": "198.51.100.20"}
TCP = {"kind": "tcp", "address": "198.51.100.30", "port": 443}


def settings(**changes: object) -> LinkSettings:
    return LinkSettings.model_validate(
        {"name": "fiber", "source": "10.77.0.11", "targets": [ICMP, STAMP, TCP]} | changes
    )


def test_a_link_needs_a_name_a_pin_and_a_target_and_the_rest_has_defaults() -> None:
    link = settings()
    assert link.role is Role.PRIMARY
    assert link.pin == Pin(source=link.source)
    assert (link.paces.calm_s, link.paces.alert_s, link.paces.session_s) == (0.5, 0.1, 0.05)
    assert link.false_alarms_per_year == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": None}, "link fiber: give its source address or its interface; a probe that is not pinned"),
        ({"source": "router.example"}, "source\n  value is not a valid IPv4 or IPv6 address"),
        ({"interface": "an interface"}, "interface\n  String should match pattern"),
        ({"interface": "sixteencharacter"}, "at most 15 characters"),
        ({"name": "The Fiber"}, "name\n  String should match pattern"),
        ({"targets": []}, "at least 1 item"),
        ({"targets": [ICMP, ICMP]}, "link fiber: icmp 198.51.100.40 given twice"),
        (
            {"targets": [{"kind": "icmp", "address": "2001:db8::1"}]},
            "link fiber: icmp 2001:db8::1 cannot be reached from source 10.77.0.11",
        ),
        ({"role": "spare"}, "Input should be 'primary' or 'backup'"),
        ({"timeout_s": 0}, "timeout_s\n  Input should be greater than or equal to 0.1"),
        ({"false_alarms_per_year": 0}, "greater than 0"),
        ({"hold_down_s": 20, "hold_down_max_s": 10}, "link fiber: hold_down_max_s 10.0 is below hold_down_s 20.0"),
        ({"holddown_s": 20}, "holddown_s\n  Extra inputs are not permitted"),
        ({"paces": {"calm_s": 0.06, "alert_s": 0.1}}, "paces must quicken"),
        ({"targets": [ICMP, {"kind": "tcp", "address": "198.51.100.30"}]}, "targets.1.tcp.port\n  Field required"),
    ],
)
def test_a_mistake_is_named(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**changes)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "probes_per_s"),
    [
        ({}, 40),  # the TCP target is a witness
        ({"targets": [ICMP]}, 20),
        ({"targets": [TCP]}, 1),
        ({"paces": {"session_s": 0.02}}, 100),
    ],
)
def test_the_threshold_follows_from_how_often_is_asked(changes: dict[str, object], probes_per_s: float) -> None:
    link = settings(**changes)
    assert link.probes_per_s == probes_per_s
    # Two tests, each with half of one false alarm a year.
    assert 2 * probes_per_s * 365.25 * 86400 * 2.718281828459045**-link.rules.trip_nats == pytest.approx(1, rel=1e-6)


def test_declaring_more_false_alarms_makes_it_quicker() -> None:
    assert settings(false_alarms_per_year=100).rules.trip_nats < settings().rules.trip_nats
    assert settings(false_degraded_per_year=100).rules.gray_nats < settings().rules.gray_nats


@pytest.mark.parametrize(
    ("changes", "window_s"),
    [({}, 10), ({"role": "backup"}, 30), ({"role": "backup", "recovery_window_s": 5}, 5)],
)
def test_a_backup_must_be_good_for_longer_unless_told(changes: dict[str, object], window_s: float) -> None:
    assert settings(**changes).rules.recovery.window_s == window_s


def test_nothing_is_called_blind_between_two_probes() -> None:
    for changes in ({}, {"targets": [TCP]}, {"paces": {"calm_s": 60}}):
        link = settings(**changes)
        slowest_s = max(link.paces.calm_s, 5.0 if link.targets[0].heavy else 0.0)
        assert link.rules.blind_after_s > 2 * slowest_s + link.timeout_s
