"""Differentiated services code points by the names the field writes (RFC 2474, 2597, 3246, 5865, 8622)."""

_CLASS_SELECTORS = {f"CS{n}": n << 3 for n in range(8)}
_ASSURED = {f"AF{c}{drop}": (c << 3) | (drop << 1) for c in range(1, 5) for drop in range(1, 4)}

DSCP_NAMES = {"DF": 0, "BE": 0, "LE": 1, "VA": 44, "EF": 46, **_CLASS_SELECTORS, **_ASSURED}
"""Name → the six bits, 0–63."""


def code_point(text: str | int) -> int:
    """The six bits of a name ("EF", "af41") or number (0–63); ValueError names what is wrong."""
    if isinstance(text, str) and not text.strip().isdecimal():
        try:
            return DSCP_NAMES[text.strip().upper()]
        except KeyError:
            raise ValueError(f"unknown DSCP name {text!r}; known: {', '.join(DSCP_NAMES)} or 0-63") from None
    number = int(text)
    if isinstance(text, bool) or not 0 <= number <= 63:
        raise ValueError(f"DSCP {text} is outside 0-63")
    return number
