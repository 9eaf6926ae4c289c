"""sd_notify(3): READY, WATCHDOG, STATUS to systemd, if it asked. (`import systemd` would find our own folder.)"""

import os
import socket


def notify(*assignments: str) -> None:
    """Send e.g. ``notify("READY=1", "STATUS=tier 0")``; does nothing where no service manager listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # abstract socket
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto("\n".join(assignments).encode(), address)
        except OSError:  # the manager is gone; the watchdog will have its say
            return
