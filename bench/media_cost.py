"""What the media observer alone costs at two HD sessions, in a network namespace of its own.

    unshare --net … python -m bench.media_cost SECONDS

Packets are put on one end of a pair of virtual cables by one process, `probes.media.watch_media` looks at the other end
in another. Prints one line of JSON: the observer's CPU in per cent of one core after it had settled, packets a second,
streams live at the end.
"""

import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import time
from contextlib import suppress

import structlog

from bench.media_traffic import PLATFORM, play

SETTLE_S = 5.0
_CABLE = """
link add lan0 type veth peer name far
link set lan0 up
link set far up
"""


def main() -> None:
    seconds = float(sys.argv[1])
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    subprocess.run(["ip", "-batch", "-"], input=_CABLE, text=True, check=True)
    talker = os.fork()
    if talker == 0:
        os._exit(_talk(SETTLE_S + seconds + 5))
    try:
        print(json.dumps(asyncio.run(_observe(seconds))), flush=True)
    finally:
        with suppress(ProcessLookupError):
            os.kill(talker, 15)
        os.waitpid(talker, 0)


def _talk(seconds: float) -> int:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as far:
        far.bind(("far", 0))
        play(far, seconds)
    return 0


async def _observe(seconds: float) -> dict[str, float]:
    """Imported here, so that the talker is small."""
    from probes.media import watch_media
    from probes.media_settings import MediaSettings
    from probes.reading import MediaReading

    settings = MediaSettings.model_validate(
        {"interface": "lan0", "room_networks": ["10.77.0.0/24"], "platform_networks": [f"{PLATFORM}/32"]}
    )
    readings: list[MediaReading] = []
    watching = asyncio.create_task(watch_media(settings, readings.append))
    await asyncio.sleep(SETTLE_S)
    if watching.done():
        watching.result()
    before_s, used_s, seen = time.monotonic(), _used_s(), _packets()
    await asyncio.sleep(seconds)
    took_s = time.monotonic() - before_s
    cpu_pct, packets_per_s = 100 * (_used_s() - used_s) / took_s, (_packets() - seen) / took_s
    watching.cancel()
    await asyncio.wait({watching})
    live = sum(stream.live is True for stream in readings[-1].streams)
    return {"cpu_pct": round(cpu_pct, 2), "packets_per_s": round(packets_per_s), "live": live}


def _used_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _packets() -> int:
    """That reached the interface, by the kernel's count. /sys may show another namespace's; /proc/net does not."""
    with open("/proc/thread-self/net/dev", encoding="ascii") as lines:
        counts = next(line for line in lines if line.strip().startswith("lan0:"))
    return int(counts.split(":")[1].split()[1])


if __name__ == "__main__":
    main()
