"""A diagnosis in one line for a person: where the path dies, then what it does to code points and to large packets."""

from typing import assert_never

from probes.line_reading import DiesAt, PathReading
from probes.path_document import Document, DscpFinding, MtuFinding, MtuKind, Why

_TROUBLES = {
    "no_scapy": "scapy is not installed",
    "not_permitted": "raw sockets are not permitted (CAP_NET_RAW)",
    "timed_out": "it took too long",
    "crashed": "the program failed",
    "busy": "one is under way",
}

_REFUSED = {
    "no_route": "this box has no route",
    "no_source": "the source address is not on this box",
    "interface_down": "the interface is down or gone",
    "not_permitted": "the kernel forbids it",
}


def sentence(reading: PathReading) -> str:
    """Such as "fiber dies behind the router: 10.77.0.1 answers, nothing behind it". One line, no full stop."""
    return in_words(reading.link, reading.trouble, reading.document)


def in_words(link: str, trouble: str | None, result: object) -> str:
    """The same of a reading's parts, as the status document has them. Raises ValueError for what is no document."""
    if trouble is not None:
        return f"{link}: no path diagnosis: {_TROUBLES.get(trouble, trouble)}"
    document = Document.model_validate(result)
    findings = [_where(document), _dscp(document.dscp), _mtu(document.mtu)]
    return "; ".join(finding for finding in findings if finding)


def _where(document: Document) -> str:
    link = document.link
    match document.dies_at:
        case DiesAt.NOWHERE:
            hops = document.target.hops
            return f"{link} reaches {document.target.address}" + (f" in {_count(hops)}" if hops else "")
        case DiesAt.LAN:
            return f"{link} dies in our own network: {_in_lan(document)}"
        case DiesAt.ROUTER:
            return f"{link} dies behind the router: {_at_router(document)}"
        case DiesAt.PROVIDER:
            return f"{link} dies in the provider's network: {_in_provider(document)}"
        case DiesAt.FAR_END:
            return f"{link} dies at the far end: {_at_far_end(document)}"
        case DiesAt.UNKNOWN:
            return f"{link}: where it dies is not known"
        case _:
            assert_never(document.dies_at)


def _in_lan(document: Document) -> str:
    if document.why is Why.NOT_SENT:
        return _REFUSED.get(document.refused or "", "nothing can be sent")
    silent = document.gateway.address if document.gateway else document.target.address
    return f"{silent} does not answer, and nothing behind it"


def _at_router(document: Document) -> str:
    router = _last(document)
    if document.why is Why.NEIGHBOUR_ALONE or router is None:
        place = document.gateway.address if document.gateway else "the router"
        return f"{place} is there, and forwards nothing that is answered"
    if document.why is Why.ROUTER_REFUSES:
        return f"{router} says that it has no way on"
    return f"{router} answers, nothing behind it"


def _in_provider(document: Document) -> str:
    last = _last(document)
    match document.why:
        case Why.LINE_SILENT:
            return "nothing answers over the line"
        case Why.LOOP:
            return f"packets go round in a circle at {last}"
        case Why.REFUSED_ON_THE_WAY if last is not None:
            return f"{last} says that it has no way on"
        case _:
            return f"{last} answers, nothing behind it" if last else "nothing answers"


def _at_far_end(document: Document) -> str:
    target = document.target.address
    if document.why is Why.TARGET_SILENT:
        return f"{target} is on our own network and answers nothing"
    return f"{_last(document)} answers as usual, {target} does not"


def _dscp(finding: DscpFinding | None) -> str | None:
    if finding is None or finding.changed_at is None:
        return None
    return f"DSCP {finding.sent} became {finding.became} from hop {finding.changed_ttl} ({finding.changed_at}) on"


def _mtu(finding: MtuFinding | None) -> str | None:
    if finding is None:
        return None
    above = (
        f"packets above {finding.bytes} bytes" if finding.exact else f"packets somewhere above {finding.bytes} bytes"
    )
    match finding.kind:
        case MtuKind.CLEAR:
            return None
        case MtuKind.TOLD:
            by = finding.told_by or "our own interface"
            return f"{above} are too big, says {by}"
        case MtuKind.BLACK_HOLE:
            behind = f" behind {finding.passes_to}" if finding.passes_to else ""
            return f"{above} vanish{behind} without a word"
        case _:
            assert_never(finding.kind)


def _last(document: Document) -> str | None:
    """The last that answered, the target left out."""
    answered = [hop.address for hop in document.hops if hop.address not in (None, document.target.address)]
    return answered[-1] if answered else None


def _count(hops: int) -> str:
    return "1 hop" if hops == 1 else f"{hops} hops"
