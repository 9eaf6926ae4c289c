import pytest

from lab.services.battery import Battery, Rating, advance, runtime_s, status, variables

RATING = Rating("Lab UPS 1000", "S1", 1000, 700, 25, runtime_full_load_s=360, runtime_half_load_s=1080)


def loaded(load_pct: float) -> Rating:
    return Rating("Lab UPS 1000", "S1", 1000, 700, load_pct, runtime_full_load_s=360, runtime_half_load_s=1080)


@pytest.mark.parametrize(("load_pct", "expected_s"), [(100, 360), (50, 1080), (25, 3240)])
def test_runtime_goes_through_the_points_on_the_box(load_pct: float, expected_s: float) -> None:
    assert runtime_s(loaded(load_pct), 1.0) == pytest.approx(expected_s)


def test_an_idle_ups_does_not_last_for_ever() -> None:
    assert runtime_s(loaded(0), 1.0) == runtime_s(loaded(10), 1.0)


def test_a_battery_lasts_as_long_as_it_says() -> None:
    empty = advance(Battery(), RATING, on_mains=False, elapsed_s=runtime_s(RATING, 1.0))
    assert empty.charge == pytest.approx(0)


def test_it_matters_not_in_how_many_steps_time_passes() -> None:
    once = advance(Battery(), RATING, on_mains=False, elapsed_s=600)
    slowly = Battery()
    for _ in range(600):
        slowly = advance(slowly, RATING, on_mains=False, elapsed_s=1)
    assert slowly.charge == pytest.approx(once.charge)


def test_charge_stays_between_empty_and_full() -> None:
    assert advance(Battery(0.1), RATING, on_mains=False, elapsed_s=1e6).charge == 0
    assert advance(Battery(0.1), RATING, on_mains=True, elapsed_s=1e6).charge == 1


@pytest.mark.parametrize(
    ("charge", "on_mains", "expected"),
    [
        (1.0, True, "OL"),
        (0.99, True, "OL CHRG"),
        (0.0, True, "OL CHRG"),
        (1.0, False, "OB DISCHRG"),
        (0.21, False, "OB DISCHRG"),
        (0.20, False, "OB DISCHRG LB"),
        (0.0, False, "OB DISCHRG LB"),
    ],
)
def test_status_follows_mains_and_charge(charge: float, on_mains: bool, expected: str) -> None:
    assert status(Battery(charge, on_mains), RATING) == expected


def test_little_time_left_is_low_whatever_the_charge() -> None:
    heavy = loaded(100)
    assert runtime_s(heavy, 0.33) < heavy.low_runtime_s
    assert "LB" in status(Battery(0.33, on_mains=False), heavy)


def test_the_variables_say_what_the_battery_is() -> None:
    said = variables(Battery(0.5, on_mains=False), RATING)
    assert said["ups.status"] == "OB DISCHRG"
    assert said["battery.charge"] == "50"
    assert said["battery.runtime"] == "1620"
    assert said["input.voltage"] == "0.0"
    assert float(said["battery.voltage"]) < 27
