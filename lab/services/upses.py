"""Node power, TCP 3493: upsd with the site's two UPSes, their batteries draining and filling with the mains."""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack

from lab.services import dummy_ups
from lab.services.battery import Battery, Rating, advance, variables
from lab.services.lifetime import arguments, ready, real_part, run
from lab.services.nut_users import PASSWORD, USER
from lab.services.upsd_answers import Ailment, Unit
from lab.services.upsd_double import UpsdDouble
from lab.services.world import Truth, UpsdTruth

LISTEN = "10.77.0.50:3493"
TICK_S = 0.1
SPEAK_S = 1.0  # a driver's own pace; a change of mains is told at once

UPSES: Mapping[str, Rating] = {
    "network": Rating("Lab UPS 1000", "LAB-NET-1", 1000, 700, 25, runtime_full_load_s=360, runtime_half_load_s=1080),
    "workstation": Rating("Lab UPS 750", "LAB-WS-1", 750, 500, 60, runtime_full_load_s=240, runtime_half_load_s=780),
}
OUTLETS = {"outlet.1.desc": "main", "outlet.1.status": "on", "outlet.2.desc": "switched", "outlet.2.status": "on"}
COMMANDS: Mapping[str, Mapping[str, str]] = {
    "load.off": {"outlet.1.status": "off", "outlet.2.status": "off"},
    "load.on": {"outlet.1.status": "on", "outlet.2.status": "on"},
    "outlet.1.load.off": {"outlet.1.status": "off"},
    "outlet.1.load.on": {"outlet.1.status": "on"},
    "outlet.2.load.off": {"outlet.2.status": "off"},
    "outlet.2.load.on": {"outlet.2.status": "on"},
    "outlet.2.shutdown.return": {"outlet.2.status": "off"},
    "test.battery.start.quick": {"ups.test.result": "Done and passed"},
}

Say = Callable[[str, Mapping[str, str]], None]


class Plant:
    """The batteries, moved on by real time."""

    def __init__(self, say: Say, *, time_factor: float) -> None:
        self._say = say
        self._time_factor = time_factor
        self._batteries = {name: Battery() for name in UPSES}
        self._at_s = time.monotonic()
        self._spoke_s = float("-inf")

    def tick(self, now_s: float, *, mains: bool) -> None:
        """Move on to `now_s` (monotonic seconds) and say what is to be said."""
        turned = any(battery.on_mains != mains for battery in self._batteries.values())
        elapsed_s = (now_s - self._at_s) * self._time_factor
        self._at_s = now_s
        for name, rating in UPSES.items():
            self._batteries[name] = advance(self._batteries[name], rating, on_mains=mains, elapsed_s=elapsed_s)
        if turned or now_s - self._spoke_s >= SPEAK_S:
            self._spoke_s = now_s
            for name, rating in UPSES.items():
                self._say(name, variables(self._batteries[name], rating))


async def serve(chosen: argparse.Namespace) -> None:
    truth = Truth(chosen.dir)
    upsd = real_part("UPS server", *dummy_ups.UPSD, double=chosen.double)
    driver = real_part("UPS driver", *dummy_ups.DRIVER, double=chosen.double)
    if upsd is None or driver is None:
        await _double(truth, chosen)
    else:
        await _real((upsd, driver), truth, chosen)


async def _real(programs: tuple[str, str], truth: Truth, chosen: argparse.Namespace) -> None:
    real = dummy_ups.prepared(programs, chosen.dir, chosen.listen, UPSES)
    plant = Plant(real.say, time_factor=chosen.time_factor)
    plant.tick(time.monotonic(), mains=truth.world.mains)

    async def be(wanted: UpsdTruth) -> None:
        await real.be(wanted)
        real.check()

    async with real.serving():
        ready()
        await _follow(truth, plant, be)


async def _double(truth: Truth, chosen: argparse.Namespace) -> None:
    units = {name: Unit(f"lab UPS {name}", dict(OUTLETS), commands=COMMANDS) for name in UPSES}
    double = UpsdDouble(units, users={USER: PASSWORD})
    plant = Plant(lambda name, said: units[name].variables.update(said), time_factor=chosen.time_factor)
    plant.tick(time.monotonic(), mains=truth.world.mains)
    door = Door(double, *chosen.listen)
    try:
        await door.be(UpsdTruth.OK)
        ready()
        await _follow(truth, plant, door.be)
    finally:
        await door.be(UpsdTruth.DEAD)


class Door:
    """The double's listening socket, there or not as the world says."""

    def __init__(self, double: UpsdDouble, host: str, port: int) -> None:
        self._double = double
        self._where = host, port
        self._serving: AsyncExitStack | None = None

    async def be(self, truth: UpsdTruth) -> None:
        self._double.ail(Ailment.STALE if truth is UpsdTruth.STALE else Ailment.NONE)
        if truth is UpsdTruth.DEAD and self._serving is not None:
            serving, self._serving = self._serving, None
            await serving.aclose()
        elif truth is not UpsdTruth.DEAD and self._serving is None:
            self._serving = AsyncExitStack()
            await self._serving.enter_async_context(self._double.serving(*self._where))


async def _follow(truth: Truth, plant: Plant, be: Callable[[UpsdTruth], Awaitable[None]]) -> None:
    while True:
        truth.refresh()
        await be(truth.world.upsd)
        plant.tick(time.monotonic(), mains=truth.world.mains)
        await asyncio.sleep(TICK_S)


def main() -> None:
    parser = arguments(__doc__, LISTEN, real=True)
    parser.add_argument("--time-factor", type=float, default=1.0, help="battery seconds per second (default 1)")
    chosen = parser.parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
