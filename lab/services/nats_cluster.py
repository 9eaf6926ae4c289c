"""Node internet: the NOC's broker as an existing clustered one, three nodes of NATS with its MQTT 3.1.1 gateway.

A node is killed and started again by name. What a client sees that mosquitto does not do (nats-server 2.9.10):
- MQTT 5 is refused with the CONNACK of 3.1.1, code 1. No reason codes, no expiry, no "nobody subscribed" (0x10).
- A dot or a space in a topic ends the connection, so names of sites, tenants and things must have none.
- A lasting session is 3.1.1's: it never expires, until a client of that id connects clean.
- The first connection of all takes 2–4 s: streams and consumers are made then. `ready` has that behind it.
- After a kill -9 a message may never be acknowledged, on a connection that stands: the client must give up by itself.
- What is retained is known to the other nodes a moment later: who subscribes there in between gets neither the old word
  nor the new one.
- A subscription of QoS 1 is a consumer that the cluster must agree on: while it elects, 0x80 is the answer, and what
  was published behind it on that connection waits. One of QoS 0 is not.
- A second connection under a client id on another node ends the first one.
"""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab.services.errors import PeerError
from lab.services.lifetime import Address, address, arguments, ready, run
from lab.services.mqtt_bytes import text
from lab.services.mqtt_codec import frame
from lab.services.nats_config import REPLICAS, UNHEALTHY, Health, Place, configuration, health, lacking

PROGRAM = "/usr/sbin/nats-server"
READY_WITHIN_S = 30.0
LOOK_EVERY_S = 0.1
ASK_S = 1.0
HEALTH = "/healthz?js-server-only=true"
"""Not of each consumer: those of the gateway itself may be called "not current" for ever after a restart, and work."""
TAKE_S = 3.0
WELCOME = b"\x20\x02\x00\x00"
TAKEN = b"\x40\x02\x00\x01"


@dataclass(eq=False)
class Node:
    """One nats-server. It dies with us (PDEATHSIG), however we end."""

    place: Place
    config: Path
    _process: asyncio.subprocess.Process | None = None

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """With what is on its disk. Does nothing where it runs."""
        if self.pid is None:
            with self.config.with_suffix(".log").open("ab") as said:
                self._process = await asyncio.create_subprocess_exec(
                    *("setpriv", "--pdeathsig", "KILL", PROGRAM, "-c", str(self.config)),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                )

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self._process and self.pid is not None:
            with suppress(ProcessLookupError):  # it ended by itself just now
                os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def health(self) -> Health:
        """UNHEALTHY where it does not answer."""
        try:
            async with asyncio.timeout(ASK_S):
                return health(await _get(self.place.monitor, HEALTH), await _get(self.place.monitor, "/jsz"))
        except (OSError, TimeoutError, PeerError):
            return UNHEALTHY

    async def takes(self) -> bool:
        """Whether it lets an MQTT client in and keeps its message. After a kill the streams are without a leader for a
        while, and what is published then is never acknowledged.
        """
        hello = frame(1, 0, text("MQTT") + b"\x04\x02\x00\x3c" + text(f"look-{self.name}"))
        message = frame(3, 2, text("lab/look") + b"\x00\x01")
        try:
            async with asyncio.timeout(TAKE_S):
                reader, writer = await asyncio.open_connection(*self.place.mqtt)
                try:
                    writer.write(hello + message)
                    return await reader.readexactly(len(WELCOME + TAKEN)) == WELCOME + TAKEN
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False


@dataclass
class Cluster:
    nodes: list[Node] = field(default_factory=list)

    @property
    def brokers(self) -> list[Address]:
        """Where MQTT is spoken."""
        return [node.place.mqtt for node in self.nodes]

    def at(self, broker: Address) -> Node:
        """The node that serves there. Raises PeerError where none does."""
        for node in self.nodes:
            if node.place.mqtt == broker:
                return node
        raise PeerError(f"no node at {broker[0]}:{broker[1]}")

    async def ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Until the nodes that run are healthy, agree on a leader, are up to date and keep MQTT messages. Raises
        PeerError with what is still missing.
        """
        loop = asyncio.get_running_loop()
        over_s = loop.time() + within_s
        while missing := await self._lacking():
            if loop.time() > over_s:
                raise PeerError(f"the NATS cluster is not ready after {within_s:g} s: {missing}")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _lacking(self) -> str:
        up = [node for node in self.nodes if node.pid is not None]
        told = await asyncio.gather(*(node.health() for node in up))
        if missing := lacking(zip((node.name for node in up), told, strict=True)) or _no_majority(up, self.nodes):
            return missing
        taken = await asyncio.gather(*(node.takes() for node in up))
        silent = [node.name for node, its in zip(up, taken, strict=True) if not its]
        return f"no message is taken at {', '.join(silent)}" if silent else ""


@asynccontextmanager
async def nats_cluster(directory: Path, brokers: Sequence[Address] = ()) -> AsyncIterator[Cluster]:
    """A cluster, ready, for the length of the block: three nodes that speak MQTT at `brokers`, or on free ports of
    loopback. `directory` holds their disks and what they said.

    Raises PeerError where it does not come up.
    """
    if not os.access(PROGRAM, os.X_OK):
        raise PeerError(f"no {PROGRAM}; Debian's package is nats-server")
    places = places_for(brokers)
    cluster = Cluster([_node(directory, place, places) for place in places])
    try:
        for node in cluster.nodes:
            await node.start()
        await cluster.ready()
        yield cluster
    finally:
        for node in cluster.nodes:
            await node.kill()


def places_for(brokers: Sequence[Address] = ()) -> list[Place]:
    """MQTT there; what they say among themselves, and MQTT where nothing is said of it, on ports of loopback that are
    free as of now.
    """
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(3 * REPLICAS)]
    free: list[Address] = [door.getsockname() for door in doors]
    for door in doors:
        door.close()
    mqtt, cluster, monitor = free[:REPLICAS], free[REPLICAS : 2 * REPLICAS], free[2 * REPLICAS :]
    nodes = zip(brokers or mqtt, cluster, monitor, strict=True)
    return [Place(f"noc-{number}", *doors) for number, doors in enumerate(nodes, 1)]


def _node(directory: Path, place: Place, cluster: Sequence[Place]) -> Node:
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / f"{place.name}.conf"
    config.write_text(configuration(place, cluster, directory / place.name))
    return Node(place, config)


def _no_majority(up: Sequence[Node], known: Sequence[Node]) -> str:
    return "" if 2 * len(up) > len(known) else f"{len(up)} of {len(known)} nodes run"


async def _get(where: Address, path: str) -> bytes:
    """The body, whatever the status: an ill node says why with 503."""
    reader, writer = await asyncio.open_connection(*where)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answer = await reader.read()
    finally:
        writer.close()
    return answer.partition(b"\r\n\r\n")[2]


async def serve(brokers: Sequence[Address], directory: Path) -> None:
    async with nats_cluster(directory / "nats", brokers):
        ready()
        await asyncio.Event().wait()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument(
        "--listen", type=address, nargs=REPLICAS, required=True, metavar="HOST:PORT", help="each node's MQTT"
    )
    chosen = parser.parse_args()
    run(lambda: serve(chosen.listen, chosen.dir))


if __name__ == "__main__":
    main()
