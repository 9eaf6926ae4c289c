"""Do two links leave the site by the same door? Pure.

A door is the address the world sees, or the first router behind the site's own. Two links behind one door share a
provider, whatever the configuration says: one outage takes both.
"""

from itertools import zip_longest

from probes.line_reading import ExitReading


def same_door(a: ExitReading, b: ExitReading) -> bool | None:
    """True: one mapped address, or one router behind the site's own. False: seen apart. None: not enough is known."""
    if a.mapped is not None and a.mapped == b.mapped:
        return True
    apart = a.mapped is not None and b.mapped is not None
    for its, other in list(zip_longest(a.hops, b.hops))[1:]:  # the nearest hop is the site's router, which they share
        if its is not None and its == other:
            return True
        if its is not None and other is not None:
            return False
    return False if apart else None
