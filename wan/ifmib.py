"""The standard part every router has (RFC 2863, RFC 3418): its uptime, its interfaces, their 64-bit octet counters.

A WAN finds its interface by, in this order: the index in the settings, the name in the settings (ifName, then
ifAlias, then ifDescr), its own name being an interface's, and last by order among the interfaces called "wan…", but
only if there are as many of those as the router has WANs. A name that fits two interfaces fits none: no counters are
better than another link's.
"""

from collections.abc import Iterable, Mapping

from wan.profile import Counters, Hints, WanHint
from wan.varbinds import Oid, Varbinds, as_int, as_text, column, oid

SYS_DESCR = oid("1.3.6.1.2.1.1.1")
SYS_UPTIME = oid("1.3.6.1.2.1.1.3.0")
IF_DESCR = oid("1.3.6.1.2.1.2.2.1.2")
IF_OPER_STATUS = oid("1.3.6.1.2.1.2.2.1.8")
IF_NAME = oid("1.3.6.1.2.1.31.1.1.1.1")
IF_HC_IN = oid("1.3.6.1.2.1.31.1.1.1.6")
IF_HC_OUT = oid("1.3.6.1.2.1.31.1.1.1.10")
IF_ALIAS = oid("1.3.6.1.2.1.31.1.1.1.18")
IF_DISCONTINUITY = oid("1.3.6.1.2.1.31.1.1.1.19")

SURVEY = (SYS_DESCR, IF_NAME, IF_ALIAS, IF_DESCR)
COUNTER_COLUMNS = (IF_HC_IN, IF_HC_OUT, IF_DISCONTINUITY)


def uptime_s(view: Varbinds) -> float | None:
    """sysUpTime in seconds. It starts again at 0 with the agent, and every 497 days."""
    ticks = as_int(view.get(SYS_UPTIME))
    return None if ticks is None else ticks / 100


def description(view: Varbinds) -> str | None:
    return as_text(view.get((*SYS_DESCR, 0)))


def counter_oids(interfaces: Iterable[int | None]) -> tuple[Oid, ...]:
    return tuple((*root, index) for index in interfaces if index is not None for root in COUNTER_COLUMNS)


def counters(view: Varbinds, interface: int | None) -> Counters | None:
    """The interface's octets; None unless both directions are told."""
    if interface is None:
        return None
    rx, tx, discontinuity = (as_int(view.get((*root, interface))) for root in COUNTER_COLUMNS)
    return None if rx is None or tx is None else Counters(rx, tx, interface, discontinuity)


def interface_of(hint: WanHint, view: Varbinds) -> int | None:
    """The ifIndex the settings mean; None if they mean none, or one this router does not have."""
    if hint.if_index is not None:
        return hint.if_index if any((*root, hint.if_index) in view for root in (IF_NAME, IF_DESCR)) else None
    return None if hint.interface is None else _called(hint.interface, view)


def assign(wans: Mapping[str, str], hints: Hints, view: Varbinds) -> dict[str, int | None]:
    """The ifIndex of each of the router's WANs. `wans`: all of them, name by id, in the router's order."""
    in_order = _in_order(wans, view)
    found: dict[str, int | None] = {}
    for wan, name in wans.items():
        hint = hints.get(wan, WanHint())
        if hint.interface is None and hint.if_index is None:
            found[wan] = _called(name, view) or in_order.get(wan)
        else:
            found[wan] = interface_of(hint, view)
    return found


def _called(name: str, view: Varbinds) -> int | None:
    wanted = name.casefold()
    for root in (IF_NAME, IF_ALIAS, IF_DESCR):
        fits = [at[0] for at, value in column(view, root).items() if (as_text(value) or "").casefold() == wanted]
        if fits:
            return fits[0] if len(fits) == 1 else None
    return None


def _in_order(wans: Mapping[str, str], view: Varbinds) -> dict[str, int]:
    names = column(view, IF_NAME) or column(view, IF_DESCR)
    wan_like = [at[0] for at, value in names.items() if (as_text(value) or "").casefold().startswith("wan")]
    return dict(zip(wans, wan_like, strict=True)) if len(wan_like) == len(wans) else {}
