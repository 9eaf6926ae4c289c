"""The programs on the nodes of the site, one row each. Real parts where installed, our own doubles otherwise."""

from lab.service import Service

SERVICES: tuple[Service, ...] = (
    Service("snmp_agent", "router", "lab.services.snmp_agent"),
    Service("upses", "power", "lab.services.upses"),
    Service("broker", "internet", "lab.services.broker"),
    Service("noc", "internet", "lab.services.noc"),
    Service("far_side", "internet", "lab.services.far_side"),
    Service("capacity", "internet", "lab.services.capacity"),
    Service("platform", "internet", "lab.services.platform", ("--measure",)),
    Service("sink", "internet", "lab.services.sink"),
    Service("workstation", "workstation", "lab.services.workstation", ("--measure",)),
    Service("phone", "phone", "lab.services.phone"),
)
