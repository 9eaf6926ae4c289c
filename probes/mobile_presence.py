"""Which heartbeats count, and what is held of the mobile workstation after them. Pure; times are the box's monotonic.

A heartbeat counts if its challenge is fresh and its counter is higher than any before: what was recorded and sent
again, or held back, does not. Silence makes it absent, and then nothing is known of its network any more.
"""

from dataclasses import dataclass, replace

from probes.packets.heartbeat import Answer, Heartbeat, challenge_at, is_fresh


@dataclass(frozen=True, slots=True)
class Presence:
    """What is held of the workstation."""

    heard: bool | None
    since_s: float
    """Of `heard`."""
    last_s: float
    """Of the last heartbeat that counted; before the first, since when it is listened for."""
    mcc_mnc: str | None = None
    asn: int | None = None
    registered: bool | None = None


class Gate:
    """Lets each heartbeat count once. `secret` is new at every start of the box."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._highest = 0

    def judge(self, heartbeat: Heartbeat, now_s: float) -> Answer:
        """Whether this heartbeat counts, with what the sender needs for its next one."""
        fresh = is_fresh(heartbeat.challenge, self._secret, now_s)
        taken = fresh and heartbeat.counter > self._highest
        if taken:
            self._highest = heartbeat.counter
        return Answer(challenge_at(self._secret, now_s), heartbeat.counter, self._highest, taken)


def heard(held: Presence, heartbeat: Heartbeat, now_s: float) -> Presence:
    """The workstation after a heartbeat that counts."""
    return Presence(
        heard=True,
        since_s=held.since_s if held.heard is True else now_s,
        last_s=now_s,
        mcc_mnc=heartbeat.mcc_mnc,
        asn=heartbeat.asn,
        registered=heartbeat.registered,
    )


def silent(held: Presence, now_s: float, *, silence_s: float) -> Presence:
    """The workstation at `now_s`, if nothing came since."""
    if held.heard is False or now_s - held.last_s < silence_s:
        return held
    return replace(held, heard=False, since_s=now_s, mcc_mnc=None, asn=None, registered=None)
