"""What is retained at the broker, and which of it changed. Pure."""

from collections.abc import Iterator, Mapping

from edged.core.events import Json


class Snapshots:
    """What each thing looked like when it was last published on this connection."""

    def __init__(self) -> None:
        self._published: dict[str, Json] = {}

    def changes(self, things: Mapping[str, Json]) -> Iterator[tuple[str, Json, bool]]:
        """(thing, what it looks like, whether it was never published here); None for a thing that is gone. `things` are
        kept: they must be made anew each time.
        """
        for thing, looks in things.items():
            first = thing not in self._published
            if first or self._published[thing] != looks:
                self._published[thing] = looks
                yield thing, looks, first
        for gone in self._published.keys() - things.keys():
            del self._published[gone]
            yield gone, None, False
