"""One node of the NOC's NATS cluster: its configuration, and what its monitoring says. Pure.

Sources: docs.nats.io, "MQTT configuration" and "Monitoring"; nats-server 2.9.10 as Debian 12 has it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.services.errors import PeerError
from lab.services.lifetime import Address

REPLICAS = 3
"""Of every message and every session. What the broker acknowledged is on at least two nodes, so one may die."""
STORE_MIB = 256


@dataclass(frozen=True, slots=True)
class Place:
    """Where one node serves."""

    name: str
    mqtt: Address
    cluster: Address
    monitor: Address


@dataclass(frozen=True, slots=True)
class Health:
    """What one node says of itself and of the cluster."""

    healthy: bool
    leader: str | None
    """Who leads JetStream, as this node sees it."""
    current: frozenset[str] | None
    """Who is up to date, the leader included; only the leader knows."""


UNHEALTHY = Health(healthy=False, leader=None, current=None)


def configuration(place: Place, cluster: Sequence[Place], store: Path) -> str:
    """nats-server's file. Clients of NATS itself get any free port: nobody here is one."""
    routes = ", ".join(f'"nats-route://{_at(each.cluster)}"' for each in cluster)
    return f"""\
server_name: {place.name}
listen: "{place.mqtt[0]}:-1"
http: "{_at(place.monitor)}"
jetstream {{ store_dir: "{store}", max_memory_store: {STORE_MIB}MB, max_file_store: {STORE_MIB}MB }}
cluster {{ name: noc, listen: "{_at(place.cluster)}", routes: [{routes}] }}
mqtt {{ listen: "{_at(place.mqtt)}", stream_replicas: {REPLICAS}, consumer_replicas: {REPLICAS} }}
"""


def health(healthz: bytes, jsz: bytes) -> Health:
    """From the bodies of /healthz and /jsz. Raises PeerError where one is not what it should be."""
    try:
        well = json.loads(healthz)["status"] == "ok"
        meta = json.loads(jsz).get("meta_cluster", {})
        leader = meta.get("leader") or None
        replicas = meta.get("replicas")
        current = {each["name"] for each in replicas or () if each["current"] and not each.get("offline")}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PeerError(f"NATS monitoring said {healthz[:80]!r}, {jsz[:80]!r}: {error!r}") from error
    return Health(well, leader, frozenset(current | {leader}) if leader and replicas is not None else None)


def lacking(told: Iterable[tuple[str, Health]]) -> str:
    """What keeps the nodes that run, by name, from serving together; "" when nothing does."""
    nodes = dict(told)
    ill = [name for name, its in nodes.items() if not its.healthy]
    if ill:
        return f"{', '.join(ill)} not healthy"
    leaders = {its.leader for its in nodes.values()}
    if len(leaders) != 1 or not leaders & nodes.keys():
        return f"no leader they agree on: {sorted(map(str, leaders))}"
    current = frozenset[str]().union(*(its.current or () for its in nodes.values()))
    behind = sorted(nodes.keys() - current)
    return f"{', '.join(behind)} not up to date" if behind else ""


def _at(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
