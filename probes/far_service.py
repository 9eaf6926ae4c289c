"""A far service that answers and yet is not as it should be: no fault of the link, told once at each change."""

from enum import StrEnum
from typing import Generic, TypeVar

import structlog

from probes.prober import Pin

log = structlog.get_logger()

Trouble = TypeVar("Trouble", bound=StrEnum)


class FarService(Generic[Trouble]):
    """What one prober last found of its target's service. `trouble` is None while it is well, or nothing is known."""

    def __init__(self, target: str, pin: Pin) -> None:
        self.trouble: Trouble | None = None
        self._log = log.bind(target=target, source=str(pin.source or pin.interface or "any"))

    def found(self, trouble: Trouble | None, detail: str = "") -> None:
        """Takes in what one answer showed."""
        if trouble is not self.trouble:
            self._log.info("far_service", trouble=trouble or "none", before=self.trouble or "none", detail=detail)
        self.trouble = trouble
