import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ups.figures import Figures, figures_of


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ("1800", 1800.0),
        ("90.5", 90.5),
        ("1", 1.0),
        ("-1", None),
        ("0", None),
        ("65535", None),
        ("65535.00", None),
        ("-5", None),
    ]
    + [(text, None) for text in ("", "n/a", "nan", "inf", "1e3", "27,3", "1_0", "١٢", "9999999", "0x10", "1" * 400)],
)
def test_runtime_lies_are_not_known(said: str, believed: float | None) -> None:
    assert figures_of({"battery.runtime": said}).runtime_s == believed


@pytest.mark.parametrize(
    ("said", "believed"), [("100", 100.0), ("0", 0.0), (" 55.5 ", 55.5), ("104", 100.0), ("255", None), ("-3", None)]
)
def test_charge_is_a_percentage_or_not_known(said: str, believed: float | None) -> None:
    assert figures_of({"battery.charge": said}).charge_pct == believed


def test_all_figures_are_read_under_their_nut_names() -> None:
    variables = {
        "battery.charge": "97",
        "battery.runtime": "1800",
        "battery.voltage": "27.3",
        "ups.load": "21",
        "input.voltage": "229.8",
        "input.voltage.nominal": "230",
        "device.model": "Smart-UPS",
        "outlet.1.status": "on",
    }
    assert figures_of(variables) == Figures(
        charge_pct=97,
        runtime_s=1800,
        load_pct=21,
        battery_v=27.3,
        input_v=229.8,
        input_nominal_v=230,
        model="Smart-UPS",
    )


def test_the_model_is_the_ups_first_and_cut_to_a_line() -> None:
    assert figures_of({"ups.model": "  A ", "device.model": "B"}).model == "A"
    assert figures_of({"ups.model": "x" * 500}).model == "x" * 64
    assert figures_of({"ups.model": " "}).model is None


NAMES = ["battery.charge", "battery.runtime", "battery.voltage", "ups.load", "input.voltage", "ups.model"]


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.one_of(st.text("0123456789.-+eE _,naif٣\n", max_size=20), st.floats().map(str), st.integers().map(str)),
    )
)
def test_whatever_a_ups_says_the_figures_are_finite_and_in_bounds(variables: dict[str, str]) -> None:
    figures = figures_of(variables)
    numbers = [figures.charge_pct, figures.runtime_s, figures.load_pct, figures.battery_v, figures.input_v]
    assert all(number is None or (math.isfinite(number) and number >= 0) for number in numbers)
    assert figures.charge_pct is None or figures.charge_pct <= 100
    assert figures.runtime_s != 0
