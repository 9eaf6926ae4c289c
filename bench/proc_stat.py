"""What the kernel says a process, and the machine, has used. Parsing is pure; reading is two short functions.

Sources: proc(5), proc_pid_stat(5), proc_pid_status(5), proc_stat(5).
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_KIB_PER_MIB = 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process since it began; memory as it is now."""

    at_s: float
    user_s: float
    system_s: float
    wakeups: int
    """Times it had slept and went on (voluntary context switches of the main thread)."""
    rss_mib: float
    peak_mib: float

    def cpu_pct(self, since: "Usage") -> float:
        """Of one core."""
        used_s = self.user_s + self.system_s - since.user_s - since.system_s
        return 100 * used_s / (self.at_s - since.at_s)

    def wakeups_per_s(self, since: "Usage") -> float:
        return (self.wakeups - since.wakeups) / (self.at_s - since.at_s)


@dataclass(frozen=True, slots=True)
class Machine:
    """Seconds of all cores together since boot."""

    busy_s: float
    idle_s: float

    def busy_pct(self, since: "Machine") -> float:
        """Of all cores."""
        busy_s, idle_s = self.busy_s - since.busy_s, self.idle_s - since.idle_s
        return 100 * busy_s / (busy_s + idle_s) if busy_s + idle_s else 0.0


def usage_of(pid: int) -> Usage:
    """Raises FileNotFoundError or ProcessLookupError when there is no such process."""
    folder = Path(f"/proc/{pid}")
    stat, status = (folder / "stat").read_text(), (folder / "status").read_text()
    return parse_usage(stat, status, time.monotonic())


def machine() -> Machine:
    return parse_machine(Path("/proc/stat").read_text())


def parse_usage(stat: str, status: str, at_s: float) -> Usage:
    after_name = stat.rpartition(")")[2].split()  # a program's name may hold spaces and brackets
    user, system = after_name[11:13]  # fields 14 and 15
    facts = dict(line.split(":", 1) for line in status.splitlines())
    return Usage(
        at_s=at_s,
        user_s=int(user) / _TICKS_PER_S,
        system_s=int(system) / _TICKS_PER_S,
        wakeups=int(facts["voluntary_ctxt_switches"]),
        rss_mib=_kib(facts["VmRSS"]) / _KIB_PER_MIB,
        peak_mib=_kib(facts["VmHWM"]) / _KIB_PER_MIB,
    )


def parse_machine(stat: str) -> Machine:
    """The first line: cpu user nice system idle iowait irq softirq steal …"""
    user, nice, system, idle, iowait, irq, softirq, steal = map(int, stat.splitlines()[0].split()[1:9])
    return Machine((user + nice + system + irq + softirq + steal) / _TICKS_PER_S, (idle + iowait) / _TICKS_PER_S)


def _kib(text: str) -> int:
    return int(text.removesuffix("kB"))
