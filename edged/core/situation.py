"""What is the case now: the few facts the tables ask for, derived from the state.

Unknown stays None and is never live.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edged.core.observations import Act
from edged.core.plan import Plan
from edged.core.state import Failover, LinkState, State
from probes.reading import LinkCause, MediaReading, Medium, Verdict

_MEDIA_FRESH_S = 3.0
"""A media reading comes once a second; after three missed ones the streams are unknown."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One moment, as the tier and root-cause tables see it. Times are ages in seconds."""

    now: float
    in_session: bool
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
    audio: bool | None
    video: bool | None
    """Live in both directions (rule 7)."""
    media_loss_pct: float | None
    av_lost: bool
    """In a session, neither medium is known to live, and something says so."""
    lost_for_s: float | None
    lost_since_s: float | None
    """Onset of the loss that rule 8 counts from. It outlives a short return: recovery is damped, escalation never."""
    failover: Failover | None
    phone: bool | None
    acted_s: Mapping[Act, float]
    grace_s: float
    confirm_within_s: float
    phone_within_s: float
    lost_dwell_s: float
    media_loss_limit_pct: float

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
    def cut_off(self) -> bool:
        """Nobody can be reached over the lines: A/V lost past its dwell or grace, or every link down past the dwell."""
        wait_s = self.grace_s if self.failing_over else self.lost_dwell_s
        return (self.av_lost and (self.lost_for_s or 0.0) >= wait_s) or self.no_line

    @property
    def no_line(self) -> bool:
        """Every link is down past the dwell, and no medium proves the contrary."""
        down = self.all_down_for_s is not None and self.all_down_for_s >= self.lost_dwell_s
        return down and not (self.audio or self.video)

    @property
    def av_restored(self) -> bool:
        """In a session both media live; without one, a line that could carry it (rule 17)."""
        return (self.audio is True and self.video is True) if self.in_session else self.links_usable

    @property
    def confirmed(self) -> bool:
        """Somebody confirmed verbally after the last move of the traffic; without a session there is nobody to ask."""
        return not self.in_session or (
            self.failover is not None and self.did(Act.CONTINUITY_CONFIRMED, self.failover.at_s)
        )

    @property
    def av_compliant(self) -> bool | None:
        """Did live two-way audio and video exist this second? None without a session (rule 10)."""
        return (self.audio is True and self.video is True) if self.in_session else None

    def did(self, act: Act, since_s: float | None) -> bool:
        """Whether somebody did `act` at or after `since_s`."""
        return since_s is not None and self.acted_s.get(act, float("-inf")) >= since_s


def situation(plan: Plan, state: State, now: float) -> Situation:
    """The moment `now` (monotonic seconds) as the tables see it."""
    limits = plan.thresholds
    carrier = state.carrier or plan.primary.name
    verdicts = {link.name: _verdict(state.links.get(link.name)) for link in plan.links}
    carried = state.links.get(carrier)
    streams = fresh_media(state.media, now)
    audio, video = live_both_ways(streams, Medium.AUDIO), live_both_ways(streams, Medium.VIDEO)
    lost_since_s = state.all_down_s if state.av_lost_s is None else state.av_lost_s
    return Situation(
        now=now,
        in_session=state.session is not None,
        verdicts=verdicts,
        carrier=carrier,
        carrier_cause=carried.reading.cause if carried else LinkCause.STARTING,
        standby_usable=any(v in (Verdict.UP, Verdict.DEGRADED) for n, v in verdicts.items() if n != carrier),
        all_down_for_s=_age(state.all_down_s, now),
        spiking=carried is not None and is_spiking(plan, carried),
        calm=carried is not None and is_calm(plan, carried),
        audio=audio,
        video=video,
        media_loss_pct=_worst_loss(streams),
        av_lost=_av_lost(state, audio, video),
        lost_for_s=_age(lost_since_s, now),
        lost_since_s=lost_since_s,
        failover=state.failover,
        phone=state.phone.reachable if state.phone else None,
        acted_s=state.acted_s,
        grace_s=limits.failover_grace_s,
        confirm_within_s=limits.confirm_within_s,
        phone_within_s=limits.phone_within_s,
        lost_dwell_s=plan.dwells[3].raise_s,
        media_loss_limit_pct=limits.media_loss_pct,
    )


def is_spiking(plan: Plan, link: LinkState) -> bool:
    """Rule 3: 3 of the last 5 one-second samples above 150 ms, on a link that answers at all."""
    limits = plan.thresholds
    above = sum(rtt > limits.spike_rtt_s for rtt in link.rtts_s[-limits.spike_window :])
    return above >= limits.spike_samples and link.reading.verdict is not Verdict.DOWN


def is_calm(plan: Plan, link: LinkState) -> bool:
    p95 = link.reading.rtt_p95_s
    return p95 is not None and p95 < plan.thresholds.calm_rtt_p95_s


def fresh_media(media: MediaReading | None, now: float) -> MediaReading | None:
    """The last media reading, unless it is too old or blind to speak for this second."""
    return media if media and media.observing and now - media.at_s <= _MEDIA_FRESH_S else None


def live_both_ways(media: MediaReading | None, medium: Medium) -> bool | None:
    """Rule 7: live only if both directions are. One dead direction makes it dead, an unknown one unknown."""
    lives = [stream.live for stream in media.streams if stream.medium is medium] if media else []
    if any(live is False for live in lives):
        return False
    return True if len(lives) == 2 and all(lives) else None


def all_down(plan: Plan, state: State) -> bool:
    return all(_verdict(state.links.get(link.name)) is Verdict.DOWN for link in plan.links)


def _av_lost(state: State, audio: bool | None, video: bool | None) -> bool:
    """In a session neither medium is known to live, and something said so. Once lost, only a live medium ends it:
    an observer that starts anew and knows nothing yet does not."""
    if state.session is None or audio or video:
        return False
    return audio is False or video is False or state.all_down_s is not None or state.av_lost_s is not None


def _verdict(link: LinkState | None) -> Verdict:
    return link.reading.verdict if link else Verdict.UNKNOWN


def _age(since_s: float | None, now: float) -> float | None:
    return None if since_s is None else now - since_s


def _worst_loss(media: MediaReading | None) -> float | None:
    losses = (
        [stream.loss_pct for stream in media.streams if stream.live and stream.loss_pct is not None] if media else []
    )
    return max(losses, default=None)
