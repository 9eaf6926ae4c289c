"""The programs on the nodes of the site, one row each. Real parts where installed, our own doubles otherwise."""

from lab.service import Media, Service

_SITE: tuple[Service, ...] = (
    Service("snmp_agent", "router", "lab.services.snmp_agent"),
    Service("upses", "power", "lab.services.upses"),
    Service("broker", "internet", "lab.services.broker"),
    Service("noc", "internet", "lab.services.noc"),
    Service("far_side", "internet", "lab.services.far_side"),
    Service("capacity", "internet", "lab.services.capacity"),
    Service("sink", "internet", "lab.services.sink"),
    Service("phone", "phone", "lab.services.phone"),
    Service("mobile", "mobile", "lab.services.mobile"),
)
_MEDIA: dict[Media, tuple[Service, ...]] = {
    "rtp": (
        Service("platform", "internet", "lab.services.platform", ("--measure",)),
        Service("workstation", "workstation", "lab.services.workstation", ("--measure",)),
    ),
    "webrtc": (
        Service("platform", "internet", "lab.services.platform", ("--web-only",)),
        Service("webrtc_platform", "internet", "lab.services.webrtc_platform"),
        Service("webrtc_workstation", "workstation", "lab.services.webrtc_workstation"),
    ),
}


def services_for(media: Media) -> tuple[Service, ...]:
    """The site's programs, with the two ends of this kind of session."""
    return _SITE + _MEDIA[media]


SERVICES = services_for("rtp")
"""Of the site as it comes up when nothing is said."""
