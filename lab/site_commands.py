"""What can be done to the rest of the site: power, people's lines, the router, the far side, the daemon, the lab
itself."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import get_args

from lab import plan, quantity
from lab.command import Answer, Command, Site
from lab.errors import LabMisuse
from lab.words import Words
from lab.world import Upsd


async def _heal(site: Site, words: Words) -> Answer:
    name = words.one_of("the link", (*plan.LINKS, "all"))
    words.end()
    if name != "all":
        await _heal_link(site, name)
        return Answer(f"{name} healed: {_as_built(name)}")
    for toggle in (site.lan, site.reflectors):
        await toggle.turn(on=True)
    for link in site.links:
        await _heal_link(site, link)
    flows = {f"{medium}_{way}": "on" for medium in _MEDIA for way in _WAYS}
    fallback = {"phone": True, "phone_registered": True, "mobile": True}
    site.truth.change(mains=True, **fallback, **flows, clear=False, upsd="ok", snmp=True)
    switched = "mains, phone, mobile, audio, video, their encryption, the router's SNMP and the UPS server"
    return Answer(f"all healed: both links, their pins, the LAN's cable, the reflectors, {switched}")


async def _heal_link(site: Site, name: str) -> None:
    await site.links[name].heal()
    await site.pinnings[name].heal()


def _as_built(name: str) -> str:
    usual = plan.LINKS[name]
    return f"{quantity.show_duration(2 * usual.delay_s)} round trip, {quantity.show_rate(usual.rate_bps)} each way"


async def _lan(site: Site, words: Words) -> Answer:
    is_on = words.switch()
    words.end()
    await site.lan.turn(on=is_on)
    if is_on:
        return Answer("the cable between edge box and router is in: the carrier is back")
    return Answer("the cable between edge box and router is pulled: no carrier, every link is dead")


async def _reflectors(site: Site, words: Words) -> Answer:
    are_on = words.switch()
    words.end()
    await site.reflectors.turn(on=are_on)
    hosts = " and ".join(str(rule.source) for rule in plan.SILENCE)
    return Answer(f"{hosts} answer" if are_on else f"{hosts} are silent; the platform goes on")


def _switch(field: str, on: str, off: str) -> Callable[[Site, Words], Awaitable[Answer]]:
    async def run(site: Site, words: Words) -> Answer:
        is_on = words.switch()
        words.end()
        site.truth.change(**{field: is_on})
        return Answer(on if is_on else off)

    return run


def _flow(*media: str) -> Callable[[Site, Words], Awaitable[Answer]]:
    """Of one medium or all, both ways or one."""

    async def run(site: Site, words: Words) -> Answer:
        how = words.one_of("the switch", ("on", "off", "freeze") if media == ("video",) else ("on", "off"))
        way = words.optional(_WAYS)
        words.end()
        flow = "frozen" if how == "freeze" else how
        ways = _WAYS if way is None else (way,)
        site.truth.change(**{f"{medium}_{each}": flow for medium in media for each in ways})
        where = "both ways" if way is None else way.replace("_", " the ", 1)
        return Answer(f"{' and '.join(media)}, {where}: {_FLOWS[flow]}")

    return run


_MEDIA = ("audio", "video")
_WAYS = ("to_room", "from_room")
_FLOWS = {"on": "flows", "off": "lost", "frozen": "frozen, its packets go on"}


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
    verb = words.one_of("the verb", ("start", "stop", "kill", "reboot", "status"))
    words.end()
    daemon = site.daemon
    match verb:
        case "start":
            await daemon.start()
        case "stop":
            await daemon.stop()
        case "kill":
            await daemon.kill()
        case "reboot":
            await daemon.reboot()
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


SITE_COMMANDS: dict[str, Command] = {
    "heal": Command(f"heal {'|'.join(plan.LINKS)}|all", "the link as built; all: also every switch below", _heal),
    "lan": Command("lan on|off", "the cable between edge box and router; off: carrier lost, no link works", _lan),
    "reflectors": Command("reflectors on|off", "off: the probed hosts .20 and .40 say nothing more", _reflectors),
    "mains": Command(
        "mains on|off", "power to both UPSes", _switch("mains", "mains power is on", "mains power is off")
    ),
    "phone": Command("phone on|off", "the direct line", _switch("phone", "the phone answers", "the phone is dead")),
    "registration": Command(
        "registration on|off",
        "of the direct line; off: its adapter answers, and nobody can call it",
        _switch("phone_registered", "the direct line is registered", "the registrar knows nothing of the direct line"),
    ),
    "mobile": Command(
        "mobile on|off",
        "the mobile workstation, which has a wire of its own to the box",
        _switch("mobile", "the mobile workstation is on", "the mobile workstation is off"),
    ),
    "audio": Command("audio on|off [to_room|from_room]", "the session's audio, both ways or one", _flow("audio")),
    "video": Command(
        "video on|off|freeze [to_room|from_room]", "its video; freeze: packets go on, pictures do not", _flow("video")
    ),
    "media": Command("media on|off [to_room|from_room]", "both at once", _flow(*_MEDIA)),
    "clear": Command(
        "clear on|off",
        "on: the media are plain RTP and RTCP, as they never should be",
        _switch("clear", "the media are in clear text", "the media are as the site was built"),
    ),
    "router": Command(
        "router on|off", "its SNMP agent", _switch("snmp", "the router answers SNMP", "the router's SNMP is silent")
    ),
    "upsd": Command("upsd ok|stale|dead", "the UPS server", _upsd),
    "failover": Command("failover 3s", "silence after which the router gives a WAN up", _failover),
    "failback": Command("failback 5s", "health after which it takes a WAN back", _failback),
    "daemon": Command(
        "daemon start|stop|kill|reboot|status", "edged on the edge box; kill is SIGKILL, reboot another boot", _daemon
    ),
    "status": Command("status [--json]", "how everything stands", _status),
    "down": Command("down", "take the site down", _down),
}
