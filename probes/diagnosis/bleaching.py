"""Whether the code point (RFC 2474) survives the way, from what each hop saw of it.

Packets are asked of hop by hop, so a change shows from one hop on. It is made between the last that saw what was sent
and the first that did not: a router quotes a packet as it came in, so the first one need not be the one that did it.
"""

from collections.abc import Sequence

from probes.path_document import DscpFinding, Hop


def bleaching(sent: int, hops: Sequence[Hop], *, came_back: int | None = None) -> DscpFinding | None:
    """None where no hop told what it saw. A hop that sees again what was sent contradicts the change before it (its own
    answers are rewritten, or it stands on another way), and the change counts from behind it.
    """
    seen = [hop for hop in hops if hop.dscp_seen is not None]
    if not seen:
        return None
    intact = max((place for place, hop in enumerate(seen) if hop.dscp_seen == sent), default=-1)
    kept = seen[intact].address if intact >= 0 else None
    changed = seen[intact + 1] if intact + 1 < len(seen) else None
    if changed is None or changed.dscp_seen is None:
        return DscpFinding(sent=sent, seen_to=seen[-1].ttl, intact_to=kept, came_back=came_back)
    return DscpFinding(
        sent=sent,
        seen_to=seen[-1].ttl,
        changed_at=changed.address,
        changed_ttl=changed.ttl,
        intact_to=kept,
        became=changed.dscp_seen,
        bits_lost=sent & ~changed.dscp_seen,
        bits_gained=changed.dscp_seen & ~sent,
        came_back=came_back,
    )
