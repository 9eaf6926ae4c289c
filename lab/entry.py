"""How `lab up` becomes a site: into namespaces of its own, then one process that stays in front and one that is the
site.

    lab up  ──exec──  unshare --net --mount --pid …  ──exec──  python -m lab.entry  ──fork──  the site, process 1 there

Process 1 takes its process-id namespace with it when it ends, and it ends when the one in front does
(PR_SET_PDEATHSIG). So nothing of a lab outlives the killing of either, whatever a service started, and whatever that
did to its user id.
"""

import argparse
import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn, get_args

from lab.errors import LabFailure
from lab.service import Media, Service

PR_SET_PDEATHSIG = 1
TELLING_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_NAMESPACES = ["--net", "--mount", "--pid"]
_AS_ROOT = ["unshare", *_NAMESPACES]
_AS_ANYBODY = ["unshare", "--user", "--map-root-user", *_NAMESPACES]


def enter(words: list[str], *, user_namespace: bool) -> NoReturn:
    """Replace this process by the lab; `words` as `main` takes them, `user_namespace` also where it can do without.

    Raises LabFailure where namespaces are not granted.
    """
    if os.geteuid() == 0 and not user_namespace and _granted(_AS_ROOT):
        into = _AS_ROOT
    elif _granted(_AS_ANYBODY):
        into, words = _AS_ANYBODY, [*words, "--user-namespace"]
    else:
        raise LabFailure(
            "this machine grants no namespaces. As root they need CAP_SYS_ADMIN; for others see the sysctls "
            "user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns"
        )
    os.execvp("unshare", [*into, sys.executable, "-m", "lab.entry", *words])


def main() -> NoReturn:
    options = _parser().parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, TELLING_TO_END)
    site = os.fork()
    if site == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _on_being_told(lambda *_: sys.exit(0))  # until the site's loop takes over; process 1 has no default action
        sys.exit(_be_the_site(options))
    _on_being_told(lambda *_: os.kill(site, signal.SIGTERM))
    _, status = os.waitpid(site, 0)
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)  # as a shell says it: 137 for SIGKILL


def _be_the_site(options: argparse.Namespace) -> int:
    """What takes a fifth of a second to import is imported here, behind the fork: the process in front stays small."""
    from lab import plan, site
    from lab.cabling import build
    from lab.failover import Timing
    from lab.nodes import make_nodes, register

    _log_to_stderr()
    directory: Path = options.dir
    try:
        nodes = make_nodes(plan.NODES, forwarding=plan.FORWARDING)
        build(nodes)
    except LabFailure as failure:
        print(f"lab: {failure}", file=sys.stderr)
        return 1
    timing = Timing(options.failover, options.failback)
    running = site.RunningSite(directory, nodes, timing, _services(options), media=options.media)
    with register(directory, nodes, user_namespace=options.user_namespace):
        return asyncio.run(site.run(running, directory, with_daemon=not options.no_daemon))


def _services(options: argparse.Namespace) -> tuple[Service, ...]:
    if options.no_services:
        return ()
    from lab.services import services_for

    return services_for(options.media)


def _log_to_stderr() -> None:
    import structlog

    shown = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper("%H:%M:%S", utc=False), shown],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _on_being_told(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in TELLING_TO_END:
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, TELLING_TO_END)


def _granted(unshare: list[str]) -> bool:
    """Try it on a program that does nothing: 3 ms."""
    return subprocess.run([*unshare, "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.entry")
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--failover", type=float, required=True)
    parser.add_argument("--failback", type=float, required=True)
    parser.add_argument("--media", choices=get_args(Media), required=True)
    parser.add_argument("--no-daemon", action="store_true")
    parser.add_argument("--no-services", action="store_true")
    parser.add_argument("--user-namespace", action="store_true")
    return parser


if __name__ == "__main__":
    main()
