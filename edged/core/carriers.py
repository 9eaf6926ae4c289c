"""Are two mobile networks different ones? By serving network (ITU-T E.212), or by autonomous system."""

Carrier = tuple[str | None, int | None]
"""MCC-MNC and ASN."""


def diverse(mobile: Carrier, failover: Carrier) -> bool | None:
    """None: cannot know."""
    pairs = [(a, b) for a, b in zip(mobile, failover, strict=True) if a is not None and b is not None]
    if any(a == b for a, b in pairs):
        return False
    return True if pairs else None
