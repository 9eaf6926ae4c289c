"""The nodes of the site: each a network namespace (and a mount namespace, for a /sys that shows its interfaces), kept
by a small process that does nothing else.

A socket keeps the namespace it was opened in, so `Node.socket` is all the lab's own process needs to work inside a
node; programs are started there through `nsenter`. Process ids in here are those /proc shows, also where the lab runs
in a process-id namespace of its own: they are good for the lab and for the world outside.
"""

import ctypes
import json
import os
import socket
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabFailure, LabMisuse
from lab.place import is_claimed

CLONE_NEWNET = 0x4000_0000
REGISTER = "nodes.json"

# Reverse-path filtering would drop what the policy rules send another way than the main table says; IPv6 would put its
# own chatter on every wire.
_SYSCTLS = {
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
}


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    keeper: subprocess.Popen[bytes]
    """Lives until the lab's end of its stdin closes."""
    keeper_pid: int
    """As /proc shows it."""
    netns_fd: int

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread is in the node until the block ends: never await in it."""
        own_fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter_netns(self.netns_fd)
            try:
                yield
            finally:
                _enter_netns(own_fd)
        finally:
            os.close(own_fd)

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket that lives in this node, wherever its user runs."""
        with self.entered():
            return socket.socket(family, kind, protocol)

    def command(self, argv: Sequence[str]) -> list[str]:
        """`argv` as the lab's own processes start it in this node; it replaces nsenter, so the process id is its
        own."""
        return [*_nsenter(self.keeper_pid), *argv]


def make_nodes(names: Iterable[str], *, forwarding: Iterable[str]) -> dict[str, Node]:
    """Start a keeper for each name. Raises LabFailure when this machine forbids namespaces."""
    keepers = {name: _start_keeper(forward=name in forwarding) for name in names}
    return {name: _adopt(name, keeper) for name, keeper in keepers.items()}


@contextmanager
def register(directory: Path, nodes: dict[str, Node], *, user_namespace: bool) -> Iterator[None]:
    """For the length of a block, say in DIR what `node_command` needs to enter the nodes from outside."""
    path = directory / REGISTER
    keepers = {name: node.keeper_pid for name, node in nodes.items()}
    path.write_text(json.dumps({"user_namespace": user_namespace, "keepers": keepers}))
    try:
        yield
    finally:
        path.unlink()


def node_command(directory: Path, node: str, argv: Sequence[str]) -> list[str]:
    """`argv` for a process outside the lab, run inside `node` of the lab in `directory`, in the present working
    directory.

    Raises LabFailure when no lab runs there, LabMisuse when it has no such node.
    """
    if not is_claimed(directory):
        raise LabFailure(f"no lab runs in {directory}")
    entries = json.loads((directory / REGISTER).read_text())
    keepers: dict[str, int] = entries["keepers"]
    if node not in keepers:
        raise LabMisuse(f"no node {node!r}; the nodes are {', '.join(keepers)}")
    user = ["--user", "--preserve-credentials"] if entries["user_namespace"] else []
    return [*_nsenter(keepers[node]), *user, "--", *argv]


def outside_pid(pid: int) -> int:
    """What /proc calls the process that is `pid` to us. Raises ProcessLookupError when it is gone.

    A pidfd's fdinfo is written in the numbers of the /proc it is read through (proc_pid_fdinfo(5)).
    """
    handle = os.pidfd_open(pid)
    try:
        lines = Path(f"/proc/self/fdinfo/{handle}").read_text().splitlines()
    finally:
        os.close(handle)
    return int(next(line.split()[1] for line in lines if line.startswith("Pid:")))


def _nsenter(keeper_pid: int) -> list[str]:
    return ["nsenter", f"--target={keeper_pid}", "--net", "--mount", "--wd=."]


def _start_keeper(*, forward: bool) -> subprocess.Popen[bytes]:
    """It prints a line when all is set, and then holds the namespaces until its stdin ends."""
    settings = _SYSCTLS | {"net/ipv4/ip_forward": "1" if forward else "0"}
    script = "".join(
        f"[ ! -e /proc/sys/{key} ] || echo {value} > /proc/sys/{key} || exit 1\n" for key, value in settings.items()
    )
    # Refused in some containers: /sys then goes on showing the interfaces outside, which nothing of ours asks for.
    script += "mount -t sysfs none /sys 2>/dev/null\necho\nexec cat"
    argv = ["unshare", "--net", "--mount", "sh", "-c", script]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)


def _adopt(name: str, keeper: subprocess.Popen[bytes]) -> Node:
    if keeper.stdout is None or not keeper.stdout.readline():
        raise LabFailure(f"node {name}: its namespaces could not be made (exit status {keeper.wait()})")
    pid = outside_pid(keeper.pid)
    return Node(name, keeper, pid, os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC))


def _enter_netns(fd: int) -> None:
    """os.setns is younger than our oldest Python (3.12)."""
    if _LIBC.setns(fd, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")


_LIBC = ctypes.CDLL(None, use_errno=True)
