"""The far end of bandwidth measurements, to run in the NOC or beside the platform.

    python -m probes.capacity.server --listen 0.0.0.0:8620 --key-file FILE

A public door that sends load only to an address that proved itself with the shared key, as much as was granted, and for
as long as it is told to. `capacity_doorman` lets in, `capacity_far_end` does as told; here are the sockets.
"""

import argparse
import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import structlog

from probes.capacity.doorman import Doorman, Grant, Limits, Peer
from probes.capacity.far_end import FarSession
from probes.capacity.load import send_slice
from probes.capacity.settings import read_key
from probes.capacity.socket import LoadSocket, from_where_it_was_asked, listening_socket
from probes.errors import MisuseError, PeerError
from probes.kernel_time import Address, Ancillary
from probes.packets import capacity as wire
from probes.prober import family_of
from probes.stamp_reflector import listen_address

log = structlog.get_logger()

_TICK_S, _IDLE_TICK_S = 0.001, 0.005
_IP_HEADERS = {4: 28, 6: 48}


@dataclass(slots=True)
class Tally:
    opened: int = 0
    garbage: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Running:
    session: FarSession
    address: Address
    control: Ancillary
    task: asyncio.Task[None]


class CapacityServer:
    """A bound far end on the running loop; `close` ends it and every session. Raises MisuseError if it cannot have its
    address.
    """

    def __init__(
        self,
        host: str,
        port: int,
        key: bytes,
        *,
        limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tally = Tally()
        self._key, self._monotonic = key, monotonic
        self._doorman = Doorman(key, os.urandom(32), limits or Limits(), monotonic())
        self._running: dict[tuple[Peer, int], _Running] = {}
        try:
            listening = ip_address(host)
            bound = listening_socket(family_of(listening), host, port)
        except (ValueError, OSError, OverflowError) as error:
            raise MisuseError(f"capacity server: cannot listen on {host} port {port}: {error}") from error
        self._ip_header_bytes = _IP_HEADERS[listening.version]
        self._socket = LoadSocket(bound, self._arrived)
        self.address = self._socket.address

    @property
    def sessions(self) -> int:
        """How many measure now."""
        return len(self._running)

    async def close(self) -> None:
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._socket.close()

    def _arrived(self, data: bytes, address: Address, arrived_ns: int, control: Ancillary) -> None:
        peer = address[0], address[1]
        try:
            kind, session = wire.kind_and_session(data)
            running = self._running.get((peer, session))
            if kind in (wire.Hello, wire.Open):
                self._opening(data, address, from_where_it_was_asked(control))
            elif running is None:
                self.tally.garbage += 1  # it is over, or never was: no answer
            elif kind is wire.LoadUp:
                number, order, sent_ns = wire.read_load(data, running.session.grant.key)
                running.session.load(number, order, sent_ns, arrived_ns, self._monotonic())
            else:
                self._control(running, wire.decode(data, running.session.grant.key))
        except PeerError as error:
            self.tally.garbage += 1
            log.debug("capacity_server_drops", peer=peer[0], why=str(error))

    # ── opening ────────────────────────────────────────────────────────────────────────────────────────
    def _opening(self, data: bytes, address: Address, control: Ancillary) -> None:
        peer, now_s = (address[0], address[1]), self._monotonic()
        try:
            asked = wire.decode(data, self._key)
        except PeerError:
            self.tally.refused += 1
            self._deny(data, address, control)
            return
        match asked:
            case wire.Hello():
                self._answer(self._doorman.hello(peer, asked, len(data), now_s), self._key, address, control)
            case wire.Open():
                granted = self._doorman.open(peer, asked, len(data), now_s)
                if isinstance(granted, Grant):
                    self._begin(granted, address, control)
                    self._answer(granted.opened, granted.key, address, control)
                else:
                    self.tally.refused += 1
                    self._answer(granted, self._key, address, control)

    def _deny(self, data: bytes, address: Address, control: Ancillary) -> None:
        """To whoever says HELLO with another key than ours."""
        if hello := wire.unsigned_hello(data):
            now_s = self._monotonic()
            self._answer(self._doorman.denied(hello, len(data), now_s), b"", address, control)

    def _begin(self, grant: Grant, address: Address, control: Ancillary) -> None:
        if (grant.peer, grant.session) in self._running:
            return
        session = FarSession(grant, ip_header_bytes=self._ip_header_bytes, now_s=self._monotonic())
        task = asyncio.get_running_loop().create_task(self._drive(session, address, control))
        self._running[grant.peer, grant.session] = _Running(session, address, control, task)
        self.tally.opened += 1
        log.info("capacity_session_begins", peer=grant.peer[0], wish=grant.wish.name, bytes_max=grant.bytes_max)

    # ── a session ──────────────────────────────────────────────────────────────────────────────────────
    async def _drive(self, session: FarSession, address: Address, control: Ancillary) -> None:
        grant, padding = session.grant, os.urandom(session.padding_bytes)

        def send_load(number: int, order: int) -> bool:
            head = wire.load_head(wire.LoadDown, grant.session, number, order, time.monotonic_ns(), grant.key)
            return self._send(head, address, control, padding)

        try:
            while not session.over:
                self._answer(session.feedback(self._monotonic()), grant.key, address, control)
                due = session.load_due(self._monotonic())
                session.load_sent(await send_slice(due, send_load, whole=grant.wish is wire.Wish.TRAINS))
                await asyncio.sleep(_TICK_S if session.sends_load else _IDLE_TICK_S)
        finally:
            del self._running[grant.peer, grant.session]
            self._doorman.gone(grant)
            log.info("capacity_session_ends", peer=grant.peer[0], wish=grant.wish.name, bytes=session.spent_bytes)

    def _control(self, running: _Running, message: wire.Message) -> None:
        session = running.session
        self._answer(session.control(message, self._monotonic()), session.grant.key, running.address, running.control)

    def _answer(self, message: wire.Message | None, key: bytes, address: Address, control: Ancillary) -> None:
        if message is not None:
            self._send(wire.encode(message, key), address, control)

    def _send(self, data: bytes, address: Address, control: Ancillary, padding: bytes = b"") -> bool:
        try:
            return self._socket.send(data, padding, to=address, control=control)
        except OSError as error:  # no route back, or the source address is gone: the client sees silence
            log.debug("capacity_server_cannot_send", peer=address[0], error=str(error))
            return False


async def serve(host: str, port: int, key: bytes, *, limits: Limits | None = None) -> None:
    """Serves on an IP address and UDP port until cancelled. Raises MisuseError if the address cannot be had."""
    server = CapacityServer(host, port, key, limits=limits)
    log.info("capacity_server_listens", host=server.address[0], port=server.address[1])
    try:
        await asyncio.Event().wait()
    finally:
        await server.close()


async def _until_told(listen: tuple[str, int], key: bytes, limits: Limits) -> None:
    host, port = listen
    serving = asyncio.create_task(serve(host, port, key, limits=limits))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    with suppress(asyncio.CancelledError):
        await serving


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m probes.capacity.server", description="the far end of bandwidth measurements"
    )
    parser.add_argument("--listen", type=listen_address, default=("0.0.0.0", wire.PORT), metavar="ADDRESS:PORT")
    parser.add_argument("--key-file", type=Path, required=True, help="the key shared with the boxes, 16 bytes or more")
    parser.add_argument("--max-sessions", type=int, default=Limits().sessions, help="at once (%(default)s)")
    parser.add_argument("--max-mbit", type=float, default=Limits().rate_bps / 1e6, help="of each (%(default)g)")
    chosen = parser.parse_args()
    # A public door must not write a line for every packet it drops.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    limits = Limits(sessions=max(1, chosen.max_sessions), rate_bps=max(0.1, chosen.max_mbit) * 1e6)
    try:
        asyncio.run(_until_told(chosen.listen, read_key(chosen.key_file), limits))
    except MisuseError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
