"""What probing tells the judge: facts, frozen, with their units in the name.

Every `at_s` and `since_s` is seconds on the monotonic clock given. `None` is not known, never zero or good.
"""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What the detector holds of a link or of one target on it."""

    UNKNOWN = "unknown"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


class LinkCause(StrEnum):
    """Why a verdict is what it is; NONE while the link is up."""

    NONE = "none"
    STARTING = "starting"  # too few probes to know
    CARRIER = "carrier"  # the interface itself is gone
    NO_ROUTE = "no_route"  # the kernel refuses to send (no source address, no route)
    LOSS = "loss"  # the sequential test tripped: a black hole
    GRAY_LOSS = "gray_loss"  # sustained partial loss
    DELAY = "delay"  # sustained delay above the link's baseline
    RECOVERING = "recovering"  # answers again, hold-down still running
    STALLED = "stalled"  # our own loop stood still: the detector is frozen
    BLIND = "blind"  # we cannot probe at all (not permitted, no buffers): nothing is known
    REFLECTOR = "reflector"  # probes go unanswered, yet what users ask for still arrives: the fault is at the far end


class Direction(StrEnum):
    """Of a link, seen from the room."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class WayReading:
    """One direction of a link over the last second, where a STAMP reflector tells the two apart."""

    direction: Direction
    loss_pct: float | None
    delay_above_s: float | None
    """Median one-way delay above this direction's own baseline. The two clocks need not agree."""
    jitter_s: float | None
    lossy: bool
    """The sequential test on loss alarmed for this direction."""
    slow: bool
    """The sequential test on delay alarmed for this direction."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the verdict rests on: reproducible with paper and pencil from docs/decisions on detection."""

    test: str
    """Which rule decided: "joint", "votes", "carrier", "gray_loss", "delay", …"""
    nats: float
    """Log-likelihood held for "dead" by the joint test."""
    trip_nats: float
    """Where it trips: ln(1/alpha), from the declared false-alarm rate."""
    misses: int
    """Of the joint run."""
    pi: float
    """Learnt P(loss | the probe before was answered)."""
    q: float
    """Learnt P(loss | the probe before was lost)."""
    votes: int
    voters: int
    quick: int = 0
    """How many of the misses were sent in doubt, closely one after the other."""
    q_quick: float = 0.0
    """Learnt P(loss | the probe before was lost) of those."""


@dataclass(frozen=True, slots=True)
class BudgetReading:
    """Bytes of our own probing on a metered link in this calendar month (UTC), both directions, IP header included."""

    month: str
    """"2026-11"."""
    limit_bytes: int
    used_bytes: int
    stretched: bool
    """Whether the calm pace was slowed to keep within it."""


@dataclass(frozen=True, slots=True)
class TargetReading:
    """One probed target of a link over the last second."""

    target: str
    verdict: Verdict
    rtt_s: float | None
    loss_pct: float | None
    misses: int
    """Consecutive misses right now."""
    evidence_nats: float
    """Log-likelihood the sequential test holds for "dead" (0 when answering)."""
    trip_nats: float
    """Where it trips: ln(1/alpha)."""


@dataclass(frozen=True, slots=True)
class LinkReading:
    """One link: its verdict and the last second in figures. Sent at each change of verdict and once a second."""

    link: str
    at_s: float
    verdict: Verdict
    since_s: float
    cause: LinkCause
    changed: bool
    rtt_s: float | None
    """Median round trip of the last second, from kernel timestamps."""
    rtt_p95_s: float | None
    jitter_s: float | None
    """RFC 3550 interarrival jitter, applied to round trips."""
    loss_pct: float | None
    sent: int
    lost: int
    targets: tuple[TargetReading, ...]
    rtt_min_s: float | None = None
    rtt_p99_s: float | None = None
    burst_mean: float | None = None
    """Mean length of the runs of lost probes over the last ten seconds, in probes; None where none was lost."""
    burst_longest: int = 0
    mos: float | None = None
    """Of a call over this link, E-model (ITU-T G.107), 1 to 4.5."""
    pace: str = "calm"
    ways: tuple[WayReading, ...] = ()
    """Up and down, where a STAMP target answers; else empty."""
    evidence: Evidence | None = None
    budget: BudgetReading | None = None


class Medium(StrEnum):
    AUDIO = "audio"
    VIDEO = "video"


class Way(StrEnum):
    """Seen from the procedure room."""

    TO_ROOM = "to_room"
    FROM_ROOM = "from_room"


@dataclass(frozen=True, slots=True)
class StreamReading:
    """One medium in one direction. `live` is None until the observer could know; unknown is never live."""

    medium: Medium
    way: Way
    live: bool | None
    age_s: float | None
    """Seconds since the last packet; None if none was ever seen."""
    packet_rate_hz: float
    loss_pct: float | None
    frame_rate_hz: float | None = None
    """Video: frames of the last second, by distinct RTP timestamps of the layer that moves most; None for audio."""
    frozen_for_s: float | None = None
    """Video: packets come and no new frame has for so long (`live` is then False once it outlasts the silence
    allowed); None while frames come, for audio, and for a stream that is silent altogether."""
    confidence: float = 1.0
    """0 to 1: how sure the observer is that these packets are this medium (told by configuration 1.0, by the RTP
    clock's slope less while it has seen little)."""


class FarEnd(StrEnum):
    """Whether the media path's other end answers connectivity checks (STUN, RFC 8489; consent, RFC 7675)."""

    ANSWERING = "answering"
    SILENT = "silent"
    UNKNOWN = "unknown"  # no checks are seen


class Protection(StrEnum):
    """Whether the media are encrypted, as far as headers tell (H1)."""

    ENCRYPTED = "encrypted"  # keys were agreed on the same five-tuple (DTLS-SRTP, RFC 5764)
    CLEAR = "clear"  # what only unencrypted RTP or RTCP looks like
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MediaReading:
    """Of one room. With no streams known yet every `live` is None."""

    at_s: float
    observing: bool
    """False while the observer itself cannot see (no interface, no permission): every stream is then unknown."""
    streams: tuple[StreamReading, ...]
    room: str = ""
    """As configured; "" where the site has one room."""
    far_end: FarEnd = FarEnd.UNKNOWN
    protection: Protection = Protection.UNKNOWN


class PhoneCause(StrEnum):
    NONE = "none"
    STARTING = "starting"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    REJECTED = "rejected"  # answered, with a final code that is no success
    MALFORMED = "malformed"
    UNASKED = "unasked"  # our own host could not send (no route, no source address): says nothing of the line
    UNREGISTERED = "unregistered"  # the registrar answers, and has no binding for the line: no call comes through
    DENIED = "denied"  # the registrar refuses our user or password: whether the line is registered is not known
    NO_REGISTRAR = "no_registrar"  # it gives no answer that can be used: whether the line is registered is not known


@dataclass(frozen=True, slots=True)
class PhoneReading:
    """The direct phone line's endpoint. `reachable` is None until it was asked long enough to know."""

    at_s: float
    reachable: bool | None
    """L1: it answers. L5, that somebody was spoken to, only a person can attest."""
    since_s: float
    cause: PhoneCause
    rtt_s: float | None
    sip_code: int | None
    """Of the answer that gave the cause: the line's own, or the registrar's."""
    room: str = ""
    """Whose line it is; "" for the site's only one."""
    registered: bool | None = None
    """L2: the registrar has a binding for the line (RFC 3261, 10.2.3). None: no registrar is configured, or it was not
    asked long enough to know. False makes the line unreachable, whatever answers OPTIONS."""


@dataclass(frozen=True, slots=True)
class MobileReading:
    """The mobile workstation (C3), by its own heartbeat."""

    at_s: float
    heard: bool | None
    """None until it was listened for long enough to know."""
    since_s: float
    mcc_mnc: str | None = None
    """Serving network, "310-260" (ITU-T E.212); None: it did not say."""
    asn: int | None = None
    """Of the address it has (RFC 6793)."""
    registered: bool | None = None
    """Its modem is registered with that network."""
