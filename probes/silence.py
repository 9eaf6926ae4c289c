"""Which of a link's targets are silent, and does that make the link silent? Pure.

Two ways: a majority of the voters each tripped, or the joint run over all voters did, which is faster because every
target adds to it. A target silent while others answer has trouble of its own: its further misses say nothing about the
link, and after 30 s it has no vote until it answers. A witness (a slow kind of prober) has no vote; an answer to it
during the silence contradicts the silence.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from probes.detector import LossModel, SilenceTest
from probes.reading import Verdict

_ASIDE_AFTER_S = 30.0
_NEVER = float("-inf")


class Bearing(Enum):
    """What one outcome means for the link."""

    NONE = auto()  # the target's own trouble, or a witness
    FRESH = auto()  # its predecessor was answered
    IN_BURST = auto()


@dataclass(slots=True)
class _Models:
    """What is learnt at one spacing of probes does not hold at another: bursts last for a time, not for a number of
    probes.
    """

    each: LossModel = field(default_factory=LossModel)
    joint: LossModel = field(default_factory=LossModel)


class TargetState:
    def __init__(self, test: SilenceTest, *, witness: bool) -> None:
        self.test, self.witness = test, witness
        self.known = False
        self.aside = False
        self.silent_s = _NEVER
        """When the present run of misses began."""

    @property
    def verdict(self) -> Verdict:
        if not self.known:
            return Verdict.UNKNOWN
        return Verdict.DOWN if self.test.tripped else Verdict.UP


def needed_votes(voters: int) -> int:
    """A majority: 1 of 1, 2 of 2, 2 of 3, 3 of 4."""
    return voters // 2 + 1


class Silence:
    """All targets of one link. Without voters the witnesses vote: better slowly than never."""

    def __init__(
        self, trip_nats: float, voters: Iterable[str], witnesses: Iterable[str] = (), *, witness_for_s: float = 3.0
    ) -> None:
        self._witness_for_s = witness_for_s
        # Suspicion quickens a calm link at its first miss, so calm and alert are one spacing, a session the other.
        self._models = {active: _Models() for active in (False, True)}
        fast, slow = tuple(voters), tuple(witnesses)
        self.targets = {
            label: TargetState(SilenceTest(trip_nats, self._models[False].each), witness=bool(fast) and label in slow)
            for label in (*fast, *slow)
        }
        self._voters = tuple(state for state in self.targets.values() if not state.witness)
        self._joint = SilenceTest(trip_nats, self._models[False].joint)
        self._joint_silent_s = self._witnessed_s = _NEVER
        self.missed_s = self.heard_s = _NEVER
        """When something last was missing, or came."""
        self.votes = (0, len(self._voters))
        """(voters whose own test tripped, voters)."""
        self.tripped = False
        """These two are concluded with each outcome: they are asked for several times as often."""

    @property
    def joint(self) -> SilenceTest:
        """Over all voters."""
        return self._joint

    @property
    def in_doubt(self) -> bool:
        """A run of misses is under way and not yet long enough to be sure."""
        return self._joint.misses > 0 and not self.tripped

    def contradicted(self, now_s: float) -> bool:
        """Whether a witness heard from the far side since the silence began, and lately."""
        return self._witnessed_s > max(self.silent_s(now_s), now_s - self._witness_for_s)

    def silent_s(self, now_s: float) -> float:
        """When the silence that tripped was first noticed; `now_s` without one."""
        if self._joint.tripped:
            return self._joint_silent_s
        return max((state.silent_s for state in self._voters if state.test.tripped), default=now_s)

    def outcome(self, label: str, now_s: float, *, missed: bool, learn: bool, quickly: bool = False) -> Bearing:
        """The next probe to this target, in the order of sending, was answered in time or was not. `quickly`: it was
        sent while a run of misses was under way.
        """
        state = self.targets[label]
        bearing = self._bearing(state, missed=missed)
        self._note(state, now_s, missed=missed)
        _count(state.test, missed=missed, learn=learn and not state.witness, quickly=quickly)
        if bearing is not Bearing.NONE:
            if missed and self._joint.misses == 0:
                self._joint_silent_s = now_s
            _count(self._joint, missed=missed, learn=learn, quickly=quickly)
        self._conclude()
        return bearing

    def late(self, label: str, now_s: float) -> None:
        """A probe already counted as missed was answered after all."""
        state = self.targets[label]
        self.heard_s = now_s
        state.test.answered(learn=False)
        if not state.witness:
            self._joint.answered(learn=False)
        self._conclude()

    def session(self, active: bool) -> None:
        models = self._models[active]
        self._joint.model = models.joint
        for state in self.targets.values():
            state.test.model = models.each

    def set_aside(self, now_s: float) -> None:
        """To be called while the link as a whole is not silent."""
        if self.votes == (0, len(self._voters)):  # nobody silent, nobody aside: nearly always
            return
        for state in self._voters:
            state.aside = state.test.tripped and (state.aside or now_s - state.silent_s > _ASIDE_AFTER_S)
        self._conclude()

    def _conclude(self) -> None:
        voters = [state for state in self._voters if not state.aside]
        votes = sum([state.test.tripped for state in voters])
        self.votes = votes, len(voters)
        self.tripped = self._joint.tripped or votes >= needed_votes(len(voters))

    def _bearing(self, state: TargetState, *, missed: bool) -> Bearing:
        # Tripped before the joint run did: silent on its own account, and no evidence in a burst of the others either.
        if state.witness or (missed and state.test.tripped and not self._joint.tripped):
            return Bearing.NONE
        if self._joint.misses > 0:
            return Bearing.IN_BURST
        if state.test.misses == 0:
            return Bearing.FRESH
        return Bearing.NONE if missed else Bearing.IN_BURST

    def _note(self, state: TargetState, now_s: float, *, missed: bool) -> None:
        state.known = True
        if not missed:
            self.heard_s = now_s
            if state.witness:
                self._witnessed_s = now_s
            return
        if state.test.misses == 0:
            state.silent_s = now_s
        if not state.test.tripped:
            self.missed_s = now_s


def _count(test: SilenceTest, *, missed: bool, learn: bool, quickly: bool) -> None:
    if missed:
        test.missed(quickly=quickly, learn=learn)
    else:
        test.answered(learn=learn, quickly=quickly)
