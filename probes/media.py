"""The passive media observer: it sees the supervision session pass on the box's in-line interface, and asks nobody.

It tells media and directions apart and judges nothing. It looks every 0.1 s, tells a change of liveness at once and
everything once a second. An observer that cannot see says so, then raises: whoever supervises it decides when to retry.
Known limit: packets that the network card merged (UDP GRO, off by default on a bridge port) count as one.
"""

import asyncio
import errno
import time
from collections.abc import Callable

import structlog

from probes.errors import MisuseError, PeerError, ProbeError
from probes.media_settings import MediaSettings
from probes.media_state import Liveness, MediaState, blind_reading
from probes.media_tap import MediaTap, why_blind
from probes.packets.bpf import media_filter
from probes.packets.frame import parse_udp
from probes.packets.rtp import parse_rtp
from probes.reading import MediaReading

_LOOK_S = 0.1  # measured: idle 0.3 % of a core, 0.6 % when waking twice as often; a tenth of the usual silence
_REPORT_S = 1.0
_BATCH = 128  # packets between two breaths of the event loop: 2 ms
_BATCHES = (
    16  # a look: 40,000 packets a second, far above any session; a flood beyond is dropped by the kernel and told
)

_log = structlog.get_logger()


async def watch_media(
    settings: MediaSettings,
    emit: Callable[[MediaReading], None],
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Observe for ever. Before raising it emits a reading with `observing=False`.

    Raises MisuseError if the interface does not exist or the process may not look at it (CAP_NET_RAW), ProbeError if
    the interface went away.
    """
    try:
        with MediaTap(settings.interface, media_filter(settings.platform_networks, settings.filter_ports())) as tap:
            _log.info("media observer sees", interface=settings.interface)
            await _Observer(settings, tap, monotonic).run(emit)
    except OSError as error:
        emit(blind_reading(monotonic()))
        kind = MisuseError if error.errno in (errno.ENODEV, errno.EPERM, errno.EACCES) else ProbeError
        raise kind(why_blind(error, settings.interface)) from error


class _Observer:
    """Moves packets from the tap to the state, and readings from the state to whoever listens."""

    def __init__(self, settings: MediaSettings, tap: MediaTap, monotonic: Callable[[], float]) -> None:
        self._tap = tap
        self._monotonic = monotonic
        self._state = MediaState(settings)
        self._emptied_s = monotonic()

    async def run(self, emit: Callable[[MediaReading], None]) -> None:
        told: Liveness | None = None
        report_s = self._monotonic()
        while True:
            await self._look()
            now_s = self._monotonic()
            live, due = self._state.liveness(now_s), now_s >= report_s
            if due:
                report_s = max(report_s + _REPORT_S, now_s)
            if due or live != told:
                if self._tap.dropped():
                    self._state.overrun(now_s)
                emit(self._state.reading(now_s))
                told = live
            await asyncio.sleep(_LOOK_S)

    async def _look(self) -> None:
        """Take what waits. No packet came before the queue was last empty, whatever the wall clock says."""
        for _ in range(_BATCHES):
            now_s = self._monotonic()
            packets = self._tap.read(_BATCH)
            for headers, age_s in packets:
                self._take(headers, now_s - min(max(age_s, 0.0), now_s - self._emptied_s))
            if len(packets) < _BATCH:
                self._emptied_s = now_s
                return
            await asyncio.sleep(0)

    def _take(self, headers: bytes, t_s: float) -> None:
        try:
            udp = parse_udp(headers)
            rtp = parse_rtp(headers, udp.payload_at)
        except PeerError:
            return  # STUN, DTLS and RTCP share the port: normal, and no media
        self._state.feed(udp, rtp, t_s)
