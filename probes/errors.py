"""What can go wrong in this room: the far side broke its protocol, or we misused our own parts.

Neither leaves a watcher: there a broken packet is dropped and counted, and silence is a reading.
"""


class ProbeError(Exception):
    """Base of every error of this room."""


class PeerError(ProbeError):
    """What came over the wire is not what its protocol allows."""


class MisuseError(ProbeError):
    """Our own caller asked for something that cannot be: a value that does not fit its field, an unreadable key."""
