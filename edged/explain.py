"""What a configuration makes edged do, in plain sentences; and what nobody will watch."""

from collections.abc import Iterator

from edged.config import Config, Loaded, SitePhone
from edged.core.protocol import DEFAULT
from edged.report.settings import BrokerSettings


def explanation(loaded: Loaded) -> list[str]:
    """One line a part, in the order data flow."""
    lines = [*_site(loaded.config), *_protocol(loaded), *(line for part in _PARTS for line in part(loaded.config))]
    return [f"  {line}" for line in lines]


def _site(config: Config) -> Iterator[str]:
    yield f"site       {config.site.tenant}/{config.site.name}, record in {config.site.state_dir}"
    for name, room in config.rooms.items():
        networks = ", ".join(str(network) for network in room.networks)
        yield f"room       {name}: {networks or 'told apart by name only'}"


def _protocol(loaded: Loaded) -> Iterator[str]:
    """Whether the facility has made the sentences and T5's script its own: the shipped ones are a careful default."""
    held, file = loaded.protocol, loaded.config.site.protocol_file
    yield f"protocol   {held.label} ({file or 'as shipped'})"
    if held.script == DEFAULT.script:
        yield "NOTE: the script for tier 4 is still the shipped one; the facility has to write its own (T5)"


def _links(config: Config) -> Iterator[str]:
    for name, link in config.links.items():
        provider = f", {link.provider}" if link.provider else ""
        pinned = f"from {link.source}" if link.source else f"by interface {link.interface}"
        targets = ", ".join(target.label for target in link.targets)
        pace = f"every {link.paces.calm_s:g} s ({link.paces.session_s:g} s in a session)"
        yield f"link       {name} ({link.role.value}{provider}): probed {pinned} {pace}: {targets}"


def _lines(config: Config) -> Iterator[str]:
    """What is found out of the links beside whether they live."""
    for name, link in config.links.items():
        if link.monthly_mb is not None:
            yield f"budget     {name}: {link.monthly_mb:g} MB a month for probing"
        if link.exit:
            yield f"exit       {name}: seen by STUN {link.exit.address} every {link.exit.every_s:g} s"
        if link.capacity:
            when = "when asked" if link.monthly_mb else f"every {link.capacity.train_every_s / 3600:g} h, when idle"
            yield f"capacity   {name}: measured with {link.capacity.address} port {link.capacity.port}, {when}"
        if link.standby:
            yield f"standby    {name}: proven by STAMP {link.standby.address} every {link.standby.every_s / 3600:g} h"


def _router(config: Config) -> Iterator[str]:
    if router := config.router:
        wans = ", ".join(f"{link.wan} = {name}" for name, link in config.links.items() if link.wan is not None)
        how = f"{router.profile}, SNMP v{router.version} every {router.poll_s:g} s"
        yield f"router     {router.host}:{router.port}, {how}; WAN {wans}"


def _ups(config: Config) -> Iterator[str]:
    for name, ups in config.ups.items():
        covers = ", ".join(ups.covers) or "no device named"
        yield f"ups        {name} on {ups.peer} ({ups.load.value} load): {covers}"


def _qos(config: Config) -> Iterator[str]:
    if qos := config.qos:
        for each in qos.interfaces:
            yield f"qos        {each.name} ({each.direction}): p1 to p4 at {qos.margin:.0%} of the active link's rate"


def _instruments(config: Config) -> Iterator[str]:
    if config.media:
        yield f"media      passive observer on {config.media.interface}, headers only"
    for room, phone in config.phones().items():
        yield f"phone      {f'{room}: ' if room else ''}{phone.uri} every {phone.interval_s:g} s{_registrar(phone)}"
        if shared := _shared_fate(config, phone):
            yield f"           shared fate with {', '.join(shared)}: it never counts as a fallback (rule 12)"
    if config.mobile:
        heard = f"heard on {config.mobile.address} port {config.mobile.port}"
        yield f"mobile     {heard}, silent after {config.mobile.silence_s:g} s; {_told_apart(config)}"


def _registrar(phone: SitePhone) -> str:
    return f", registered at {phone.registrar.host}" if phone.registrar else ", registration not asked for"


def _shared_fate(config: Config, phone: SitePhone) -> list[str]:
    """What takes the phone down together with the lines it is to stand in for: their links, the network's power."""
    network = [name for name in phone.fed_by if config.ups[name].load.value == "network"]
    return [f"link {name}" for name in phone.rides_on] + [f"ups {name}" for name in network]


def _told_apart(config: Config) -> str:
    """C3: its carrier is compared with the backup links' own."""
    unknown = [
        name
        for name, link in config.links.items()
        if link.role.value == "backup" and link.mcc_mnc is None and link.asn is None
    ]
    if unknown:
        return f"whether by another carrier than {', '.join(unknown)} cannot be said (its mcc_mnc or asn is missing)"
    return "its carrier is compared with the backup's"


def _reporting(config: Config) -> Iterator[str]:
    if config.broker:
        servers = ", ".join(f"{host}:{port}" for host, port in config.broker.servers)
        tls = "mutual TLS" if config.broker.tls and config.broker.tls.cert_file else "TLS"
        yield f"broker     {servers}, {tls if config.broker.tls else 'NOT encrypted'}"
        yield f"           {_bound(config.broker)}"
        for name, share in config.broker.links.items():
            month = f", {share.monthly_mb:g} MB a month" if share.monthly_mb else ""
            yield f"           {name}: backlog at {share.replay_kbit:g} kbit/s{month}"
    else:
        yield "broker     none: events are kept on this box alone"
    if config.metrics:
        yield f"metrics    http://{config.metrics.address}:{config.metrics.port}/metrics"
    yield f"control    {config.control.socket}"


def _bound(broker: BrokerSettings) -> str:
    if broker.source_address:
        return f"always from {broker.source_address}"
    return "by the first link that lives, and at once by another when that is judged dead"


def _commands(config: Config) -> Iterator[str]:
    keys = config.commands.keys if config.commands else {}
    for name, key in keys.items():
        yield f"commands   signed by {name} ({key.role}): {', '.join(key.allow)}"


def _missing(config: Config) -> Iterator[str]:
    if unwatched := config.plan().unwatched():
        yield f"NOT watched: {', '.join(unwatched)}"
    providers = [link.provider for link in config.links.values()]
    if len(providers) > 1 and None in providers:
        yield "NOTE: a link without provider: whether the backup is a different one cannot be said"
    unproven = [name for name, link in config.links.items() if link.exit is None]
    if len(config.links) > 1 and unproven:
        yield f"NOTE: links without exit ({', '.join(unproven)}): that they leave by different doors is only configured"
    if len(providers) > 1 and None not in providers and len(set(providers)) < len(providers):
        yield f"WARNING: links share the provider {providers[0]}: one outage may take both"


def _records(config: Config) -> Iterator[str]:
    """What is kept to prove and to replay."""
    if keep_mib := config.blackbox.keep_mib:
        yield f"black box  the last {keep_mib} MiB of what was observed, for edged replay"
    else:
        yield "black box  off: what was decided cannot be judged again"
    kept = "the NOC keeps the seals" if config.broker else "nobody else keeps the seals: no broker"
    yield f"witness    the record is signed every 60 s, and at each tier 3 or 4; {kept}"


_PARTS = (_links, _lines, _router, _ups, _qos, _instruments, _records, _reporting, _commands, _missing)
