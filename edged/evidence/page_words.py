"""The words and numbers of the page. Whatever is not known is said to be not recorded; everything is escaped once."""

from html import escape

NOT_RECORDED = "not recorded"

RESPONSE_CLASS = {
    "best": "best (under 30 s)",
    "acceptable": "acceptable (up to 60 s, with documented escalation)",
    "late": "late (60 to 90 s, needs its escalation record)",
    "at_risk": "at risk (over 90 s, or not measured)",
    "unanswered": "nobody joined",
}
ESCALATION = {"recorded": "escalation recorded", "missing": "no escalation recorded", "not_needed": ""}
LANE = {
    "audio_to": "Audio to the room",
    "audio_from": "Audio from the room",
    "video_to": "Video to the room",
    "video_from": "Video from the room",
}
STREAM = {name: label.lower() for name, label in LANE.items()}
PHASE = {"pre": "before contrast", "injecting": "contrast", "monitoring": "monitoring"}
CAUSE = {
    "none": "nothing is wrong",
    "power": "power failed",
    "lan_or_router": "local network or router",
    "all_links_down": "all lines down",
    "link_down": "line down",
    "link_degraded": "line degraded",
    "latency": "high latency",
    "failover": "traffic moved to the other line",
    "remote_or_application": "far end or application",
    "recovering": "recovering",
    "unknown": "cause unknown",
}
PATH_END = {
    "nowhere": "reaches its end",
    "lan": "dies before the router",
    "router": "dies behind the router",
    "provider": "dies at the provider",
    "far_end": "dies at its end",
    "unknown": "could not be walked",
}
"""Of a path that was walked, by `dies_at`."""
REASON = {"procedure": "", "line_failed": "line failed", "noc_command": "by signed command of the NOC"}
HAPPENED = {
    "act.session_requested": "Radiologist requested",
    "act.session_joined": "Radiologist joined",
    "act.session_opened": "Session opened (no request recorded)",
    "act.contrast_started": "Contrast started",
    "act.contrast_ended": "Contrast ended, monitoring begins",
    "act.monitoring_ended": "Monitoring ended",
    "act.session_closed": "Session closed",
    "act.escalated": "Escalated",
    "act.continuity_confirmed": "Supervision confirmed by voice",
    "act.phone_confirmed": "Radiologist reached by phone",
    "act.phone_failed": "Radiologist not reached by phone",
    "act.mobile_up": "Mobile workstation took over",
    "act.onsite_present": "On-site supervisor present",
    "act.acknowledged": "Acknowledged",
    "act.held": "Contrast held back",
    "act.halted": "Halted",
    "act.rescheduled": "Rescheduled",
    "act.reaction_marked": "Reaction marker",
    "act.refused": "An act was refused",
    "act.repeated": "An act was repeated",
    "session.unanswered": "Request not answered in time",
    "wan.failover": "Router moved the traffic",
    "wan.failback": "Router moved the traffic back",
    "incident.opened": "Incident opened",
    "incident.recaused": "Incident has another cause",
    "incident.closed": "Incident closed",
    "path.diagnosed": "Path walked",
    "response.demanded": "Another response demanded",
    "clock.stepped": "The wall clock was set",
    "daemon.started": "edged started: nothing was observed before",
    "daemon.stopping": "edged stops: nothing is observed from here on",
    "daemon.reloading": "edged starts anew with another configuration",
}
ACT = {
    "continuity_confirmed": "confirmed by voice that supervision continues",
    "phone_confirmed": "reached the radiologist by phone",
    "phone_failed": "did not reach the radiologist by phone",
    "mobile_up": "brought up the mobile workstation",
    "onsite_present": "attested on-site supervision",
    "acknowledged": "acknowledged",
    "held": "held contrast back",
    "halted": "halted",
    "rescheduled": "rescheduled",
}
TIMER = {"phone": "two minutes for the phone", "mobile": "two minutes for the mobile workstation"}
TIMER |= {"confirm": "confirmation by voice"}
TIMER_WORD = {"started": "started", "met": "met", "expired": "expired", "over": "over, no longer needed"}
MISSING = {
    "request_time": "time of the request",
    "joining_time": "time of joining",
    "response_time": "response time",
    "escalation_record": "record of the escalation",
    "every_second_observed": "an observation of every second",
    "contrast_start": "start of contrast",
    "contrast_end": "end of contrast",
    "monitoring_end": "end of the monitoring window",
    "confirmation_by_technologist": "confirmation by the technologist",
    "closing_time": "time of closing",
    "trusted_clock": "a clock in sync throughout",
    "software_and_configuration": "version and configuration of the software",
}


def text(value: object) -> str:
    """Escaped; None is not recorded."""
    return escape(NOT_RECORDED if value is None else str(value))


def words(table: dict[str, str], code: object) -> str:
    """The table's words for a code, or the code itself."""
    return text(table.get(code, code.replace("_", " ")) if isinstance(code, str) else code)


def happened(kind: str) -> str:
    named = HAPPENED.get(kind)
    if named is not None:
        return escape(named)
    if kind.endswith((".raised", ".cleared")):
        name, _, word = kind.rpartition(".")
        return escape(f"{name.replace('.', ' ').replace('_', ' ')}: {'begins' if word == 'raised' else 'over'}")
    return escape(kind.replace(".", " ").replace("_", " "))


def span(seconds: object) -> str:
    """8 s, 2 min 05 s, 2 h 02 min 05 s."""
    if not isinstance(seconds, (int, float)):
        return NOT_RECORDED
    whole = round(seconds)
    if 0 < seconds < 10 and seconds != whole:
        return f"{seconds:.1f} s"
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min" + (f" {whole % 60:02} s" if whole % 60 else "")
    minutes, rest = divmod(whole % 3600, 60)
    return f"{whole // 3600} h" + (f" {minutes:02} min" if minutes or rest else "") + (f" {rest:02} s" if rest else "")


def since(at_s: object) -> str:
    """Minutes and seconds since the session's first event: "+3:07"."""
    if not isinstance(at_s, (int, float)):
        return ""
    whole = int(abs(at_s))
    sign = "−" if at_s < 0 and whole else "+"
    hours, rest = divmod(whole, 3600)
    return f"{sign}{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{sign}{rest // 60}:{rest % 60:02}"


def clock(time: object) -> str:
    """The "14:03:07" of "2026-11-22T14:03:07.125Z"."""
    return escape(time[11:19]) if isinstance(time, str) else NOT_RECORDED


def times(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
