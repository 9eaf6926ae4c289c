"""Quantities as people write them on a command line: 200ms, 5%, 10mbit, 500kB. Units are always said.

Parsers raise ValueError with a sentence that shows how to write it.
"""

import re

_NUMBER = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-zA-Z%/]*)")

_TIMES = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
_RATES = {"bit": 1.0, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9}
_SIZES = {"b": 1, "kb": 1_000, "mb": 1_000_000, "kib": 1 << 10, "mib": 1 << 20}
_SHARES = {"%": 0.01}


def duration_s(text: str) -> float:
    return _parse(text, _TIMES, "a time is written like 200ms or 3s")


def rate_bps(text: str) -> float:
    return _parse(text.removesuffix("/s"), _RATES, "a rate is written like 10mbit or 500kbit")


def size_bytes(text: str) -> int:
    return round(_parse(text, _SIZES, "a size is written like 500kB or 1MB"))


def share(text: str) -> float:
    value = _parse(text, _SHARES, "a share is written like 5% or 0.3%")
    if value > 1:
        raise ValueError(f"{text} is more than everything")
    return value


def mtu_bytes(text: str) -> int | None:
    """Plain bytes, as every router says them; None for "off"."""
    if text == "off":
        return None
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{text!r}: an MTU is written in bytes like 1400, or off")
    return int(text)


def show_duration(value_s: float) -> str:
    return f"{value_s * 1e3:.4g} ms" if value_s < 1 else f"{value_s:.4g} s"


def show_rate(value_bps: float) -> str:
    for factor, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
        if value_bps >= factor:
            return f"{value_bps / factor:.4g} {unit}"
    return f"{value_bps:.0f} bit/s"


def show_size(value_bytes: float) -> str:
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value_bytes >= factor:
            return f"{value_bytes / factor:.4g} {unit}"
    return f"{value_bytes:.0f} B"


def show_share(value: float) -> str:
    return f"{value * 100:.3g} %"


def _parse(text: str, units: dict[str, float] | dict[str, int], how: str) -> float:
    match = _NUMBER.fullmatch(text.strip())
    factor = units.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise ValueError(f"{text!r}: {how}")
    return float(match[1]) * factor
