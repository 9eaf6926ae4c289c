"""The passive media observer: it sees the supervision sessions pass on the box's in-line interface, and asks nobody.

It tells rooms, media and directions apart and judges nothing. It looks every 0.1 s, tells a change of liveness (or of
what is known of the far end) at once and everything once a second, room by room. An observer that cannot see says so,
then raises: whoever supervises it decides when to retry.
Known limit: packets that the network card merged (UDP GRO, off by default on a bridge port) count as one.
"""

import asyncio
import errno
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import structlog

from probes.errors import MisuseError, ProbeError
from probes.media_settings import MediaSettings
from probes.media_state import Liveness, MediaState, blind_reading
from probes.media_tap import MediaTap, why_blind
from probes.packets.bpf import Network, media_filter
from probes.packets.bpf_code import Instruction
from probes.reading import FarEnd, MediaReading, Protection

_LOOK_S = 0.1  # measured: idle 0.3 % of a core, 0.6 % when waking twice as often; a tenth of the usual silence
_REPORT_S = 1.0
_BATCH = 128  # packets between two breaths of the event loop: 2 ms
_BATCHES = (
    16  # a look: 20,000 packets a second, far above any session; a flood beyond is dropped by the kernel and told
)

_ONE_ROOM: Mapping[str, Sequence[Network]] = MappingProxyType({})
_Told = tuple[Liveness, tuple[FarEnd, Protection]]

_log = structlog.get_logger()


async def watch_media(
    settings: MediaSettings,
    emit: Callable[[MediaReading], None],
    *,
    rooms: Mapping[str, Sequence[Network]] = _ONE_ROOM,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Observe for ever, `rooms` by name or, without any, `settings.room_networks` as the one room called "".

    Before raising it emits a reading of each room with `observing=False`. Raises MisuseError if no room has networks,
    if the interface does not exist or the process may not look at it (CAP_NET_RAW), ProbeError if the interface went
    away.
    """
    rooms = rooms or {"": settings.room_networks}
    program = _program(settings, rooms)
    try:
        with MediaTap(settings.interface, program) as tap:
            _log.info("media observer sees", interface=settings.interface)
            await _Observer(MediaState(settings, rooms), tap, monotonic).run(emit)
    except OSError as error:
        for room in rooms:
            emit(blind_reading(monotonic(), room))
        kind = MisuseError if error.errno in (errno.ENODEV, errno.EPERM, errno.EACCES) else ProbeError
        raise kind(why_blind(error, settings.interface)) from error


def _program(settings: MediaSettings, rooms: Mapping[str, Sequence[Network]]) -> tuple[Instruction, ...]:
    """By the platform's addresses and ports, else by the rooms': either way, most of the interface stays unseen."""
    if not all(rooms.values()):
        raise MisuseError("the media observer was told no network of a room")
    ports = settings.filter_ports()
    every = tuple(dict.fromkeys(network for networks in rooms.values() for network in networks))
    return media_filter(settings.platform_networks or (() if ports else every), ports)


class _Observer:
    """Moves packets from the tap to the state, and readings from the state to whoever listens."""

    def __init__(self, state: MediaState, tap: MediaTap, monotonic: Callable[[], float]) -> None:
        self._tap = tap
        self._monotonic = monotonic
        self._state = state
        self._emptied_s = monotonic()
        self._told: dict[str, _Told] = {}

    async def run(self, emit: Callable[[MediaReading], None]) -> None:
        report_s = self._monotonic()
        while True:
            await self._look()
            now_s = self._monotonic()
            due = now_s >= report_s
            if due:
                report_s = max(report_s + _REPORT_S, now_s)
            if self._tap.dropped():
                self._state.overrun(now_s)
            for room in self._state.rooms:
                self._tell(room, now_s, emit, due=due)
            await asyncio.sleep(_LOOK_S)

    def _tell(self, room: str, now_s: float, emit: Callable[[MediaReading], None], *, due: bool) -> None:
        known = self._state.liveness(room, now_s), self._state.far_side(room, now_s)
        if due or known != self._told.get(room):
            emit(self._state.reading(room, now_s))
            self._told[room] = known

    async def _look(self) -> None:
        """Take what waits. No packet came before the queue was last empty, whatever the wall clock says."""
        for _ in range(_BATCHES):
            now_s = self._monotonic()
            packets = self._tap.read(_BATCH)
            for headers, age_s in packets:
                self._state.feed(headers, now_s - min(max(age_s, 0.0), now_s - self._emptied_s))
            if len(packets) < _BATCH:
                self._emptied_s = now_s
                return
            await asyncio.sleep(0)
