import pytest

from probes.aim import Aim
from probes.flight import Flight
from probes.icmp import IcmpTarget
from probes.prober import Refusal


class Forgetful:
    """A prober that only notes what it is told to forget."""

    def __init__(self) -> None:
        self.forgotten: list[int] = []

    def send(self, number: int) -> Refusal | None:
        raise AssertionError("nothing is sent here")

    def forget(self, number: int) -> None:
        self.forgotten.append(number)

    def close(self) -> None:
        """Nothing is open."""


def aim(*sent_s: float, interval_s: float = 0.05) -> tuple[Aim, Forgetful]:
    """An aim with a timeout of 1 s and a probe under way since each of `sent_s`."""
    made = Aim(IcmpTarget.model_validate({"address": "192.0.2.1"}), timeout_s=1.0)
    made.prober = prober = Forgetful()
    made.interval_s = interval_s
    for at_s in sent_s:
        number = made.next_number()
        made.under_way[number] = Flight(made.label, number, at_s, at_s + 0.1)
    return made, prober


@pytest.mark.parametrize(("now_s", "lost"), [(0.9, []), (1.0, [0]), (1.2, [0, 1]), (9.0, [0, 1, 2])])
def test_what_is_under_way_for_the_whole_timeout_is_lost_and_forgotten(now_s: float, lost: list[int]) -> None:
    made, prober = aim(0.0, 0.2, 0.4)
    list(made.expire(now_s))
    assert prober.forgotten == lost
    assert list(made.under_way) == [number for number in range(3) if number not in lost]
    assert [sample.rtt_s for sample in made.samples(now_s)] == [None] * len(lost)


def test_what_nobody_looked_at_is_forgotten_and_not_lost() -> None:
    made, prober = aim(0.0, 0.2)
    made.forget_all()
    assert (prober.forgotten, made.under_way, made.samples(9.0)) == ([0, 1], {}, ())


@pytest.mark.parametrize(("interval_s", "kept"), [(0.05, [0.030]), (5.0, [0.010, 0.020, 0.030])])
def test_samples_are_of_the_last_second_or_the_last_interval(interval_s: float, kept: list[float]) -> None:
    made, _ = aim(interval_s=interval_s)
    for at_s, rtt_s in ((0.0, 0.010), (3.0, 0.020), (5.0, 0.030)):
        made.answered(rtt_s, at_s)
    assert [sample.rtt_s for sample in made.samples(5.5)] == kept


def test_numbers_go_round_after_32_bits() -> None:
    made, _ = aim()
    made._number = 0xFFFF_FFFE
    assert [made.next_number() for _ in range(3)] == [0xFFFF_FFFF, 0, 1]
