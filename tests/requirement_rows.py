"""What the field asks, in a few words each, and how a test of it must look. Ids are those of the requirements."""

from dataclasses import dataclass
from enum import StrEnum


class Proof(StrEnum):
    """What an id must have; all ids may have more."""

    NONE = ""
    TABLE = "table"  # a test on a fake clock or of a pure decision
    LAB = "table and lab"  # and one on the site in network namespaces: a network is involved


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    asks: str
    proof: Proof = Proof.NONE
    others: str = ""
    """What of it is not edged's own job, or is only handed over."""


_T, _L = Proof.TABLE, Proof.LAB

ROWS: tuple[Row, ...] = (
    Row("N1", "5 Mbit/s each way for one session, measured per line and direction"),
    Row("N2", "10 Mbit/s for each of several, with headroom, and whether one more is admissible now"),
    Row("N3", "commissioning floor of 10/10 Mbit/s"),
    Row("N4", "round trip below 150 ms on every line"),
    Row("N5", "lines of different providers, proven by where they leave"),
    Row("N6", "the router's failover: seen, timed, survived"),
    Row("N7", "the standby is proven to work, continuously"),
    Row("Q1", "P1: sound and picture of supervision go first"),
    Row("Q2", "P2: messages and session authentication"),
    Row("Q3", "P3: records and image queries; bulk images never above it"),
    Row("Q4", "P4: everything else"),
    Row("Q5", "priorities hold on a full line", others="the router's own policy: a template, verified"),
    Row("U1", "every device of the path has a UPS; what is uncovered or shared is shown"),
    Row("U2", "on battery the workstation goes first; on return the network comes first"),
    Row("U3", "six-monthly test of the UPS runtime"),
    Row("C1", "a direct phone line, watched: it answers, it is registered, somebody was spoken to", _L, "who answered"),
    Row("C2", "on the phone only necessary identifiers; its use and the reason recorded as a code", _T),
    Row("C3", "a mobile workstation on another carrier than the backup, in session within two minutes", _L),
    Row("T1", "picture or sound degraded, latency spikes: watch, and make room on the line", _L),
    Row("T2", "picture lost or failover: confirm by voice that supervision continues", _L),
    Row("T3", "sound and picture lost: direct phone, hold contrast", _L),
    Row("T4", "nobody reached within two minutes: halt; latched", _L),
    Row("T5", "contrast already given: the emergency script of the phase until on-site staff are there", _T),
    Row("T6", "every failure has its path: who, at what threshold, with what evidence", _L),
    Row("E1", "live sound and picture proven second by second; unobserved is never live", _L),
    Row("E2", "response time in its class; late answers with their escalation", _T),
    Row("E3", "a complete record of the session; what is missing is named", _T, "patient and licence fields"),
    Row("E4", "means of communication, network figures and technical trouble of the session", _L),
    Row(
        "E5",
        "opaque markers of reactions, and how the line was around them",
        _T,
        "severity and outcome: another system's, which asks with its marker",
    ),
    Row("E6", "holds, halts and reschedules counted, and whether the line was to blame", _T),
    Row("E7", "records at hand at once; no patient data in edged at all", _T, "the facility's own store"),
    Row("D1", "monthly failover drill with interlocks"),
    Row("D2", "quarterly drill of the whole scenario"),
    Row("D3", "six-monthly UPS test, as U3"),
    Row("H1", "encrypted media: clear text is an alarm", _L),
    Row("H2", "roles on the socket and for remote commands", _T),
    Row("H3", "every command recorded: who, in which role, why", _L),
    Row("H4", "unauthorised access is noticed and told", _L),
    Row("rule1", "need(1) = 5, need(n) = 10·n Mbit/s, times 1.2", _T),
    Row("rule2", "150 ms are a round trip", _T),
    Row("rule3", "a spike is 3 of 5 samples above 150 ms; calm is p95 below 120 ms for 30 s", _L),
    Row(
        "rule4",
        "failover is latched until confirmed and 60 s stable; unconfirmed after 30 s is T3; drills labelled",
        _L,
    ),
    Row("rule5", "sound lost with the picture alive is T3", _L),
    Row("rule6", "15 s of grace while the line is switched, then T3", _L),
    Row("rule7", "a medium lives only both ways; unknown never lives", _L),
    Row("rule8", "two minutes from the onset, over kills, reboots and clock steps", _L),
    Row("rule9", "T4 latches: restored and acknowledged, or on-site supervision", _L),
    Row("rule10", "two verdicts a second: containment is not compliance", _L),
    Row("rule11", "phone and mobile workstation each have two minutes, both recorded", _T),
    Row("rule12", "a phone on the same line or UPS is no fallback", _L),
    Row("rule13", "an answer after 60 to 90 s is late and wants its escalation record", _T),
    Row("rule14", "the network's power before the workstation's", _T),
    Row("rule15", "phases: pre, injecting, monitoring, closed; monitoring belongs to contrast", _T),
    Row("rule16", "drill interlocks; the primary must be back whatever happens", _T),
    Row("rule17", "without a session the lines alone are judged, and no phone timer runs", _L),
    Row("rule18", "no marketing figure of the sources in the code", _T),
)

BY_ID = {row.id: row for row in ROWS}
