"""What is the case now in one room: the few facts the tables ask for, derived from the state.

Unknown stays None and is never live.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edged.core.fallback import phone
from edged.core.liveness import Words, both_ways, fresh, is_watched, words
from edged.core.observations import Act
from edged.core.phase import Phase
from edged.core.plan import Plan
from edged.core.rooms import RoomState
from edged.core.state import Failover, LinkState, State, is_made_by_drill
from probes.reading import LinkCause, MediaReading, Medium, Verdict


@dataclass(frozen=True, slots=True)
class Situation:
    """One moment, as the tier and root-cause tables see it. Times are ages in seconds."""

    now: float
    room: str
    in_session: bool
    """A radiologist supervises, or should: joined and not left."""
    phase: Phase | None
    """None without a session."""
    verdicts: Mapping[str, Verdict]
    carrier: str
    """The link that carries the traffic: the router's word, else the only or the primary one."""
    carrier_cause: LinkCause
    standby_usable: bool
    """Some link other than the carrier is up or degraded."""
    all_down_for_s: float | None
    spiking: bool
    """Rule 3: enough of the last one-second samples above the threshold."""
    calm: bool
    """Rule 3: the last second's p95 below the calm threshold."""
    words: Words
    """On each stream the best source's."""
    audio: bool | None
    video: bool | None
    """Live in both directions (rule 7)."""
    media_loss_pct: float | None
    undirected: bool
    """In a session, nobody can direct the technologist over the line: the sound is lost, the picture too or not."""
    watched: bool
    """Somebody could know whether media live: an observer, or the platform. Else the links have to do."""
    lost_for_s: float | None
    lost_since_s: float | None
    """Onset of the loss that rule 8 counts from. It outlives a short return: recovery is damped, escalation never."""
    failover: Failover | None
    asked_s: float | None
    """Since when a word is owed on it (rule 4): since the first move that nobody has confirmed."""
    phone: bool | None
    """Whether it can be counted on (rule 12)."""
    drill: bool
    """A drill is on, or made the failover that has not settled yet (rule 4)."""
    joined_s: float | None
    """When the radiologist joined the session there is."""
    frame_rate_hz: float | None
    """The lowest of the live video streams."""
    acted_s: Mapping[Act, float]
    grace_s: float
    confirm_within_s: float
    phone_within_s: float
    lost_dwell_s: float
    media_loss_limit_pct: float
    least_frame_rate_hz: float
    silenced: bool = False
    """The sound lost alone has come to tier 3, which grants a failover no grace: known while the table is walked."""
    halted: bool = False
    """Tier 4 is up: known while the table is being walked."""

    @property
    def contrast_given(self) -> bool:
        """A patient may react now (T5)."""
        return self.phase is not None and self.phase.contrast_given

    @property
    def carrier_verdict(self) -> Verdict:
        return self.verdicts.get(self.carrier, Verdict.UNKNOWN)

    @property
    def links_usable(self) -> bool:
        """At least one link is known to carry traffic."""
        return any(verdict in (Verdict.UP, Verdict.DEGRADED) for verdict in self.verdicts.values())

    @property
    def switching(self) -> bool:
        """The carrier is gone and another link could take over."""
        return self.carrier_verdict is Verdict.DOWN and self.standby_usable

    @property
    def failing_over(self) -> bool:
        """The router is about to move the traffic, or has just done so (rule 6)."""
        return self.switching or (self.failover is not None and self.now - self.failover.at_s < self.grace_s)

    @property
    def av_lost(self) -> bool:
        """Neither medium is known to live, and something says so."""
        return self.undirected and not self.video

    @property
    def cut_off(self) -> bool:
        """Nobody directs over the lines: undirected past the dwell or grace, or every link down past the dwell."""
        wait_s = self.grace_s if self.failing_over else self.lost_dwell_s
        return (self.undirected and (self.silenced or (self.lost_for_s or 0.0) >= wait_s)) or self.no_line

    @property
    def no_line(self) -> bool:
        """Every link is down past the dwell, and no medium proves the contrary."""
        down = self.all_down_for_s is not None and self.all_down_for_s >= self.lost_dwell_s
        return down and not (self.audio or self.video)

    @property
    def av_restored(self) -> bool:
        """In a session both media live; without one, or unwatched, a line that could carry it (rule 17)."""
        seen = self.in_session and self.watched
        return (self.audio is True and self.video is True) if seen else self.links_usable

    @property
    def sound_restored(self) -> bool:
        """In a session the sound lives, and whether the picture does is known; without one, or unwatched, a line could
        carry it.
        """
        seen = self.in_session and self.watched
        return (self.audio is True and self.video is not None) if seen else self.links_usable

    @property
    def confirmed(self) -> bool:
        """Somebody confirmed verbally after the last move of the traffic, or joined after it; without a session there
        is nobody to ask.
        """
        if self.joined_s is None or self.failover is None:
            return not self.in_session
        moved_s = self.failover.at_s
        return self.joined_s >= moved_s or self.did(Act.CONTINUITY_CONFIRMED, moved_s)

    @property
    def av_compliant(self) -> bool | None:
        """Did live two-way audio and video exist this second? None without a session (rule 10)."""
        return (self.audio is True and self.video is True) if self.in_session else None

    @property
    def media_poor(self) -> bool:
        """Live audio or video loses too much (T1)."""
        return self.in_session and (self.media_loss_pct or 0.0) >= self.media_loss_limit_pct

    @property
    def video_jerky(self) -> bool:
        """Live video brings too few frames to follow movement (T1)."""
        return self.in_session and self.frame_rate_hz is not None and self.frame_rate_hz < self.least_frame_rate_hz

    def reached(self, since_s: float | None) -> bool:
        """The radiologist was reached by phone since then, and that is the last that was said of it."""
        confirmed_s, failed_s = (
            self.acted_s.get(act, float("-inf")) for act in (Act.PHONE_CONFIRMED, Act.PHONE_FAILED)
        )
        return self.did(Act.PHONE_CONFIRMED, since_s) and confirmed_s > failed_s

    def contact(self, since_s: float | None) -> bool:
        """Somebody directs the technologist without the lines: on the phone, or on site."""
        return self.reached(since_s) or self.did(Act.ONSITE_PRESENT, since_s)

    def did(self, act: Act, since_s: float | None) -> bool:
        """Whether somebody did `act` at or after `since_s`."""
        return since_s is not None and self.acted_s.get(act, float("-inf")) >= since_s


def situation(plan: Plan, state: State, now: float, room: str | None = None) -> Situation:
    """The moment `now` (monotonic seconds) as the tables see it in `room`; None: the leading one, else the first."""
    name = room or state.leading_room or plan.rooms[0]
    held, limits = state.room(name), plan.thresholds
    carrier = state.carrier or plan.primary.name
    verdicts = {link.name: _verdict(state.links.get(link.name)) for link in plan.links}
    carried = state.links.get(carrier)
    media = words(held, all_down_s=state.all_down_s, now=now)
    audio, video = both_ways(media, Medium.AUDIO), both_ways(media, Medium.VIDEO)
    lost_since_s = state.all_down_s if held.undirected_s is None else held.undirected_s
    return Situation(
        now=now,
        room=name,
        in_session=held.supervised,
        phase=held.session.phase if held.session else None,
        verdicts=verdicts,
        carrier=carrier,
        carrier_cause=carried.reading.cause if carried else LinkCause.STARTING,
        standby_usable=any(v in (Verdict.UP, Verdict.DEGRADED) for n, v in verdicts.items() if n != carrier),
        all_down_for_s=_age(state.all_down_s, now),
        spiking=carried is not None and is_spiking(plan, carried),
        calm=carried is not None and is_calm(plan, carried),
        words=media,
        audio=audio,
        video=video,
        media_loss_pct=_worst_loss(fresh(held.media, now)),
        undirected=_undirected(plan, state, held, audio, video),
        watched=is_watched(held, observer=plan.has_media),
        lost_for_s=_age(lost_since_s, now),
        lost_since_s=lost_since_s,
        failover=state.failover,
        asked_s=_asked_since(state.failover, held),
        phone=phone(plan, state, name),
        drill=is_made_by_drill(state),
        joined_s=held.session.joined_s if held.session else None,
        frame_rate_hz=_lowest_frame_rate(fresh(held.media, now)),
        acted_s=held.acted_s,
        grace_s=limits.failover_grace_s,
        confirm_within_s=limits.confirm_within_s,
        phone_within_s=limits.phone_within_s,
        lost_dwell_s=plan.dwells[3].raise_s,
        media_loss_limit_pct=limits.media_loss_pct,
        least_frame_rate_hz=limits.least_frame_rate_hz,
    )


def is_undirected(plan: Plan, state: State, now: float, room: str) -> bool:
    """`Situation.undirected` alone: asked before the onset it belongs to is known."""
    held = state.room(room)
    if not held.supervised:
        return False
    media = words(held, all_down_s=state.all_down_s, now=now)
    return _undirected(plan, state, held, both_ways(media, Medium.AUDIO), both_ways(media, Medium.VIDEO))


def is_spiking(plan: Plan, link: LinkState) -> bool:
    """Rule 3: 3 of the last 5 one-second samples above 150 ms, on a link that answers at all."""
    limits = plan.thresholds
    above = sum(rtt > limits.spike_rtt_s for rtt in link.rtts_s[-limits.spike_window :])
    return above >= limits.spike_samples and link.reading.verdict is not Verdict.DOWN


def is_calm(plan: Plan, link: LinkState) -> bool:
    p95 = link.reading.rtt_p95_s
    return p95 is not None and p95 < plan.thresholds.calm_rtt_p95_s


def all_down(plan: Plan, state: State) -> bool:
    return all(_verdict(state.links.get(link.name)) is Verdict.DOWN for link in plan.links)


def _undirected(plan: Plan, state: State, room: RoomState, audio: bool | None, video: bool | None) -> bool:
    """The sound is known dead (rule 5); or the picture is, and nothing is known of the sound. Once lost, only live
    sound ends it: an observer that starts anew and knows nothing yet does not.
    """
    if not room.supervised or audio:
        return False
    if not is_watched(room, observer=plan.has_media):
        return state.all_down_s is not None
    return audio is False or video is False or room.undirected_s is not None


def _asked_since(failover: Failover | None, room: RoomState) -> float | None:
    """Another move gives no new time to who still owes a word on the one before."""
    timer = room.timers.get("confirm")
    if failover is None:
        return None
    return timer.started_s if timer is not None and not timer.met else failover.at_s


def _verdict(link: LinkState | None) -> Verdict:
    return link.reading.verdict if link else Verdict.UNKNOWN


def _age(since_s: float | None, now: float) -> float | None:
    return None if since_s is None else now - since_s


def _worst_loss(media: MediaReading | None) -> float | None:
    losses = (
        [stream.loss_pct for stream in media.streams if stream.live and stream.loss_pct is not None] if media else []
    )
    return max(losses, default=None)


def _lowest_frame_rate(media: MediaReading | None) -> float | None:
    rates = [s.frame_rate_hz for s in media.streams if s.live and s.frame_rate_hz is not None] if media else []
    return min(rates, default=None)
