import json
from pathlib import Path

import pytest

from lab.services.errors import PeerError
from lab.services.nats_config import UNHEALTHY, Health, Place, configuration, health, lacking

WELL = b'{"status":"ok"}'
PLACES = [Place(f"noc-{n}", ("127.0.0.1", 1880 + n), ("127.0.0.1", 6220 + n), ("127.0.0.1", 8220 + n)) for n in (1, 2)]


def jsz(leader: str, *replicas: dict[str, object]) -> bytes:
    meta: dict[str, object] = {"name": "noc", "leader": leader, "cluster_size": 3}
    return json.dumps({"meta_cluster": meta | ({"replicas": replicas} if replicas else {})}).encode()


def test_a_node_knows_its_own_doors_and_the_ways_to_all() -> None:
    text = configuration(PLACES[1], PLACES, Path("/disk/noc-2"))
    assert 'mqtt { listen: "127.0.0.1:1882", stream_replicas: 3, consumer_replicas: 3 }' in text
    assert 'routes: ["nats-route://127.0.0.1:6221", "nats-route://127.0.0.1:6222"]' in text
    assert 'http: "127.0.0.1:8222"' in text
    assert 'store_dir: "/disk/noc-2"' in text


def test_the_leader_knows_who_is_up_to_date() -> None:
    replicas = (
        {"name": "noc-1", "current": True},
        {"name": "noc-2", "current": False},
        {"name": "noc-4", "current": True, "offline": True},
    )
    assert health(WELL, jsz("noc-3", *replicas)) == Health(
        healthy=True, leader="noc-3", current=frozenset({"noc-1", "noc-3"})
    )


def test_the_others_know_the_leader() -> None:
    assert health(WELL, jsz("noc-3")) == Health(healthy=True, leader="noc-3", current=None)


@pytest.mark.parametrize(
    ("healthz", "meta"),
    [
        (b"", b"{}"),
        (b"[]", b"{}"),
        (WELL, b"[]"),
        (WELL, b'{"meta_cluster": []}'),
        (WELL, b'{"meta_cluster": {"leader": "a", "replicas": [{}]}}'),
    ],
)
def test_what_is_no_monitoring_is_refused(healthz: bytes, meta: bytes) -> None:
    with pytest.raises(PeerError):
        health(healthz, meta)


A, B = "noc-1", "noc-2"
LEADER = Health(healthy=True, leader=A, current=frozenset({A, B}))
FOLLOWER = Health(healthy=True, leader=A, current=None)


@pytest.mark.parametrize(
    ("told", "missing"),
    [
        ({A: LEADER, B: FOLLOWER}, ""),
        ({A: LEADER, B: UNHEALTHY}, "noc-2 not healthy"),
        ({A: LEADER, B: Health(healthy=True, leader=None, current=None)}, "no leader they agree on: ['None', 'noc-1']"),
        ({B: FOLLOWER}, "no leader they agree on: ['noc-1']"),  # the leader is the one that was killed
        ({A: Health(healthy=True, leader=A, current=frozenset({A})), B: FOLLOWER}, "noc-2 not up to date"),
    ],
)
def test_nodes_serve_together_when_all_are_well_and_follow_one_that_runs(told: dict[str, Health], missing: str) -> None:
    assert lacking(told.items()) == missing
