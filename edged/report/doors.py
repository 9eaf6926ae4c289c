"""Which broker of the list is tried next, and in which version of MQTT. Pure."""

from aiomqtt import ProtocolVersion

from edged.report.reading import BrokerCause

OLD_VERSION_S = 3600.0
"""A broker that spoke only 3.1.1 is asked for MQTT 5 again after so long: they are replaced, and we are not."""


class Doors:
    """The doors of one cluster: whoever lets us in is kept until the connection to it cannot be made."""

    def __init__(self, servers: tuple[tuple[str, int], ...]) -> None:
        self._servers, self._at, self._tried = servers, 0, 0
        self._old_until_s: dict[tuple[str, int], float] = {}
        self.more_to_try = False
        """Whether another attempt may follow the failed one without a pause."""

    @property
    def server(self) -> tuple[str, int]:
        return self._servers[self._at]

    def protocol(self, now_s: float) -> ProtocolVersion:
        old = self._old_until_s.get(self.server, 0.0) > now_s
        return ProtocolVersion.V311 if old else ProtocolVersion.V5

    def opened(self) -> None:
        self.start_over()

    def start_over(self) -> None:
        """Whatever failed before says nothing now."""
        self._tried, self.more_to_try = 0, False

    def closed(self, cause: BrokerCause, now_s: float) -> None:
        """The connection could not be made."""
        if cause is BrokerCause.VERSION and self.protocol(now_s) is ProtocolVersion.V5:
            self._old_until_s[self.server] = now_s + OLD_VERSION_S
            self.more_to_try = True
            return
        if cause is BrokerCause.VERSION:
            self._old_until_s.pop(self.server, None)
        self._at = (self._at + 1) % len(self._servers)
        self._tried = (self._tried + 1) % len(self._servers)
        self.more_to_try = self._tried > 0
