"""Is the mobile workstation in another carrier's network than the failover link (C3)? Pure.

Two things tell a carrier: the serving network's code (MCC-MNC, ITU-T E.212) and the number of the autonomous system an
address belongs to (RFC 6793). One of them the same is the same carrier; different is only what is known of both sides.
What this cannot see: one carrier with several codes and several numbers, and two carriers on one mast or one fiber.
"""

import re
from typing import TypeAlias

Carrier: TypeAlias = tuple[str | None, int | None]
"""MCC-MNC as "310-260" and AS number; None is not known."""

_CODE = re.compile(r"([0-9]{3})[- ]?([0-9]{2,3})", re.ASCII)


def diverse(mobile: Carrier, failover: Carrier) -> bool | None:
    """False if they share a network code or an AS number; True if they differ in what is known of both; None if nothing
    is known of both. A code that is none counts as not known.
    """
    told = (_same_code(mobile[0], failover[0]), _same_number(mobile[1], failover[1]))
    if True in told:
        return False
    return True if False in told else None


def _same_code(one: str | None, other: str | None) -> bool | None:
    ours, theirs = _CODE.fullmatch((one or "").strip()), _CODE.fullmatch((other or "").strip())
    if ours is None or theirs is None:
        return None
    return ours[1] == theirs[1] and _same_network(ours[2], theirs[2])


def _same_network(one: str, other: str) -> bool:
    """Of two digits "26" is "026" as well as "260": equipment drops the zero in front, and old SIMs of three-digit
    countries the last one. In doubt it is the same carrier.
    """
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) < len(long) and long in (f"0{short}", f"{short}0"))


def _same_number(one: int | None, other: int | None) -> bool | None:
    """AS 0 is nobody's (RFC 7607)."""
    return one == other if one and other else None
