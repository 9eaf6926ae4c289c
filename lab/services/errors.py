"""What can go wrong in a service of the lab."""

from lab.errors import LabError


class PeerError(LabError):
    """The other side broke its protocol, a file is not what it should be, or a real part ended by itself."""


class MisuseError(LabError):
    """We were started or called wrongly."""
