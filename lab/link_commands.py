"""What can be done to a link: to its wires, to its cable, and to the router's rule that keeps its pin on it."""

from typing import TYPE_CHECKING

from lab import plan, quantity
from lab.command import Answer, Command, Site
from lab.wire import DIRECTIONS
from lab.words import Words

if TYPE_CHECKING:
    from lab.link import Link
    from lab.pinning import Pinning

LINKS = tuple(plan.LINKS)


async def _cut(site: Site, words: Words) -> Answer:
    link, way = _link(site, words), _direction_and_end(words)
    await link.change(way, cut=True)
    return Answer(f"{link.name}{_in(way)} is cut: nothing comes through, the carrier stays up")


async def _unplug(site: Site, words: Words) -> Answer:
    link = _link(site, words)
    words.end()
    await link.plug(plugged=False)
    return Answer(f"{link.name} is unplugged at the router: no carrier")


async def _plug(site: Site, words: Words) -> Answer:
    link = _link(site, words)
    words.end()
    await link.plug(plugged=True)
    return Answer(f"{link.name} is plugged in: the carrier is back")


async def _lag(site: Site, words: Words) -> Answer:
    link, added_s = _link(site, words), words.quantity("the added delay", quantity.duration_s)
    way = _direction_and_end(words)
    await link.lag(added_s, way)
    added, rtt = quantity.show_duration(added_s), quantity.show_duration(link.rtt_s)
    return Answer(f"{link.name}: {added} added to the round trip{_in(way)}, which is now {rtt}")


async def _jitter(site: Site, words: Words) -> Answer:
    link, jitter_s = _link(site, words), words.quantity("the jitter", quantity.duration_s)
    way = _direction_and_end(words)
    await link.change(way, jitter_s=jitter_s)
    return Answer(f"{link.name}: jitter ± {quantity.show_duration(jitter_s)}{_each(way)}")


async def _loss(site: Site, words: Words) -> Answer:
    link, loss = _link(site, words), words.quantity("the loss", quantity.share)
    way = words.optional(DIRECTIONS)
    burst = words.optional_quantity("the mean burst in packets", float)
    words.end()
    ways = (way,) if way else DIRECTIONS
    await link.change(ways, loss=loss, burst=burst)
    runs = "independent" if burst is None else f"in bursts of {burst:g} packets"
    return Answer(f"{link.name}: {quantity.show_share(loss)} of the packets lost, {runs},{_each(ways)}")


async def _rate(site: Site, words: Words) -> Answer:
    link, rate_bps = _link(site, words), words.quantity("the rate", quantity.rate_bps)
    way = _direction_and_end(words)
    await link.change(way, rate_bps=rate_bps)
    return Answer(f"{link.name}: {quantity.show_rate(rate_bps)}{_each(way)}")


async def _queue(site: Site, words: Words) -> Answer:
    link, size = _link(site, words), words.quantity("the queue", quantity.size_bytes)
    way = _direction_and_end(words)
    await link.change(way, queue_bytes=size)
    full_s = size * 8 / link.settings[way[0]].rate_bps
    return Answer(
        f"{link.name}: queue of {quantity.show_size(size)}{_each(way)}, {quantity.show_duration(full_s)} full"
    )


async def _mtu(site: Site, words: Words) -> Answer:
    link, mtu_bytes = _link(site, words), words.quantity("the largest packet", quantity.mtu_bytes)
    way = _direction_and_end(words)
    await link.change(way, mtu_bytes=mtu_bytes)
    if mtu_bytes is None:
        return Answer(f"{link.name}: packets of every size pass{_each(way)}")
    return Answer(f"{link.name}: IP packets larger than {mtu_bytes} bytes vanish{_each(way)}, nobody is told")


async def _bleach(site: Site, words: Words) -> Answer:
    link, bleach = _link(site, words), words.switch()
    way = _direction_and_end(words)
    await link.change(way, bleach=bleach)
    does = "sets DSCP to 0 on" if bleach else "leaves DSCP alone on"
    return Answer(f"{link.name}: the provider {does} what it forwards{_each(way)}")


async def _pin(site: Site, words: Words) -> Answer:
    pinning, pinned = _pinning(site, words), words.switch()
    words.end()
    await pinning.pin(pinned=pinned)
    wan = pinning.wan
    if pinned:
        return Answer(f"{wan.link}: the router enforces its rule, {wan.pin} leaves {_by(pinning)}")
    return Answer(f"{wan.link}: the router forgot its rule, {wan.pin} follows the active WAN")


async def _detour(site: Site, words: Words) -> Answer:
    pinning, detoured = _pinning(site, words), words.switch()
    words.end()
    await pinning.detour(detoured=detoured)
    wan = pinning.wan
    return Answer(f"{wan.link}: the router sends {wan.pin} out {_by(pinning)}" + _unless_enforced(pinning))


def _link(site: Site, words: Words) -> "Link":
    return site.links[words.one_of("the link", LINKS)]


def _direction_and_end(words: Words) -> tuple[str, ...]:
    way = words.optional(DIRECTIONS)
    words.end()
    return (way,) if way else DIRECTIONS


def _in(ways: tuple[str, ...]) -> str:
    return f" ({ways[0]})" if len(ways) == 1 else ""


def _each(ways: tuple[str, ...]) -> str:
    return f" {ways[0]}" if len(ways) == 1 else " each way"


def _pinning(site: Site, words: Words) -> "Pinning":
    return site.pinnings[words.one_of("the link", LINKS)]


def _by(pinning: "Pinning") -> str:
    leaving = pinning.other if pinning.detoured else pinning.wan
    return f"by {leaving.name} ({leaving.provider})"


def _unless_enforced(pinning: "Pinning") -> str:
    return "" if pinning.pinned else ", once it enforces a rule for it again"


_LINK = "|".join(LINKS)
LINK_COMMANDS: dict[str, Command] = {
    "cut": Command(f"cut {_LINK} [up|down]", "a black hole: nothing passes, the carrier stays up", _cut),
    "unplug": Command(f"unplug {_LINK}", "pull the cable at the router: carrier lost", _unplug),
    "plug": Command(f"plug {_LINK}", "put it back", _plug),
    "lag": Command(
        f"lag {_LINK} 200ms [up|down]", "added to the round trip as built: half each way, or all in one", _lag
    ),
    "jitter": Command(f"jitter {_LINK} 10ms [up|down]", "± so much on the delay, order kept", _jitter),
    "loss": Command(
        f"loss {_LINK} 5% [up|down] [BURST]", "mean loss; BURST: mean length of its runs in packets", _loss
    ),
    "rate": Command(f"rate {_LINK} 10mbit [up|down]", "what the link carries", _rate),
    "queue": Command(f"queue {_LINK} 500kB [up|down]", "what waits before the tail is dropped", _queue),
    "mtu": Command(f"mtu {_LINK} 1400|off [up|down]", "larger IP packets vanish without a word", _mtu),
    "bleach": Command(f"bleach {_LINK} on|off [up|down]", "the provider sets DSCP to 0", _bleach),
    "pin": Command(f"pin {_LINK} on|off", "off: the router forgets its rule, the pin follows the active WAN", _pin),
    "detour": Command(f"detour {_LINK} on|off", "its pin leaves by the other link's provider", _detour),
}
