import os
from dataclasses import replace

import pytest

from bench.proc_stat import Machine, Usage, machine, parse_machine, parse_usage, usage_of

HZ = os.sysconf("SC_CLK_TCK")
STAT = (
    f"4711 (a (strange) name) S 1 4711 4711 0 -1 4194560 22193 0 0 0 {3 * HZ} {HZ // 2} 0 0 20 0 3 0 425931 31 20 184\n"
)
STATUS = """Name:\ta (strange) name
VmHWM:\t   92160 kB
VmRSS:\t   81920 kB
voluntary_ctxt_switches:\t1234
nonvoluntary_ctxt_switches:\t56
"""
THEN = Usage(at_s=100.0, user_s=3.0, system_s=0.5, wakeups=1234, rss_mib=80.0, peak_mib=90.0)


def test_a_process_is_read_whatever_its_name() -> None:
    assert parse_usage(STAT, STATUS, at_s=100.0) == THEN


def test_cost_is_what_came_between_two_looks() -> None:
    later = replace(THEN, at_s=160.0, user_s=5.4, system_s=1.1, wakeups=4234)
    assert later.cpu_pct(THEN) == pytest.approx(5.0)
    assert later.wakeups_per_s(THEN) == pytest.approx(50.0)


def test_the_machine_is_busy_with_all_but_idling_and_waiting_for_disks() -> None:
    then = parse_machine(f"cpu  {HZ} 0 0 {HZ} 0 0 0 0 0 0\ncpu0 …\n")
    later = parse_machine(f"cpu  {2 * HZ} {HZ} {HZ} {2 * HZ} {3 * HZ} {HZ} {HZ} {HZ} 0 0\n")
    assert then == Machine(busy_s=1.0, idle_s=1.0)
    assert later.busy_pct(then) == pytest.approx(60.0)
    assert then.busy_pct(then) == 0.0


def test_what_this_kernel_says_can_be_read() -> None:
    own = usage_of(os.getpid())
    assert own.user_s + own.system_s > 0
    assert 1 < own.rss_mib <= own.peak_mib
    assert machine().busy_s > 0
