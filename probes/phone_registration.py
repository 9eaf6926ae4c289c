"""What is held of the line's registration after some questions, and what it means for the line. Pure.

One binding proves it registered; `fails_to_dead` answers without one, in a row, prove it unregistered; as many
questions without a usable answer make it unknown, since a silent registrar says nothing of the line.
"""

from dataclasses import dataclass

from probes.phone_registrar import FetchOutcome
from probes.reading import PhoneCause

DENIED_PAUSE_S = 300.0
"""After a wrong password: PBXes lock out an address after some five within ten minutes, and a box locked out would
take the line for dead."""


@dataclass(frozen=True, slots=True)
class Registration:
    registered: bool | None = None
    without: int = 0
    """Answers without a binding, in a row."""
    silent: int = 0
    """Questions without a usable answer, in a row."""
    cause: PhoneCause = PhoneCause.STARTING
    """Of the last question."""
    code: int | None = None

    @property
    def suspected(self) -> bool:
        """The last question left in doubt what is held: worth asking again soon."""
        return (self.without > 0 and self.registered is not False) or (self.silent > 0 and self.registered is not None)


def judge_registration(held: Registration, outcome: FetchOutcome, *, fails_to_dead: int) -> Registration:
    """The registration after one more question, which ended with `outcome`."""
    match outcome.cause:
        case PhoneCause.NONE:
            return Registration(True, 0, 0, outcome.cause, outcome.code)
        case PhoneCause.UNREGISTERED:
            without = held.without + 1
            registered = False if without >= fails_to_dead else held.registered
            return Registration(registered, without, 0, outcome.cause, outcome.code)
        case _:
            silent = held.silent + 1
            if silent >= fails_to_dead or outcome.cause is PhoneCause.DENIED:  # not asked again for so long
                return Registration(None, 0, silent, outcome.cause, outcome.code)
            return Registration(held.registered, held.without, silent, outcome.cause, outcome.code)


def pause_s(held: Registration, *, interval_s: float, suspect_interval_s: float) -> float:
    """How long after one question the next one is asked."""
    if held.cause is PhoneCause.DENIED:
        return max(interval_s, DENIED_PAUSE_S)
    return min(suspect_interval_s, interval_s) if held.suspected else interval_s


def told_cause(line: PhoneCause, held: Registration | None) -> PhoneCause:
    """Why the line is what it is, in one word: what the line itself says goes before what its registrar does, but for
    a line proven unregistered. `held` is None where no registrar is configured.
    """
    if held is None:
        return line
    if held.registered is False:
        return PhoneCause.UNREGISTERED
    if line is not PhoneCause.NONE or held.registered is True:
        return line
    known = held.cause in (PhoneCause.STARTING, PhoneCause.NONE, PhoneCause.UNREGISTERED, PhoneCause.DENIED)
    return held.cause if known else PhoneCause.NO_REGISTRAR
