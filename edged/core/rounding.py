"""How figures are spelled in documents: no more digits than the instruments give. None stays None."""


def rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)


def ms(value_s: float | None) -> float | None:
    """Milliseconds to 10 µs: kernel timestamps are no better."""
    return None if value_s is None else round(value_s * 1e3, 2)
