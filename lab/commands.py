"""What can be done to a running site, one row a command: how it is written, and a function that does it and says in
one line what it did.

Commands come as the words of a command line. A mistake raises LabMisuse and then nothing was changed.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, get_args

from lab import plan, quantity
from lab.errors import LabMisuse
from lab.failover import Timing
from lab.wire import DIRECTIONS
from lab.words import Words
from lab.world import Truth, Upsd

if TYPE_CHECKING:  # the command line imports this for its help, and shall not wait for pyroute2
    from lab.daemon import Daemon
    from lab.link import Link


class Site(Protocol):
    """What commands act on."""

    @property
    def links(self) -> "Mapping[str, Link]": ...

    @property
    def truth(self) -> Truth: ...

    @property
    def daemon(self) -> "Daemon": ...

    timing: Timing

    async def status(self) -> dict[str, Any]: ...

    def end(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """`said` is for a person, `data` for a program."""

    said: str
    data: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Command:
    usage: str
    does: str
    run: Callable[[Site, Words], Awaitable[Answer]]


async def obey(site: Site, words: Sequence[str]) -> Answer:
    """Carry out one command line. Raises LabError."""
    if not words or words[0] not in COMMANDS:
        raise LabMisuse(f"no command {words[0] if words else ''!r}; there are {', '.join(COMMANDS)}")
    command = COMMANDS[words[0]]
    return await command.run(site, Words(words[1:], command.usage))


# ── links ──────────────────────────────────────────────────────────────────────────────────────────────
LINKS = tuple(plan.LINKS)


async def _cut(site: Site, words: Words) -> Answer:
    link, way = _link(site, words), _direction_and_end(words)
    await link.change(way, cut=True)
    return Answer(f"{link.name}{_in(way)} is cut: nothing comes through, the carrier stays up")


async def _heal(site: Site, words: Words) -> Answer:
    name = words.one_of("the link", (*LINKS, "all"))
    words.end()
    for link in site.links.values() if name == "all" else [site.links[name]]:
        await link.heal()
    if name == "all":
        site.truth.change(mains=True, phone=True, audio=True, video=True, upsd="ok", snmp=True)
        return Answer("all healed: both links, mains, phone, audio, video, the router's SNMP and the UPS server")
    return Answer(f"{name} healed: {_as_built(name)}")


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


def _as_built(name: str) -> str:
    usual = plan.LINKS[name]
    return f"{quantity.show_duration(2 * usual.delay_s)} round trip, {quantity.show_rate(usual.rate_bps)} each way"


# ── the site ───────────────────────────────────────────────────────────────────────────────────────────
def _switch(field: str, on: str, off: str) -> Callable[[Site, Words], Awaitable[Answer]]:
    async def run(site: Site, words: Words) -> Answer:
        is_on = words.switch()
        words.end()
        site.truth.change(**{field: is_on})
        return Answer(on if is_on else off)

    return run


async def _upsd(site: Site, words: Words) -> Answer:
    how = words.one_of("the UPS server", get_args(Upsd))
    words.end()
    site.truth.change(upsd=how)
    said = {"ok": "answers with fresh data", "stale": "answers, its data is stale", "dead": "is dead"}
    return Answer(f"the UPS server {said[how]}")


async def _failover(site: Site, words: Words) -> Answer:
    return _retime(site, words, "failover_s", "the router gives up a silent WAN after {}")


async def _failback(site: Site, words: Words) -> Answer:
    return _retime(site, words, "failback_s", "the router trusts a recovered WAN after {}")


def _retime(site: Site, words: Words, field: str, said: str) -> Answer:
    value_s = words.quantity("the time", quantity.duration_s)
    words.end()
    try:
        site.timing = replace(site.timing, **{field: value_s})
    except ValueError as error:
        raise LabMisuse(str(error)) from error
    return Answer(said.format(quantity.show_duration(value_s)))


async def _daemon(site: Site, words: Words) -> Answer:
    verb = words.one_of("the verb", ("start", "stop", "kill", "status"))
    words.end()
    daemon = site.daemon
    match verb:
        case "start":
            await daemon.start()
        case "stop":
            await daemon.stop()
        case "kill":
            await daemon.kill()
    facts = daemon.program.status()
    at = f", pid {facts['pid']}" if facts["pid"] else ""
    ready = f", ready after {quantity.show_duration(facts['ready_after_s'])}" if facts["ready_after_s"] else ""
    return Answer(f"edged: {facts['state']}{at}{ready}", facts)


async def _status(site: Site, words: Words) -> Answer:
    words.end()
    return Answer("", await site.status())


async def _down(site: Site, words: Words) -> Answer:
    words.end()
    site.end()
    return Answer("the site is being taken down")


_LINK = "|".join(LINKS)
COMMANDS: dict[str, Command] = {
    "cut": Command(f"cut {_LINK} [up|down]", "a black hole: nothing passes, the carrier stays up", _cut),
    "heal": Command(f"heal {_LINK}|all", "the link as built; all: also every switch below", _heal),
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
    "mains": Command(
        "mains on|off", "power to both UPSes", _switch("mains", "mains power is on", "mains power is off")
    ),
    "phone": Command("phone on|off", "the direct line", _switch("phone", "the phone answers", "the phone is dead")),
    "audio": Command("audio on|off", "the platform's audio", _switch("audio", "audio flows", "audio is lost")),
    "video": Command("video on|off", "the platform's video", _switch("video", "video flows", "video is lost")),
    "router": Command(
        "router on|off", "its SNMP agent", _switch("snmp", "the router answers SNMP", "the router's SNMP is silent")
    ),
    "upsd": Command("upsd ok|stale|dead", "the UPS server", _upsd),
    "failover": Command("failover 3s", "silence after which the router gives a WAN up", _failover),
    "failback": Command("failback 5s", "health after which it takes a WAN back", _failback),
    "daemon": Command("daemon start|stop|kill|status", "edged on the edge box; kill is SIGKILL", _daemon),
    "status": Command("status [--json]", "how everything stands", _status),
    "down": Command("down", "take the site down", _down),
}
