"""One diagnosis from its order to its document: the walk, then the sizes if the target answers, then the judgement."""

import time
from dataclasses import dataclass
from ipaddress import ip_address

from probes.diagnosis.bleaching import bleaching
from probes.diagnosis.neighbour import Neighbour
from probes.diagnosis.packets import SCAPY_VERSION, Protocol
from probes.diagnosis.route import Route, route_to
from probes.diagnosis.size_search import SizeSearch
from probes.diagnosis.sizes import Sizes
from probes.diagnosis.walk import Walk
from probes.diagnosis.where import Sight, where
from probes.diagnosis.wire import Exhausted, Unsendable, Wire
from probes.path_document import Document, Failure, Gateway, Kind, Order, Target
from probes.prober import Pin, Refusal, refusal_of


@dataclass(slots=True)
class Found:
    """What there is to tell so far."""

    order: Order
    started_s: float
    wire: Wire | None = None
    route: Route | None = None
    neighbour: Neighbour | None = None
    walk: Walk | None = None
    sizes: Sizes | None = None
    refused: Refusal | None = None
    complete: bool = False


def diagnose(order: Order) -> Document | Failure:
    """Takes `order.within_s` at most."""
    found = Found(order, time.monotonic())
    try:
        _ask(found)
        return document(found)
    except PermissionError:
        return Failure(trouble="not_permitted")
    finally:
        for held in (found.wire, found.neighbour):
            if held is not None:
                held.close()


def document(found: Found) -> Document:
    order, wire, walk = found.order, found.wire, found.walk
    hops = walk.hops() if walk else ()
    target = walk.target() if walk else Target(address=order.target, answers=(), rtt_ms=None, hops=None)
    dies_at, why = where(_sight(found))
    stamped = walk.reached.get(Kind.STAMP_REPLY) if walk else None
    return Document(
        link=order.link,
        source=wire.flow.source if wire else order.source,
        interface=found.route.interface if found.route else order.interface,
        udp_port=order.udp_port,
        dies_at=dies_at,
        why=why,
        refused=found.refused,
        gateway=_gateway(found),
        hops=hops,
        target=target,
        dscp=bleaching(order.dscp, hops, came_back=stamped.came_back if stamped else None),
        mtu=found.sizes.finding() if found.sizes else None,
        packets=len(wire.questions) if wire else 0,
        bytes=wire.bytes if wire else 0,
        took_s=round(time.monotonic() - found.started_s, 3),
        complete=found.complete,
        scapy=SCAPY_VERSION,
    )


def _ask(found: Found) -> None:
    """Raises PermissionError; everything else that networks do is in `found`."""
    order = found.order
    try:
        found.wire = wire = Wire(order, deadline_s=found.started_s + order.within_s)
    except PermissionError:
        raise
    except OSError as error:
        found.refused = refusal_of(error, Pin(ip_address(order.source) if order.source else None, order.interface))
        return
    _look_around(found, wire)
    try:
        found.walk = Walk(wire, found.neighbour, order.max_hops)
        found.walk.run()
        found.sizes = _sizes(order, wire, found.walk)
        if found.sizes is not None:
            found.sizes.run()
        found.complete = True
    except Exhausted:
        return
    except Unsendable as error:
        found.refused = error.refusal


def _look_around(found: Found, wire: Wire) -> None:
    """The next hop, if the line has neighbours. No route is told by the first packet."""
    target = ip_address(found.order.target)
    try:
        found.route = route = route_to(target, wire.source, found.order.interface)
    except OSError:
        return
    wire.local_mtu = route.mtu
    if route.mac is not None:
        found.neighbour = Neighbour(route.gateway or target, wire.source, route.interface, route.mac)


def _sizes(order: Order, wire: Wire, walk: Walk) -> Sizes | None:
    """By whichever of the target's answers has the size of its question."""
    for kind, protocol in ((Kind.STAMP_REPLY, Protocol.UDP), (Kind.ECHO_REPLY, Protocol.ICMP)):
        if (answer := walk.reached.get(kind)) is not None:
            search = SizeSearch(low=answer.question.size, want=order.want_mtu)
            return Sizes(wire, protocol, answer.rtt_s or 0.0, search, walk.hops())
    return None


def _sight(found: Found) -> Sight:
    if found.walk is None or (found.refused is not None and not found.walk.wire.answers):
        return Sight(target_answers=False, sent=False)
    route = found.route
    return found.walk.sight(
        found.order.usual,
        on_link=route is not None and route.mac is not None and route.gateway is None,
        has_router=route is None or route.mac is not None,
    )


def _gateway(found: Found) -> Gateway | None:
    if found.route is None or found.route.gateway is None:
        return None
    neighbour = found.neighbour
    return Gateway(
        address=str(found.route.gateway).partition("%")[0], answers=neighbour.answered if neighbour else None
    )
