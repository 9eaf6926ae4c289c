from collections.abc import Callable

import pytest

from lab import quantity


@pytest.mark.parametrize(
    ("text", "value"), [("200ms", 0.2), ("0.2s", 0.2), ("3 s", 3.0), ("500us", 0.0005), ("2min", 120.0), (".5s", 0.5)]
)
def test_durations(text: str, value: float) -> None:
    assert quantity.duration_s(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("10mbit", 1e7), ("10Mbit/s", 1e7), ("500kbit", 5e5), ("1gbit", 1e9), ("8bit", 8)],
)
def test_rates(text: str, value: float) -> None:
    assert quantity.rate_bps(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"), [("500kB", 500_000), ("1.5MB", 1_500_000), ("64KiB", 65536), ("1514B", 1514)]
)
def test_sizes(text: str, value: int) -> None:
    assert quantity.size_bytes(text) == value


@pytest.mark.parametrize(("text", "value"), [("5%", 0.05), ("0.3%", 0.003), ("100%", 1.0), ("0%", 0.0)])
def test_shares(text: str, value: float) -> None:
    assert quantity.share(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (quantity.duration_s, "200"),
        (quantity.duration_s, "-3s"),
        (quantity.duration_s, "ms"),
        (quantity.duration_s, "3 parsecs"),
        (quantity.rate_bps, "10"),
        (quantity.rate_bps, "10MB"),
        (quantity.size_bytes, "10mbit"),
        (quantity.share, "0.05"),
        (quantity.share, "101%"),
        (quantity.share, ""),
    ],
)
def test_a_quantity_without_sense_or_unit_is_refused_with_an_example(parse: Callable[[str], float], text: str) -> None:
    with pytest.raises(ValueError, match=r"is written like|more than everything"):
        parse(text)


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (quantity.show_duration(0.02), "20 ms"),
        (quantity.show_duration(2.5), "2.5 s"),
        (quantity.show_rate(1e8), "100 Mbit/s"),
        (quantity.show_rate(64_000), "64 kbit/s"),
        (quantity.show_rate(8), "8 bit/s"),
        (quantity.show_size(1_000_000), "1 MB"),
        (quantity.show_size(0), "0 B"),
        (quantity.show_share(0.05), "5 %"),
    ],
)
def test_quantities_are_shown_as_people_say_them(shown: str, text: str) -> None:
    assert shown == text


@pytest.mark.parametrize(("text", "value"), [("1400", 1400), ("68", 68), ("off", None)])
def test_an_mtu_is_plain_bytes_or_off(text: str, value: int | None) -> None:
    assert quantity.mtu_bytes(text) == value


@pytest.mark.parametrize("text", ["", "1400B", "-1", "1.4kB", "OFF", "²"])
def test_an_mtu_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an MTU is written in bytes like 1400, or off"):
        quantity.mtu_bytes(text)
