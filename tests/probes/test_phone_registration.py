import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.phone_registrar import FetchOutcome
from probes.phone_registration import DENIED_PAUSE_S, Registration, judge_registration, pause_s, told_cause
from probes.reading import PhoneCause

YES, NO, DENIED = PhoneCause.NONE, PhoneCause.UNREGISTERED, PhoneCause.DENIED
SILENT, DOWN, UNASKED = PhoneCause.NO_ANSWER, PhoneCause.REFUSED, PhoneCause.UNASKED
CALM_S, QUICK_S = 15.0, 1.0


def held_after(causes: list[PhoneCause]) -> Registration:
    held = Registration()
    for cause in causes:
        held = judge_registration(held, FetchOutcome(cause), fails_to_dead=2)
    return held


@pytest.mark.parametrize(
    ("causes", "registered", "next_s"),
    [
        pytest.param([], None, CALM_S, id="not asked yet"),
        pytest.param([YES], True, CALM_S, id="one binding proves it"),
        pytest.param([NO], None, QUICK_S, id="one answer without proves nothing"),
        pytest.param([NO, NO], False, CALM_S, id="two prove it unregistered"),
        pytest.param([YES, NO], True, QUICK_S, id="in doubt"),
        pytest.param([YES, NO, YES, NO], True, QUICK_S, id="they must follow each other"),
        pytest.param([YES, NO, NO], False, CALM_S, id="unregistered"),
        pytest.param([NO, NO, YES], True, CALM_S, id="one binding heals"),
        pytest.param([YES, SILENT], True, QUICK_S, id="one question lost"),
        pytest.param([YES, SILENT, DOWN], None, CALM_S, id="a silent registrar makes it unknown, not unregistered"),
        pytest.param([YES, SILENT, SILENT, SILENT], None, CALM_S, id="however long"),
        pytest.param([NO, NO, SILENT], False, QUICK_S, id="one lost question does not heal"),
        pytest.param([NO, NO, SILENT, SILENT], None, CALM_S, id="two make it unknown"),
        pytest.param([NO, NO, SILENT, SILENT, NO], None, QUICK_S, id="then it is proven anew"),
        pytest.param([NO, SILENT, NO], False, CALM_S, id="two answers, whatever was lost between them"),
        pytest.param([YES, UNASKED, UNASKED], None, CALM_S, id="our own host's fault makes it unknown"),
        pytest.param([YES, DENIED], None, DENIED_PAUSE_S, id="refused: unknown at once, and not asked again soon"),
        pytest.param([NO, NO, DENIED], None, DENIED_PAUSE_S, id="refused while unregistered"),
    ],
)
def test_c1_consecutive_answers_decide_whether_the_line_is_registered(
    causes: list[PhoneCause], registered: bool | None, next_s: float
) -> None:
    held = held_after(causes)
    assert held.registered is registered
    assert pause_s(held, interval_s=CALM_S, suspect_interval_s=QUICK_S) == next_s


CAUSES = st.sampled_from([YES, NO, DENIED, SILENT, DOWN, UNASKED])


@given(st.lists(CAUSES, max_size=30))
def test_c1_only_answers_without_binding_make_it_unregistered_and_only_a_binding_registered(
    causes: list[PhoneCause],
) -> None:
    held = held_after(causes)
    answers = [cause for cause in causes if cause in (YES, NO)]
    if held.registered is False:
        assert answers[-2:] == [NO, NO]
    if held.registered is True:
        assert YES in answers
        assert answers[-2:] != [NO, NO]
    if causes[-2:] == [SILENT, SILENT]:
        assert held.registered is None


@pytest.mark.parametrize(
    ("line", "registrar", "told"),
    [
        (SILENT, None, SILENT),
        (YES, None, YES),
        (YES, [YES], YES),
        (SILENT, [YES], SILENT),
        (YES, [NO, NO], NO),
        (SILENT, [NO, NO], NO),
        (YES, [YES, NO], YES),
        (YES, [DENIED], DENIED),
        (SILENT, [DENIED], SILENT),
        (YES, [SILENT], PhoneCause.NO_REGISTRAR),
        (YES, [UNASKED], PhoneCause.NO_REGISTRAR),
        (YES, [YES, SILENT], YES),
        (YES, [], PhoneCause.STARTING),
    ],
)
def test_one_cause_is_told_of_two_questions(
    line: PhoneCause, registrar: list[PhoneCause] | None, told: PhoneCause
) -> None:
    assert told_cause(line, None if registrar is None else held_after(registrar)) is told
