"""What can go wrong in the lab."""


class LabError(Exception):
    """Base of the room."""


class LabFailure(LabError):
    """The machine, a part of the site or the lab at the other end of the socket did not do what it must."""


class LabMisuse(LabError):
    """The caller asked for something the lab does not have or cannot be."""
