"""Another boot of the edge box, as far as a program on it can tell: a boot id of its own, and clocks that began then.

A time namespace (time_namespaces(7)) moves CLOCK_BOOTTIME and CLOCK_MONOTONIC; the wall clock is everybody's and stays.
"""

import ctypes
import os
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BOOT_ID = "/proc/sys/kernel/random/boot_id"
_CLONE_NEWTIME, _CLONE_NEWNS = 0x80, 0x20000
_MS_BIND, _MS_PRIVATE_REC = 0x1000, 0x4000 | 0x40000
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Boot:
    boot_id: str
    began_s: int
    """By CLOCK_BOOTTIME of the machine the lab runs on."""

    @classmethod
    def begins_now(cls) -> "Boot":
        return cls(str(uuid.uuid4()), int(time.clock_gettime(time.CLOCK_BOOTTIME)))

    def command(self, directory: Path, argv: Sequence[str]) -> list[str]:
        """`argv` in this boot. The id is kept in a file of `directory`."""
        kept = directory / "boot_id"
        kept.write_text(f"{self.boot_id}\n", encoding="ascii")
        return [sys.executable, "-m", "lab.boot", str(kept), str(self.began_s), *argv]


def main() -> None:
    """Turn this process into the program: its process id stays."""
    kept, began_s, *argv = sys.argv[1:]
    _check("unshare", _LIBC.unshare(_CLONE_NEWTIME | _CLONE_NEWNS))
    asleep_s = round(time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic())
    offsets = f"monotonic {asleep_s - int(began_s)} 0\nboottime {-int(began_s)} 0\n"
    Path("/proc/self/timens_offsets").write_text(offsets, encoding="ascii")
    handle = os.open("/proc/self/ns/time_for_children", os.O_RDONLY | os.O_CLOEXEC)
    _check("setns", _LIBC.setns(handle, _CLONE_NEWTIME))
    _check("mount", _LIBC.mount(None, b"/", None, _MS_PRIVATE_REC, None))
    _check("mount", _LIBC.mount(kept.encode(), BOOT_ID.encode(), None, _MS_BIND, None))
    os.execv(argv[0], argv)


def _check(call: str, result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{call}: {os.strerror(error)}")


if __name__ == "__main__":
    main()
