"""What can go wrong in this room: one base, two children. Either the peer broke its protocol, or we misused the room."""


class ProbeError(Exception):
    """Base of everything `probes` raises on purpose. Its message names the link, device or interface and the value."""


class PeerBrokeProtocol(ProbeError):
    """Bytes from the network are not what their protocol says they must be."""


class ProbeMisused(ProbeError):
    """The caller asked for what cannot be: an impossible value, a missing interface, a permission we do not have."""
