"""What is left when the lines are gone: the phone and the mobile workstation, as far as they can be trusted.

A phone on the same line or the same UPS is no fallback (rule 12): it never counts as reachable, and is dead with it.
"""

from edged.core.carriers import diverse
from edged.core.plan import LinkRole, PhonePlan, Plan
from edged.core.state import State
from probes.reading import PhoneReading, Verdict

_ALONE = PhonePlan()


def phone_of(plan: Plan, state: State, room: str) -> PhoneReading | None:
    line = plan.phone_line(room)
    return None if line is None else state.phones.get(line)


def shares(plan: Plan, room: str) -> tuple[str, ...]:
    """What the room's phone has in common with the lines it is to stand in for: "link:fiber", "ups:network"."""
    line = plan.phone_line(room)
    known = plan.phones.get(line, _ALONE) if line is not None else _ALONE
    network = {ups.name for ups in plan.ups if ups.priority == "network"}
    links = {link.name for link in plan.links}
    return (
        *(f"link:{name}" for name in known.rides_on if name in links),
        *(f"ups:{name}" for name in known.fed_by if name in network),
    )


def phone(plan: Plan, state: State, room: str) -> bool | None:
    """Whether the phone can be counted on. None: nobody knows, or it shares the lines' fate."""
    line = plan.phone_line(room)
    rides_on = plan.phones.get(line, _ALONE).rides_on if line is not None else ()
    if rides_on and all(_is_down(state, name) for name in rides_on):
        return False
    reading = phone_of(plan, state, room)
    if reading is None or reading.reachable is None:
        return None
    return None if reading.reachable and shares(plan, room) else reading.reachable


def mobile_is_diverse(plan: Plan, state: State) -> bool | None:
    """Whether the mobile workstation is on another carrier than every backup link (C3); None: cannot know."""
    mobile = state.mobile
    if mobile is None or not mobile.heard:
        return None
    backups = [link for link in plan.links if link.role is LinkRole.BACKUP]
    found = [diverse((mobile.mcc_mnc, mobile.asn), (link.mcc_mnc, link.asn)) for link in backups]
    if False in found:
        return False
    return None if None in found else True


def _is_down(state: State, link: str) -> bool:
    held = state.links.get(link)
    return held is not None and held.reading.verdict is Verdict.DOWN
