"""The shipped text of the containment protocol, for a site that has not written its own. config/protocol.toml says the
same, word for word, with comments.

One action a sentence, the action first, the reason after a colon. No number that a site may change, no drug, no dose.
"""

from collections.abc import Mapping
from typing import TypeAlias

Said: TypeAlias = tuple[str, str, float | None]
"""What to do, who does it, within how many seconds (None: no deadline)."""

VERSION = "2026-11"
_TECH, _PHYSICIAN, _ENGINEER, _NOC = "technologist", "on-site physician", "field engineer", "NOC"

ROWS: Mapping[str, Said] = {
    "t1.latency": ("Watch picture and sound: the line is slow and the box is making room on it.", _TECH, None),
    "t1.loss": ("Watch for stutter: the line is losing data.", _TECH, None),
    "t1.media": ("Watch for stutter: sound or picture is losing data.", _TECH, None),
    "t1.video": ("Watch the picture: too few frames arrive to follow movement.", _TECH, None),
    "t2.switching": ("Hold new injections: the backup line is taking over.", _TECH, 15.0),
    "t2.failover": ("Ask the radiologist to confirm aloud that supervision continues.", _TECH, 30.0),
    "t2.video": ("Start no new injection and ask the radiologist to confirm aloud: the picture is lost.", _TECH, 30.0),
    "t3.av": ("Hold contrast and call the radiologist on the direct phone: sound and picture are lost.", _TECH, 120.0),
    "t3.audio": ("Hold contrast and call the radiologist on the direct phone: the sound is lost.", _TECH, 120.0),
    "t3.unconfirmed": (
        "Hold contrast and call the radiologist on the direct phone: nobody has confirmed supervision.",
        _TECH,
        120.0,
    ),
    "t3.links": ("Start nothing and call the radiologist on the direct phone: no line works.", _TECH, 120.0),
    "t4.phone_dead": ("Halt now and follow the on-site protocol or reschedule: the phone is dead too.", _TECH, 0.0),
    "t4.no_contact": ("Halt now and follow the on-site protocol or reschedule: nobody answers the phone.", _TECH, 0.0),
    "t4.two_minutes": ("Halt now and follow the on-site protocol or reschedule: the time to call is over.", _TECH, 0.0),
    "t5.contrast_given": ("Stop contrast, stay with the patient and start the emergency protocol now.", _TECH, 0.0),
}

ON_THE_PHONE = "Keep holding contrast and stay on the phone with the radiologist."
PHONE_PROMPT = "On the phone give only the identifiers that are clinically necessary."

CLEARING: Mapping[int, str] = {
    1: "Carry on: the line has recovered and is being watched.",
    2: "Carry on and keep watching: supervision continues.",
    3: "Keep holding contrast until this clears: the lines are back.",
    4: "Keep to the halt: this clears with on-site supervision, or with the session back and acknowledged.",
}

SCRIPT: Mapping[str, tuple[Said, ...]] = {
    "pre": (
        ("Start no contrast.", _TECH, 0.0),
        ("Tell the on-site physician that remote supervision is lost.", _TECH, 120.0),
        ("Supervise on site or reschedule the examination, as the facility has laid down.", _PHYSICIAN, 900.0),
        ("Record at the box that the examination was halted or rescheduled, and why.", _TECH, 900.0),
    ),
    "injecting": (
        ("Stop the injector.", _TECH, 0.0),
        ("Stay with the patient and call for help in the room.", _TECH, 0.0),
        ("Call the facility's emergency number.", _TECH, 30.0),
        ("Start the facility's contrast-reaction protocol.", _TECH, 60.0),
        ("Reach the radiologist by any phone and report that the room has no supervision.", _NOC, 120.0),
        ("Take over the patient.", _PHYSICIAN, 300.0),
        ("Record at the box that on-site supervision is present.", _TECH, 600.0),
    ),
    "monitoring": (
        ("Give no more contrast.", _TECH, 0.0),
        ("Stay with the patient and watch for signs of a reaction.", _TECH, 0.0),
        ("Call the facility's emergency number.", _TECH, 60.0),
        ("Start the facility's contrast-reaction protocol at the first sign of a reaction.", _TECH, 0.0),
        ("Reach the radiologist by any phone and report that the room has no supervision.", _NOC, 120.0),
        ("Take over the patient until the monitoring time is over.", _PHYSICIAN, 300.0),
        ("Record at the box that on-site supervision is present.", _TECH, 600.0),
    ),
}
"""T5, to be written by the facility: a careful default until it has."""

READINESS: Mapping[str, str] = {
    "tier_in_force": "Follow the instruction in force first.",
    "t4_latched": "Start nothing: tier 4 waits for on-site supervision, or for the session back and acknowledged.",
    "no_session": "Request a radiologist first: no session is open in this room.",
    "not_joined": "Wait for the radiologist: nobody has joined yet.",
    "av_not_live": "Start nothing: sound and picture are not live both ways.",
    "av_unknown": "Start nothing: nobody knows whether sound and picture are live both ways.",
    "no_line": "Start nothing: no line works.",
    "carrier_down": "Wait: the line in use is down.",
    "carrier_degraded": "Watch for stutter: the line in use is slow or losing data.",
    "carrier_unknown": "Wait: nothing is known yet of the line in use.",
    "not_admissible": "Start no further session: the line in use is too small for it.",
    "standby_down": "Call the NOC: the backup line is down and cannot take over.",
    "standby_unproven": "Call the NOC: that the backup line can take over is not proven.",
    "standby_unfit": "Call the NOC: the backup line cannot carry a session.",
    "on_battery": "Have mains power restored: the equipment runs on battery.",
    "low_battery": "Start nothing: the battery is nearly empty.",
    "ups_unknown": "Look at the UPS: it does not say how it is.",
    "phone_dead": "Get another phone into the room: the direct phone is dead.",
    "phone_unproven": "Test the direct phone: nobody has proven it lately.",
    "phone_unregistered": "Test the direct phone: its exchange does not know it.",
    "phone_shared_fate": "Keep a mobile phone at hand: the direct phone dies with the line or with its power.",
    "mobile_silent": "Switch on the mobile workstation: nothing is heard of it.",
    "mobile_same_carrier": "Call the NOC: the mobile workstation uses the backup line's carrier.",
    "clock_untrusted": "Call the NOC: the clock of the box cannot be trusted.",
    "record_not_durable": "Call the NOC: what happens now is not written to the disk.",
    "source_blind": "Call the NOC: an instrument of the box has fallen silent.",
    "clear_text_media": "Call the NOC before you start: sound or picture is not encrypted.",
    "drill": "Wait until the drill is over.",
    "rate_unknown": "Measure the line in use: nobody knows how much it carries.",
    "no_second_link": "Keep the direct phone at hand: this room has one line only.",
    "media_not_watched": "Check sound and picture with the radiologist: the box does not see them.",
    "phone_not_watched": "Test the direct phone: the box does not watch it.",
    "restarted_just_now": "Wait a moment: the box has just started and is still looking.",
}

ALARMS: Mapping[str, Said] = {
    "link.down": ("Call the provider of this line.", _NOC, 900.0),
    "session.unsupervised": ("Stop contrast: nobody supervises.", _TECH, 0.0),
    "drill.primary_offline": ("Plug the primary line back in: the drill is over.", _TECH, 120.0),
    "link.degraded": ("Find out what is wrong with this line.", _NOC, 3600.0),
    "link.reflector_fault": ("Repair the far ends that are probed: the line itself works.", _NOC, 3600.0),
    "capacity.too_small": ("Order more bandwidth: this line is too small for a session.", _NOC, None),
    "exit.not_own": ("Correct the router's rule for this line: its probes leave by another.", _ENGINEER, 3600.0),
    "exit.shared": ("Order the backup from another provider: both lines leave by one.", _NOC, None),
    "standby.unfit": ("Have the backup line repaired: it cannot carry a session.", _NOC, 3600.0),
    "power.on_battery": ("Have mains power restored.", _NOC, 300.0),
    "power.low_battery": ("Start no injection: the battery is nearly empty.", _TECH, 0.0),
    "power.off": ("Switch this UPS on again.", _ENGINEER, 900.0),
    "ups.out_of_contact": ("Check this UPS, its cable and its server: it does not answer.", _ENGINEER, 3600.0),
    "router.silent": ("Check the router and its SNMP access: it does not answer.", _ENGINEER, 3600.0),
    "phone.unreachable": ("Get another phone into the room: the direct phone is dead.", _TECH, 300.0),
    "phone.unregistered": ("Register the direct phone with its exchange again.", _ENGINEER, 900.0),
    "phone.shared_fate": ("Give the direct phone a line and power of its own.", _ENGINEER, None),
    "mobile.silent": ("Switch on the mobile workstation.", _TECH, 900.0),
    "mobile.same_carrier": ("Move the mobile workstation to another carrier than the backup's.", _ENGINEER, None),
    "mobile.late": ("Start nothing: the mobile workstation has not brought the session back in time.", _TECH, 0.0),
    "media.blind": ("Repair the media observer: sound and picture are not seen.", _ENGINEER, 3600.0),
    "media.clear_text": ("Have encryption switched on: sound or picture can be listened to.", _NOC, 900.0),
    "media.unknown": ("Check sound and picture with the radiologist: the box cannot tell.", _TECH, 30.0),
    "session.unanswered": ("Find another radiologist for this room.", _NOC, 60.0),
    "session.not_escalated": ("Document how the late answer was escalated.", _TECH, 900.0),
    "qos.not_applied": ("Restore the priorities: sound and picture no longer go first.", _ENGINEER, 3600.0),
    "uplink.lost": ("Find out why this site cannot reach the NOC.", _NOC, 900.0),
    "certificate.expires_14d": ("Renew this certificate.", _NOC, None),
    "certificate.expires_7d": ("Renew this certificate today.", _NOC, 3600.0),
    "certificate.expired": ("Renew this certificate now: the next connection fails.", _NOC, 900.0),
    "certificate.not_exchanged": ("Correct the new certificate files: they are not sound.", _ENGINEER, 3600.0),
    "record.not_durable": ("Repair the disk or make room on it: nothing is written.", _ENGINEER, 900.0),
    "record.reserve_full": ("Acknowledge this site's tier events: their room is full.", _NOC, 900.0),
    "record.no_second_copy": ("Make room on the disk: tier events are written once only.", _ENGINEER, 3600.0),
    "record.low_space": ("Make room on the disk.", _ENGINEER, 3600.0),
    "clock.implausible": ("Have the clock set by NTP and its battery changed.", _ENGINEER, 3600.0),
    "source.blind": ("Repair this instrument: it has fallen silent.", _ENGINEER, 3600.0),
    "alarms.standing": ("Clear the alarms that stand for long: a new one would drown.", _NOC, 3600.0),
    "alarms.flapping": ("Find out why this alarm comes and goes.", _NOC, 3600.0),
}

INFORMATION: Said = ("Look at it at the next service visit.", _ENGINEER, None)
