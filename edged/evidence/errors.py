"""What can go wrong with evidence."""


class EvidenceError(Exception):
    """Base of the room."""


class EvidenceBroken(EvidenceError):
    """What lies there is no packet, no row of ours, or no export of a NOC."""


class EvidenceMisused(EvidenceError):
    """We were asked for a packet of nothing."""
