"""How large an IP packet crosses a link both ways: a search after RFC 8899, as a table of what to try next. Pure.

The size wanted is tried first, so a healthy link costs one packet. Where it does not cross, what was told is tried, and
what crossed last time; else the search halves what is left, from a base that crosses nearly everywhere. One answer is
proof; silence is none until it was asked time and again, which whoever sends sees to.
"""

from dataclasses import dataclass, replace

BASE_BYTES = {4: 1200, 6: 1280}  # RFC 8899 section 5.1.2, and the least an IPv6 link may carry (RFC 8200)
MOST_ASKS = 16


@dataclass(frozen=True, slots=True)
class Search:
    """What is known of the path after some packets, in bytes of IP packets."""

    wanted: int
    base: int
    fits: int
    """The largest that crossed, at first the smallest there is, which crossed or nobody would search."""
    fails: int
    """The smallest that did not; at first one more than is wanted."""
    hint: int | None = None
    """To be tried next, for somebody told that it fits."""
    remembered: int | None = None
    """What crossed last time: where it still does, that is the figure, and nothing more is spent on it."""
    asks: int = 0


def begin(*, wanted: int, least: int, version: int, remembered: int | None = None) -> Search:
    """A search up to `wanted`; `least` crossed already, `remembered` was last time's result."""
    return Search(wanted, BASE_BYTES[version], least, wanted + 1, remembered=remembered)


def next_size(search: Search) -> int | None:
    """What to try now; None when the search is over and `fits` is its result."""
    if search.fails - search.fits <= 1 or search.asks >= MOST_ASKS:
        return None
    if search.asks == 0:
        return search.wanted
    for candidate in (search.hint, search.remembered, search.base):
        if candidate is not None and search.fits < candidate < search.fails:
            return candidate
    return None if search.fits == search.remembered else (search.fits + search.fails) // 2


def crossed(search: Search, size: int) -> Search:
    return replace(search, fits=max(search.fits, size), hint=None, asks=search.asks + 1)


def failed(search: Search, size: int, told: int | None = None, spare: int = 0) -> Search:
    """`size` did not cross; `told` would have, somebody said, and at most `spare` more.

    That is believed of what is larger, and proven of what is not: somebody did object to `size`. Less than what crossed
    already is not believed.
    """
    if told is not None and told < search.fits:
        told = None
    fails = size if told is None else min(size, told + spare + 1)
    return replace(search, fails=min(search.fails, fails), hint=told, asks=search.asks + 1)
