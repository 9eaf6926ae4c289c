from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ups.figures import Figures
from ups.reading import Contact, Power
from ups.status import LowLimits, Memory, flags_of, heard, not_heard, nothing_heard

LIMITS = LowLimits(charge_pct=20, runtime_s=120)
FULL = Figures(charge_pct=95, runtime_s=1500)
EMPTY = Figures(charge_pct=15, runtime_s=60)
CHARGE_LOW = Figures(charge_pct=15, runtime_s=1500)
RUNTIME_LOW = Figures(runtime_s=60)
NO_FIGURES = Figures()
MAINS_DEAD = Figures(input_v=3.0, input_nominal_v=230.0)
MAINS_THERE = Figures(input_v=228.0, input_nominal_v=230.0)


def step(memory: Memory, said: str | Contact, figures: Figures, now_s: float) -> Memory:
    if isinstance(said, Contact):
        return not_heard(memory, said, now_s=now_s)
    return heard(memory, flags_of(said), figures, LIMITS, now_s=now_s)


@pytest.mark.parametrize(
    ("status", "figures", "power"),
    [
        ("OL", FULL, Power.MAINS),
        ("OL CHRG", FULL, Power.MAINS),
        ("OL BOOST RB ALARM", FULL, Power.MAINS),
        ("OL OL OL", FULL, Power.MAINS),
        ("BYPASS", FULL, Power.MAINS),
        ("OL LB", EMPTY, Power.MAINS),  # low but fed: charging after an outage
        ("OL DISCHRG", FULL, Power.MAINS),  # an eco-mode UPS topping the load up
        ("OL X-VENDOR-42", FULL, Power.MAINS),
        ("OB", FULL, Power.BATTERY),
        ("OB DISCHRG", NO_FIGURES, Power.BATTERY),
        ("OL OB", FULL, Power.BATTERY),  # in transition: the worse is believed
        ("OB LB", FULL, Power.BATTERY),  # not yet, and not alone
        ("OB LB", EMPTY, Power.BATTERY),
        ("FSD OB LB", FULL, Power.LOW_BATTERY),
        ("OFF", FULL, Power.OFF),
        ("OL OFF", FULL, Power.OFF),
        ("OB OFF", FULL, Power.OFF),
        ("CHRG", FULL, Power.UNKNOWN),
        ("ol", FULL, Power.UNKNOWN),
        ("OB CAL", FULL, Power.MAINS),
        ("OB TEST DISCHRG", MAINS_THERE, Power.MAINS),
        ("OB CAL", MAINS_DEAD, Power.BATTERY),  # mains was lost during the test
        ("OL TEST", FULL, Power.MAINS),
    ],
)
def test_what_flags_say_of_the_power(status: str, figures: Figures, power: Power) -> None:
    memory = step(nothing_heard(0), status, figures, 1)
    assert memory.power is power
    assert memory.contact is Contact.OK


@pytest.mark.parametrize("status", ["WAIT", "", "  ", "OL NOCOMM", "OB WAIT"])
def test_a_status_the_ups_did_not_give_is_stale(status: str) -> None:
    memory = step(nothing_heard(0), status, FULL, 1)
    assert (memory.contact, memory.power) == (Contact.STALE, Power.UNKNOWN)


@dataclass(frozen=True)
class Story:
    """Steps of (after_s, what the UPS says or how contact was lost, figures, power expected)."""

    name: str
    steps: tuple[tuple[float, str | Contact, Figures, Power], ...]


STORIES = (
    Story(
        "a false LB at the loss of mains is waited out",
        (
            (0, "OL", FULL, Power.MAINS),
            (1, "OB LB", NO_FIGURES, Power.BATTERY),
            (5.9, "OB", FULL, Power.BATTERY),
            (60, "OB", FULL, Power.BATTERY),
        ),
    ),
    Story(
        "LB that figures confirm is believed after 3 s",
        (
            (0, "OB LB", EMPTY, Power.BATTERY),
            (2.9, "OB LB", EMPTY, Power.BATTERY),
            (3, "OB LB", EMPTY, Power.LOW_BATTERY),
        ),
    ),
    Story(
        "LB that one of two figures confirms is believed after 3 s",
        ((0, "OB LB", CHARGE_LOW, Power.BATTERY), (3, "OB LB", CHARGE_LOW, Power.LOW_BATTERY)),
    ),
    Story(
        "LB with nothing to check it against is believed after 5 s",
        (
            (0, "OB LB", NO_FIGURES, Power.BATTERY),
            (4.9, "OB LB", NO_FIGURES, Power.BATTERY),
            (5, "OB LB", NO_FIGURES, Power.LOW_BATTERY),
        ),
    ),
    Story(
        "LB that healthy figures contradict must stand for 30 s",
        ((0, "OB LB", FULL, Power.BATTERY), (29, "OB LB", FULL, Power.BATTERY), (30, "OB LB", FULL, Power.LOW_BATTERY)),
    ),
    Story(
        "an LB that comes and goes starts over",
        (
            (0, "OB LB", FULL, Power.BATTERY),
            (20, "OB", FULL, Power.BATTERY),
            (21, "OB LB", FULL, Power.BATTERY),
            (50, "OB LB", FULL, Power.BATTERY),
            (51, "OB LB", FULL, Power.LOW_BATTERY),
        ),
    ),
    Story(
        "figures that turn low confirm an LB that has stood",
        ((0, "OB LB", FULL, Power.BATTERY), (10, "OB LB", EMPTY, Power.LOW_BATTERY)),
    ),
    Story(
        "figures alone tell a low battery when none contradicts",
        ((0, "OB", EMPTY, Power.BATTERY), (3, "OB", EMPTY, Power.LOW_BATTERY)),
    ),
    Story(
        "the only figure is enough",
        ((0, "OB", RUNTIME_LOW, Power.BATTERY), (3, "OB", RUNTIME_LOW, Power.LOW_BATTERY)),
    ),
    Story(
        "one low figure of two without LB is no low battery",
        ((0, "OB", CHARGE_LOW, Power.BATTERY), (99, "OB", CHARGE_LOW, Power.BATTERY)),
    ),
    Story(
        "low stays low until mains is back, then the next outage starts afresh",
        (
            (0, "OB LB", EMPTY, Power.BATTERY),
            (3, "OB LB", EMPTY, Power.LOW_BATTERY),
            (9, "OB", FULL, Power.LOW_BATTERY),
            (20, "OL LB", EMPTY, Power.MAINS),
            (21, "OB", FULL, Power.BATTERY),
        ),
    ),
    Story(
        "LB in a test counts for nothing",
        (
            (0, "OB CAL LB", EMPTY, Power.MAINS),
            (60, "OB CAL LB", EMPTY, Power.MAINS),
            (61, "OL CHRG", EMPTY, Power.MAINS),
        ),
    ),
    Story(
        "still on battery when the test is over: mains is gone",
        ((0, "OB CAL", FULL, Power.MAINS), (60, "OB", FULL, Power.BATTERY)),
    ),
    Story(
        "not heard while on mains is unknown, never mains",
        ((0, "OL", FULL, Power.MAINS), (1, Contact.STALE, FULL, Power.UNKNOWN), (2, "OL", FULL, Power.MAINS)),
    ),
    *(
        Story(
            f"{contact} while last seen on battery is a low battery, and battery again when heard",
            (
                (0, "OB", FULL, Power.BATTERY),
                (1, contact, FULL, Power.LOW_BATTERY),
                (999, contact, FULL, Power.LOW_BATTERY),
                (1000, "OB", FULL, Power.BATTERY),
                (1001, "OL", FULL, Power.MAINS),
                (1002, contact, FULL, Power.UNKNOWN),
            ),
        )
        for contact in (Contact.STALE, Contact.DRIVER_LOST, Contact.UNKNOWN_UPS, Contact.SERVER_LOST)
    ),
    Story(
        "a driver that waits while last seen on battery is a low battery",
        ((0, "OB", FULL, Power.BATTERY), (1, "WAIT", FULL, Power.LOW_BATTERY)),
    ),
    Story(
        "not heard during a test is unknown",
        ((0, "OB CAL", FULL, Power.MAINS), (1, Contact.SERVER_LOST, FULL, Power.UNKNOWN)),
    ),
    Story(
        "not heard while off is unknown", ((0, "OFF", FULL, Power.OFF), (1, Contact.SERVER_LOST, FULL, Power.UNKNOWN))
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_stories(story: Story) -> None:
    memory = nothing_heard(0)
    for after_s, said, figures, expected in story.steps:
        memory = step(memory, said, figures, after_s)
        assert memory.power is expected, f"at {after_s} s after {said!r}"


def test_since_is_the_change_of_power_not_of_flags_or_contact() -> None:
    memory = step(nothing_heard(0), "OL", FULL, 10)
    assert (memory.power, memory.since_s) == (Power.MAINS, 10)
    memory = step(memory, "OL CHRG", FULL, 20)
    assert memory.since_s == 10
    memory = step(memory, Contact.STALE, FULL, 30)
    assert memory.since_s == 30
    memory = step(memory, Contact.SERVER_LOST, FULL, 40)
    assert (memory.contact, memory.since_s) == (Contact.SERVER_LOST, 30)


def test_flags_are_kept_once_each_in_order_and_bounded() -> None:
    assert flags_of(" OL  CHRG OL X-NEW\tRB ") == ("OL", "CHRG", "X-NEW", "RB")
    assert len(flags_of(" ".join(map(str, range(1000))))) == 32
    assert flags_of("x" * 999) == ("x" * 24,)


def test_a_test_is_told_by_its_flags() -> None:
    assert step(nothing_heard(0), "OB CAL", FULL, 0).testing
    assert step(nothing_heard(0), "OL TEST", FULL, 0).testing
    assert not step(nothing_heard(0), "OB", FULL, 0).testing


words = st.lists(st.sampled_from(["OL", "OB", "LB", "CAL", "WAIT", "FSD", "OFF", "CHRG", "?"]), max_size=4).map(
    " ".join
)
answers = st.one_of(words, st.sampled_from(list(Contact)).filter(lambda contact: contact is not Contact.OK))


@given(
    st.lists(st.tuples(answers, st.sampled_from([FULL, EMPTY, NO_FIGURES, MAINS_DEAD]), st.floats(0, 40)), max_size=20)
)
def test_mains_is_only_ever_said_of_a_ups_that_was_just_heard(
    story: list[tuple[str | Contact, Figures, float]],
) -> None:
    memory, now_s = nothing_heard(0), 0.0
    for said, figures, pause_s in story:
        now_s += pause_s
        memory = step(memory, said, figures, now_s)
        assert memory.since_s <= now_s
        if memory.power is Power.MAINS:
            assert memory.contact is Contact.OK
            assert not memory.on_battery
            assert not memory.low_believed
        if memory.contact is not Contact.OK:
            assert memory.power in (Power.UNKNOWN, Power.LOW_BATTERY)
