"""Metrics of rooms and of the sessions in them, of incidents and alarms, and what is counted of them. Pure.

A room has 30 series and a few while it is in session, a site eight rooms at most.
"""

from collections.abc import Sequence

from edged.report.metric_row import Metric, below, flag, milli, number_of, percent, plain, present, tallied, word

_CLASSES = ("best", "acceptable", "late", "at_risk")
_OUTCOMES = ("held", "halted", "rescheduled")


def _per(label: str, values: Sequence[str], name: str, what: str, meaning: str) -> list[Metric]:
    """A counter for each value of a label; `{}` in its name is where it stands."""
    return [Metric(name, "tally", tallied(what.format(value)), meaning, {}, {label: value}) for value in values]


ROOM_METRICS: Sequence[Metric] = (
    *below(
        "rooms[].",
        {"room": "room"},
        ("edged_room_tier", "tier.tier", plain, "The containment tier of a room, 0 to 4"),
        ("edged_room_tier_seconds", "tier.for_s", plain, "For how long it has been that"),
        ("edged_room_av_compliant", "tier.av_compliant", flag, "Whether live two-way audio and video exist there"),
        (
            "edged_room_readiness",
            "ready.level",
            word(green=0, amber=1, red=2),
            "Whether the next injection may begin: 0 green, 1 amber, 2 red",
        ),
        ("edged_room_session_open", "session.open", flag, "Whether a session is open there"),
        ("edged_room_session_joined", "session.joined", flag, "Whether the radiologist has joined it"),
        ("edged_media_observing", "media.observing", flag, "Whether the media observer can see"),
        ("edged_media_encrypted", "media.protection", word(encrypted=1, clear=0), "Whether the media are encrypted"),
        ("edged_phone_reachable", "phone.reachable", flag, "Whether the phone of the direct line answers"),
        ("edged_phone_registered", "phone.registered", flag, "Whether its registrar knows where it is"),
        ("edged_phone_rtt_seconds", "phone.rtt_ms", milli, "Round trip to that phone"),
    ),
    *below(
        "rooms[].",
        {"room": "room", "phase": "session.phase"},
        ("edged_room_phase", "session.phase", present, "Where the session stands: pre, injecting, monitoring"),
    ),
    *below(
        "rooms[].",
        {"room": "room", "timer": "timers[].timer"},
        ("edged_timer_due_seconds", "timers[].due_in_s", plain, "Until a deadline; negative once it was missed"),
        ("edged_timer_met", "timers[].met", flag, "Whether what it asks for was done"),
    ),
    *below(
        "rooms[].",
        {"room": "room", "medium": "streams[].medium", "way": "streams[].way"},
        ("edged_stream_live", "streams[].live", flag, "Whether a medium lives one way, by the best word on it"),
    ),
    *below(
        "rooms[].",
        {"room": "room", "medium": "media.streams[].medium", "way": "media.streams[].way"},
        ("edged_media_live", "media.streams[].live", flag, "Whether a medium is seen to flow one way"),
        ("edged_media_packets_per_second", "media.streams[].packet_rate_hz", plain, "Packets of a medium one way"),
        ("edged_media_frames_per_second", "media.streams[].frame_rate_hz", plain, "Frames of video one way"),
        ("edged_media_loss_ratio", "media.streams[].loss_pct", percent, "Packets of a medium lost one way"),
    ),
    *below(
        "mobile.",
        {},
        ("edged_mobile_heard", "heard", flag, "Whether the mobile workstation is heard"),
        ("edged_mobile_other_carrier", "other_carrier", flag, "Whether its carrier is another than the backup line's"),
    ),
    Metric("edged_drill_running", "drill", present, "The primary line is offline on purpose", {}),
    *below(
        "",
        {},
        ("edged_incidents_open", "incidents", number_of, "Incidents that are open, each for one root cause"),
        ("edged_alarms_a_day", "kpi.a_day", plain, "Alarms announced in the last 24 hours"),
        ("edged_alarms_standing", "kpi.standing", plain, "Alarms that have stood for longer than a day"),
        ("edged_alarms_flapping", "kpi.flapping", plain, "Alarms that come and go"),
    ),
    Metric("edged_session_requests_total", "tally", tallied("requested"), "Radiologists asked for", {}),
    Metric("edged_session_unanswered_total", "tally", tallied("unanswered"), "Requests nobody answered in time", {}),
    *_per(
        "class",
        _CLASSES,
        "edged_session_answers_total",
        "answered_{}",
        "Radiologists that joined, by how fast",
    ),
    *_per("act", _OUTCOMES, "edged_contrast_stopped_total", "{}", "Contrast held, halted or rescheduled"),
    *_per(
        "act",
        _OUTCOMES,
        "edged_contrast_stopped_by_connectivity_total",
        "{}_by_connectivity",
        "Of these, what the line was to blame for",
    ),
)
