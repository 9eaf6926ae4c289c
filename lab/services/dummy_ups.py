"""Real upsd with NUT's dummy-ups drivers, fed by us.

What a driver says stands in NAME.dev, replaced whole; dummy-ups looks once a second and reads again when the file's
time (whole seconds) is another one, so each file gets a time of its own. "Dead" stops upsd, "stale" freezes the
drivers: clients see it MAXAGE_S later.
"""

import asyncio
import os
import shlex
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from lab.services.children import Child, accepts, running, scratch, start
from lab.services.errors import MisuseError, PeerError
from lab.services.lifetime import Address
from lab.services.nut_users import PASSWORD, USER
from lab.services.world import UpsdTruth

UPSD = ("/lib/nut/upsd", "/usr/lib/nut/upsd")
DRIVER = ("/lib/nut/dummy-ups", "/usr/lib/nut/dummy-ups")
MAXAGE_S = 3  # NUT ships 15; a story told in minutes cannot wait that long
FIRST_STATUS_S = 15.0
SOCKET_PATH_MAX = 107  # sun_path of unix(7), less the closing zero
FIRST_FILE_TIME_S = 1_000_000_000


def as_somebody(user_id: int, setgroups: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What to put before and after the program so that it neither drops to a user of its own nor fails to try.

    As real root: `-u root`. As uid 0 of a single-id user namespace (`setgroups` says "deny") initgroups is refused, so
    it runs in a namespace nested in ours where it is nobody special. As an ordinary user: as it is.
    """
    if user_id != 0:
        return (), ()
    if setgroups.strip() == "deny":
        return ("unshare", "--user", "--map-user=1000", "--"), ()
    return (), ("-u", "root")


class RealUpsd:
    """upsd and one driver a UPS, from `serving`."""

    def __init__(self, programs: tuple[str, str], folder: Path, listen: Address, names: Iterable[str]) -> None:
        self._upsd_program, self._driver_program = programs
        self._folder = folder
        self._listen = listen
        self._names = tuple(names)
        self._file_time_s = FIRST_FILE_TIME_S
        self._environment = {"NUT_CONFPATH": str(folder), "NUT_STATEPATH": str(folder)}
        self._drivers: list[Child] = []
        self._upsd: Child | None = None

    def say(self, name: str, variables: Mapping[str, str]) -> None:
        """What UPS `name` says from its driver's next look on."""
        self._file_time_s += 1
        fresh = self._folder / f"{name}.new"
        fresh.write_text("".join(f"{key}: {value}\n" for key, value in variables.items()))
        os.utime(fresh, (self._file_time_s, self._file_time_s))
        fresh.rename(self._folder / f"{name}.dev")

    async def be(self, truth: UpsdTruth) -> None:
        """Make upsd and its drivers so."""
        for driver in self._drivers:
            driver.freeze(frozen=truth is UpsdTruth.STALE)
        if truth is UpsdTruth.DEAD:
            await self._end_upsd()
        elif self._upsd is None:
            await self._start_upsd()

    def check(self) -> None:
        """Raise PeerError if something that should run ended by itself."""
        for child in (*self._drivers, *([self._upsd] if self._upsd else [])):
            if not child.running:
                raise PeerError(f"{child.name} ended by itself")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Drivers and upsd up, every UPS heard of."""
        self._configure()
        async with AsyncExitStack() as stack:
            for name in self._names:
                command = self._command(self._driver_program, "-a", name)
                child = await stack.enter_async_context(running(f"dummy-ups {name}", *command, env=self._environment))
                self._drivers.append(child)
            stack.push_async_callback(self._end_upsd)
            await self._start_upsd()
            await self._heard()
            yield

    def _configure(self) -> None:
        longest = max(len(str(self._folder / f"dummy-ups-{name}")) for name in self._names)
        if longest > SOCKET_PATH_MAX:
            raise MisuseError(
                f"{self._folder} is too long a path for the drivers' sockets ({longest} > {SOCKET_PATH_MAX})"
            )
        units = "".join(
            f'[{name}]\n driver = dummy-ups\n port = {name}.dev\n mode = dummy-once\n desc = "lab UPS {name}"\n'
            for name in self._names
        )
        files = {
            "nut.conf": "MODE=none\n",
            "ups.conf": f"maxretry = 1\npollinterval = 1\n{units}",
            "upsd.conf": f"LISTEN {self._listen[0]} {self._listen[1]}\nMAXAGE {MAXAGE_S}\n",
            "upsd.users": f"[{USER}]\n password = {PASSWORD}\n actions = SET\n instcmds = ALL\n upsmon secondary\n",
        }
        for file, text in files.items():
            (self._folder / file).write_text(text)
        for left_over in self._folder.glob("dummy-ups-*"):
            left_over.unlink()

    def _command(self, program: str, *arguments: str) -> tuple[str, ...]:
        before, after = as_somebody(os.geteuid(), Path("/proc/self/setgroups").read_text())
        return (*before, program, *arguments, "-F", *after)

    async def _start_upsd(self) -> None:
        self._upsd = await start("upsd", *self._command(self._upsd_program), env=self._environment)
        await accepts(self._listen, self._upsd)

    async def _end_upsd(self) -> None:
        upsd, self._upsd = self._upsd, None
        if upsd is not None:
            await upsd.end()

    async def _heard(self) -> None:
        """Wait until upsd has a status from every driver: until then it says WAIT or refuses."""
        try:
            async with asyncio.timeout(FIRST_STATUS_S):
                for name in self._names:
                    while await self._status(name) in (None, "WAIT"):
                        self.check()
                        await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise PeerError(f"upsd heard nothing from its drivers for {FIRST_STATUS_S:.0f} s") from error

    async def _status(self, name: str) -> str | None:
        reader, writer = await asyncio.open_connection(*self._listen)
        try:
            writer.write(f"GET VAR {name} ups.status\n".encode())
            words = shlex.split((await reader.readline()).decode())
        finally:
            writer.close()
        return words[3] if len(words) == 4 and words[0] == "VAR" else None


def prepared(programs: tuple[str, str], directory: Path, listen: Address, names: Iterable[str]) -> RealUpsd:
    """A RealUpsd with its folder under the lab's directory. Say what each UPS says before `serving`."""
    return RealUpsd(programs, scratch(directory, "nut"), listen, names)
