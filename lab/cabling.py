"""Builds the network of `lab.plan` in the nodes: cables, bridges, addresses, neighbours, routes, rules, address
translation.

`build` runs before the event loop does: pyroute2's plain calls need that, and each thread is in one namespace at a
time. What is changed while the site runs is a coroutine: the active WAN's route, a policy rule, and a cable pulled or
plugged.
"""

import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pyroute2.iproute.linux import AsyncIPRoute, IPRoute
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.nftables.expressions import ipv4addr, masq
from pyroute2.nftables.main import NFTables

from lab import plan
from lab.errors import LabFailure
from lab.nodes import Node
from lab.offload import switch_off_offloads

FIRST_INDEX = 20
"""Above what the kernel itself counts up to in any node."""

CARRIER_WITHIN_S = 3.0
NUD_PERMANENT = 0x80
FR_ACT_BLACKHOLE = 6
"""linux/fib_rules.h: what matches is thrown away, and nobody is told."""
NF_ACCEPT = 1
SRCNAT_PRIORITY = 100


def build(nodes: dict[str, Node]) -> None:
    """Everything of the plan. Raises LabFailure with what the kernel refused."""
    try:
        with IPRoute(groups=0) as ip:
            for number, cable in enumerate(plan.CABLES):
                _lay(ip, number, cable, nodes)
        for node in nodes.values():
            with node.entered(), IPRoute(groups=0) as ip:
                _furnish(ip, node)
        with nodes["router"].entered(), NFTables(nfgen_family=socket.AF_INET) as nft:
            _masquerade(nft)
        for node in nodes.values():
            _await_carriers(node)
    except (NetlinkError, OSError) as error:
        raise LabFailure(f"this kernel or its owner refused a part of the site's network: {error}") from error


async def route_by(router: Node, wan: plan.Wan) -> None:
    """From the next packet on, whatever is not pinned leaves the router by `wan`.

    Nothing else is needed to move a running flow: the kernel throws away the masquerading of a flow whose interface
    changed, with the one packet that showed it, and the next packet is given the address of the new WAN.
    """
    async with _netlink(router) as ip:
        index = _index(router, wan.ifname)
        await ip.route("replace", dst="0.0.0.0/0", gateway=wan.provider, oif=index, table=plan.TABLE_ACTIVE)


async def set_cable(port: plan.Port, node: Node, *, plugged: bool) -> None:
    """Pull or plug the cable at `port`: its other end loses or gets its carrier."""
    async with _netlink(node) as ip:
        await ip.link("set", index=_index(node, port.ifname), state="up" if plugged else "down")


async def add_rule(node: Node, rule: plan.Rule) -> None:
    async with _netlink(node) as ip:
        await ip.rule("add", **_as_netlink(rule))


async def remove_rule(node: Node, rule: plan.Rule) -> None:
    async with _netlink(node) as ip:
        await ip.rule("del", **_as_netlink(rule))


@asynccontextmanager
async def _netlink(node: Node) -> AsyncIterator[AsyncIPRoute]:
    """Short-lived on purpose: a netlink socket of pyroute2 0.9 keeps about 1 KB of each request. What the kernel
    refuses within the block becomes a LabFailure."""
    try:
        async with AsyncIPRoute(groups=0, fileno=node.socket(socket.AF_NETLINK, socket.SOCK_DGRAM).detach()) as ip:
            yield ip
    except (NetlinkError, OSError) as error:
        raise LabFailure(f"the kernel refused a change in node {node.name}: {error}") from error


def _as_netlink(rule: plan.Rule) -> dict[str, Any]:
    source = {"src": rule.source, "src_len": 32} if rule.source else {}
    target = {"action": FR_ACT_BLACKHOLE} if rule.table is None else {"table": rule.table}
    return {"priority": rule.priority, **source, **target}


def _index(node: Node, ifname: str) -> int:
    with node.entered():
        return socket.if_nametoindex(ifname)


def _lay(ip: IPRoute, number: int, cable: plan.Cable, nodes: dict[str, Node]) -> None:
    """One end gets an interface number of its own: the kernel takes up to a second to notice the carrier of a cable
    whose two ends happen to have the same number in their namespaces (linkwatch holds it for the lower device of
    itself)."""
    a, b = (
        {"ifname": port.ifname, "address": port.mac, "net_ns_fd": nodes[port.node].netns_fd}
        for port in (cable.a, cable.b)
    )
    ip.link("add", index=FIRST_INDEX + number, kind="veth", **a, peer=b)


def _furnish(ip: IPRoute, node: Node) -> None:
    """What is inside one node, in the order the kernel wants it: an address needs its interface, a route its
    address."""
    ip.link("set", index=socket.if_nametoindex("lo"), state="up")
    for bridge, ports in plan.BRIDGES.items():
        if bridge.node == node.name:
            ip.link("add", ifname=bridge.ifname, kind="bridge", address=bridge.mac, br_stp_state=0, br_forward_delay=0)
            for port in ports:
                ip.link("set", index=socket.if_nametoindex(port), master=socket.if_nametoindex(bridge.ifname))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for index, ifname in socket.if_nameindex():
            if ifname != "lo":
                switch_off_offloads(control, ifname)
                ip.link("set", index=index, state="up")
    _number(ip, node)


def _await_carriers(node: Node) -> None:
    """Until then a bridge does not forward and an interface drops what it is given."""
    deadline_s = time.monotonic() + CARRIER_WITHIN_S
    ours = {port.ifname for cable in plan.CABLES for port in (cable.a, cable.b) if port.node == node.name}
    with node.entered(), IPRoute(groups=0) as ip:
        while waiting := ours - {link.get("ifname") for link in ip.get_links() if link.get("operstate") == "UP"}:
            if time.monotonic() > deadline_s:
                raise LabFailure(f"node {node.name}: no carrier on {', '.join(sorted(waiting))}")
            time.sleep(0.005)


def _number(ip: IPRoute, node: Node) -> None:
    for port, addresses in plan.ADDRESSES.items():
        for address in addresses if port.node == node.name else ():
            host, prefix = address.split("/")
            ip.addr("add", index=socket.if_nametoindex(port.ifname), address=host, prefixlen=int(prefix))
    for neighbour in plan.NEIGHBOURS:
        if neighbour.at.node == node.name:
            index = socket.if_nametoindex(neighbour.at.ifname)
            ip.neigh("add", dst=neighbour.address, lladdr=neighbour.mac, ifindex=index, state=NUD_PERMANENT)
    for route in plan.ROUTES:
        if route.node == node.name:
            ip.route("add", dst=route.to, gateway=route.via, table=route.table)
    for rule in plan.RULES if node.name == "router" else ():
        ip.rule("add", **_as_netlink(rule))


def _masquerade(nft: NFTables) -> None:
    """`ip saddr LAN masquerade` on what leaves the router, said to the kernel without the nft program."""
    nft.table("add", name="lab")
    hook = {"hook": "postrouting", "type": "nat", "priority": SRCNAT_PRIORITY, "policy": NF_ACCEPT}
    nft.chain("add", table="lab", name="out", **hook)
    nft.rule("add", table="lab", chain="out", expressions=(ipv4addr(src=plan.LAN), masq()))
