"""What can go wrong in this room: the kernel would not, or we asked for nonsense."""

from qos.reading import ShaperCause


class QosError(Exception):
    """Base of the room's errors."""


class KernelRefusedError(QosError):
    """Traffic control said no. `errno` is 0 where the refusal is our own (a foreign tree, a value not kept)."""

    def __init__(self, message: str, *, cause: ShaperCause, errno: int = 0) -> None:
        super().__init__(message)
        self.cause = cause
        self.errno = errno


class QosMisuseError(QosError):
    """A rate or a tree that cannot be meant."""
