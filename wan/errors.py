"""What can go wrong between edged and a router: it failed us, or we misused it."""

from wan.reading import RouterCause


class WanError(Exception):
    """Base of every error this room raises."""


class RouterFault(WanError):
    """The router gave no usable answer. `cause` is what the reading will say."""

    def __init__(self, cause: RouterCause, message: str) -> None:
        super().__init__(message)
        self.cause = cause


class WanMisuse(WanError):
    """We asked for something that cannot be: an unreadable secret, an unknown profile."""
