"""Why the judge took no fact, in plain words: by its code, what is the matter and what to do about it."""

from collections.abc import Mapping

PLAIN: Mapping[str, str] = {
    # the course of a session
    "no_session_is_open": "no session is open: request a radiologist first, or open one",
    "no_session_id": "the session needs an id",
    "another_session_is_open": "another session is open in this room: close it first",
    "not_the_open_session": "that is not the session that is open in this room",
    "no_contrast_running": "no contrast is running: say when it starts",
    "not_monitoring": "nobody is being monitored: say first that contrast has ended",
    "not_now": "not possible in this phase of the session",
    # which room
    "no_such_room": "there is no such room",
    "which_room": "several rooms can be meant: say which",
    # alarms and markers
    "no_such_alarm": "no such alarm stands: see `edgectl alarms`",
    "no_marker": "the marker is missing",
    "shelf_too_long": "an alarm can be shelved for eight hours at most",
    # drills (rule 16)
    "no_drill": "no drill is on",
    "contrast_given": "no drill while contrast is given or a patient is monitored",
    "tier_in_force": "not while a tier is in force",
    "on_battery": "no drill unless every UPS is known to be on mains",
    "standby_unproven": "no drill: it is not proven that the backup line can take over",
    "primary_not_carrying": "no drill: the primary line does not carry the traffic",
    # errands
    "no_such_link": "there is no such link",
    "no_capacity_server": "this link has no far end to be measured with (its capacity settings)",
    "no_exit_settings": "nothing is configured that could show by which door this link leaves",
    "session_open": "not while a session is open",
    "carries_the_session": "not on the line that carries the session",
    "line_not_usable": "the line is not usable now",
}


def plain(code: str) -> str:
    return PLAIN.get(code, code.replace("_", " "))
