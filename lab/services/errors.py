"""What can go wrong in a service of the lab."""


class ServiceError(Exception):
    """Base of this room's errors."""


class PeerError(ServiceError):
    """The other side broke its protocol (or a file of the lab is not what it should be)."""


class MisuseError(ServiceError):
    """We were started or called wrongly."""
