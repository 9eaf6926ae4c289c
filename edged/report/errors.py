"""What can go wrong with reporting."""

from edged.report.reading import BrokerCause


class ReportError(Exception):
    """Base of the room."""


class LineDown(ReportError):
    """The connection to the broker could not be made, or is over. `code` is the broker's reason code if it gave one."""

    def __init__(self, cause: BrokerCause, detail: str, code: int | None = None) -> None:
        super().__init__(f"{cause}: {detail}" + (f" (reason code {code:#04x})" if code is not None else ""))
        self.cause, self.code = cause, code


class ReportMisused(ReportError):
    """We asked for something that cannot be: a metrics port in use, a kind that is no topic level."""
