"""Are the room's users using the line right now? The byte counters of the interface on their side of the box, and
judging them.

Our own measurements leave by the other side, so whatever passes here is somebody else's. Unseen is never idle: without
counters the line counts as used.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_AT_ONCE = 65536
_WINDOW_S = 0.3  # shorter, and our own poll of a UPS (1.3 kB within 10 ms) looks like somebody
_LIMIT_BPS = 120_000.0  # a call's audio alone is 160 kbit/s, both ways; a room's broadcasts and polls are some 10
_LAST_LOOK_HOLDS_S = 2.0
_RX_BYTES, _TX_BYTES = 0, 8  # columns of /proc/net/dev, proc(5)


class InterfaceBytes:
    """Byte counters of one interface by name, frames with their Ethernet header. Close it after use.

    Of the network namespace this was made in: /sys would show that of whoever mounted it. Some 6 µs a look with a few
    interfaces: the file stays open.
    """

    def __init__(self, interface: str) -> None:
        self._label = interface.encode()
        self._file: int | None = None

    def read(self) -> tuple[int, int] | None:
        """Bytes received and sent since the interface is there; None where there is none of that name."""
        try:
            if self._file is None:
                self._file = os.open("/proc/self/net/dev", os.O_RDONLY | os.O_CLOEXEC)
            return find_bytes(self._whole(self._file), self._label)
        except OSError:  # no /proc here
            return None

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _whole(self, file: int) -> bytes:
        """The kernel hands out a page at a time: some 30 interfaces."""
        text = os.pread(file, _AT_ONCE, 0)
        while len(text) >= 4000 and (more := os.pread(file, _AT_ONCE, len(text))):
            text += more
        return text


def find_bytes(text: bytes, label: bytes) -> tuple[int, int] | None:
    """Bytes received and sent of one interface in the text of /proc/net/dev; None where it is not in there."""
    for line in text.splitlines():
        name, colon, columns = line.rpartition(b":")
        if colon and name.strip() == label:
            figures = columns.split()
            try:
                return int(figures[_RX_BYTES]), int(figures[_TX_BYTES])
            except (IndexError, ValueError):  # the lines of headings
                return None
    return None


class UserTraffic:
    """Bytes of the last `window_s` against what `limit_bps` allows in that time, both ways together. Pure.

    It need not wait for the window to fill: a burst that uses up the window's allowance counts at once, so a stream of
    1.5 Mbit/s shows with its first two packets.
    """

    def __init__(self, *, limit_bps: float = _LIMIT_BPS, window_s: float = _WINDOW_S) -> None:
        self._allowed_bytes, self._window_s = limit_bps * window_s / 8, window_s
        self._looks: deque[tuple[float, int]] = deque()
        self._unseen = False

    def look(self, now_s: float, counters: tuple[int, int] | None) -> None:
        """What the counters say at `now_s` (seconds, monotonic); None: they could not be read."""
        self._unseen = counters is None
        if counters is None:
            self._looks.clear()
            return
        total = sum(counters)
        if self._looks and (total < self._looks[-1][1] or now_s - self._looks[-1][0] > _LAST_LOOK_HOLDS_S):
            self._looks.clear()  # another interface of that name; or what was long ago says nothing of now
        self._looks.append((now_s, total))
        while len(self._looks) > 2 and self._looks[1][0] <= now_s - self._window_s:
            self._looks.popleft()

    @property
    def rate_bps(self) -> float | None:
        """Over the last window, a little more where looks are far apart; None before the second look."""
        if len(self._looks) < 2:
            return None
        (began_s, before), (ended_s, after) = self._looks[0], self._looks[-1]
        return 8 * (after - before) / max(ended_s - began_s, self._window_s)

    @property
    def busy(self) -> bool:
        """Whether users need the line, as far as the looks so far tell. True where the counters cannot be read."""
        if self._unseen:
            return True
        rate_bps = self.rate_bps
        return rate_bps is not None and rate_bps * self._window_s / 8 > self._allowed_bytes


@contextmanager
def users_on(
    interface: str, *, limit_bps: float = _LIMIT_BPS, monotonic: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[], bool]]:
    """A `hurt` for a ramp: each call looks at `interface`, the room's side, and says whether users need the line."""
    counters, traffic = InterfaceBytes(interface), UserTraffic(limit_bps=limit_bps)

    def hurt() -> bool:
        traffic.look(monotonic(), counters.read())
        return traffic.busy

    try:
        yield hurt
    finally:
        counters.close()
