"""The shipped protocol speaks for every row, code and alarm there is; one content has one hash."""

import hashlib
import re
from dataclasses import fields, replace
from typing import Any

import pytest
from typer.testing import CliRunner

from edged.cli.edgectl import app as edgectl
from edged.core import conditions, containment, readiness
from edged.core.conditions import Severity
from edged.core.phase import Phase
from edged.core.plan import DEFAULT_DWELLS, Plan, Thresholds
from edged.core.protocol import BY_PHONE, DEADLINES, DEFAULT, ROLES, SENTENCE, Response
from edged.core.protocol_words import ROWS, VERDICTS, deadline_s, numbers, words
from edged.protocol_file import sentence_fault
from edged.record.canonical import canonical

PLAN = Plan(links=())
ROW_IDS = [row.id for row in containment.ROWS]
RESPONSES = {
    **{f"rows.{row}": response for row, response in DEFAULT.responses.items()},
    **{f"alarms.{name}": response for name, response in DEFAULT.alarms.items()},
    **{f"script.{phase}[{n}]": step for phase, steps in DEFAULT.script.items() for n, step in enumerate(steps)},
    "information": DEFAULT.information,
}
SENTENCES = {
    **{key: response.say for key, response in RESPONSES.items()},
    **{f"clearing.{tier}": said for tier, said in DEFAULT.clearing.items()},
    **{f"readiness.{code}": said for code, said in DEFAULT.readiness.items()},
    "phone_prompt": DEFAULT.phone_prompt,
    "on_the_phone": DEFAULT.on_the_phone,
}


def test_t6_every_row_of_the_containment_table_has_its_sentence_and_its_words() -> None:
    """T6: a defined path for every failure; who does what, at what threshold."""
    assert set(ROW_IDS) | {"t5.contrast_given"} == set(DEFAULT.responses) == set(ROWS)
    assert set(DEFAULT.clearing) == {row.tier for row in containment.ROWS}


@pytest.mark.parametrize("condition", conditions.CONDITIONS, ids=lambda condition: condition.name)
def test_every_warning_and_alarm_requires_one_response(condition: conditions.Condition) -> None:
    if condition.severity is Severity.INFO:
        assert DEFAULT.alarm(condition.name) == DEFAULT.information
    else:
        assert DEFAULT.alarm(condition.name) is DEFAULT.alarms[condition.name]


def test_every_reason_of_readiness_has_its_sentence_and_no_sentence_is_without_a_reason() -> None:
    assert {row.code for row in readiness.ROWS} == set(DEFAULT.readiness)


@pytest.mark.parametrize("key", SENTENCES)
def test_every_sentence_is_one_short_sentence(key: str) -> None:
    assert sentence_fault(SENTENCES[key]) is None
    assert re.search(SENTENCE, SENTENCES[key])


@pytest.mark.parametrize("key", RESPONSES)
def test_t6_every_response_says_who(key: str) -> None:
    assert RESPONSES[key].who in ROLES


@pytest.mark.parametrize("row", DEADLINES)
def test_rule4_rule8_no_shipped_deadline_is_laxer_than_the_requirements(row: str) -> None:
    by_s = DEFAULT.responses[row].by_s
    assert by_s is not None
    assert by_s <= DEADLINES[row].at_most_s


def test_only_the_first_tier_has_no_deadline() -> None:
    assert {row for row in DEFAULT.responses if row not in DEADLINES} == {r for r in ROW_IDS if r.startswith("t1.")}


def test_the_limits_of_the_deadlines_are_the_requirements_own_timers() -> None:
    named = {limit.setting: limit.at_most_s for limit in DEADLINES.values() if limit.setting}
    assert named == {name: getattr(Thresholds(), name) for name in named}


def test_rule10_audio_alone_says_no_new_injection() -> None:
    assert "no new injection" in DEFAULT.responses["t2.video"].say
    assert any("Audio alone is not compliance" in said for said in VERDICTS)


def test_c2_whoever_is_sent_to_the_phone_is_told_what_to_say_on_it() -> None:
    assert "identifiers" in DEFAULT.phone_prompt
    assert {row for row, said in DEFAULT.responses.items() if "phone" in said.say and row < "t4"} == BY_PHONE


def test_t5_there_is_a_script_for_every_phase_a_patient_can_be_in() -> None:
    assert set(DEFAULT.script) == set(Phase) - {Phase.CLOSED}
    for phase, steps in DEFAULT.script.items():
        assert steps[0].by_s == 0
        assert any("emergency number" in step.say for step in steps) is phase.contrast_given
        assert {step.who for step in steps} >= {"technologist", "on-site physician"}


# ── the hash ───────────────────────────────────────────────────────────────────────────────────────────
def test_the_hash_is_of_the_canonical_content() -> None:
    assert DEFAULT.hash == hashlib.sha256(canonical(DEFAULT.content())).hexdigest()[:16]
    assert DEFAULT.label == f"{DEFAULT.version} {DEFAULT.hash}"


@pytest.mark.parametrize("name", [field.name for field in fields(DEFAULT) if field.init])
def test_any_change_is_another_hash(name: str) -> None:
    changed: dict[str, Any] = {
        "version": "2026-12",
        "responses": {**DEFAULT.responses, "t1.loss": Response("Watch.", "technologist", 1.5)},
        "phone_prompt": "Say little.",
        "on_the_phone": "Stay on the phone.",
        "clearing": {**DEFAULT.clearing, 1: "Carry on."},
        "script": {**DEFAULT.script, Phase.PRE: DEFAULT.script[Phase.PRE][::-1]},
        "readiness": {**DEFAULT.readiness, "drill": "Wait."},
        "alarms": {**DEFAULT.alarms, "link.down": replace(DEFAULT.alarms["link.down"], who="field engineer")},
        "information": replace(DEFAULT.information, by_s=60.0),
    }
    assert replace(DEFAULT, **{name: changed[name]}).hash != DEFAULT.hash


def test_the_order_of_rows_and_the_spelling_of_seconds_are_no_change() -> None:
    turned = dict(reversed(list(DEFAULT.responses.items())))
    assert replace(DEFAULT, responses=turned).hash == DEFAULT.hash
    whole = replace(
        DEFAULT, responses={**DEFAULT.responses, "t2.video": replace(DEFAULT.responses["t2.video"], by_s=30)}
    )
    assert whole.hash == DEFAULT.hash


# ── words and numbers ──────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("row", ROWS)
def test_what_a_row_sees_and_when_it_clears_is_said_with_every_number_filled_in(row: str) -> None:
    said = words(row, PLAN)
    assert "{" not in said.seen + said.clears
    assert said.seen.endswith(".")
    assert said.clears.endswith(".")


def test_the_numbers_in_words_are_those_of_the_configuration() -> None:
    strict = replace(PLAN, thresholds=replace(Thresholds(), phone_within_s=45.0, spike_rtt_s=0.1))
    assert "lost for 45\u00a0s" in words("t4.two_minutes", strict).seen
    assert "more than 100\u00a0ms" in words("t1.latency", strict).seen
    assert ("Reach somebody by phone within", "45\u00a0s") in numbers(strict)


def test_dwells_in_words_are_those_of_the_configuration() -> None:
    slow = replace(PLAN, dwells={**DEFAULT_DWELLS, 3: replace(DEFAULT_DWELLS[3], raise_s=2.0, clear_s=120.0)})
    assert "lost for 2\u00a0s" in words("t3.audio", slow).seen
    assert "for 2\u00a0min" in words("t3.audio", slow).clears


@pytest.mark.parametrize("row", [row for row in ROWS if row.startswith("t4.")])
def test_rule9_the_words_say_that_tier_4_never_clears_by_itself(row: str) -> None:
    assert words(row, PLAN).clears.startswith("Never by itself.")


def test_every_command_the_words_name_is_there() -> None:
    named = set(re.findall(r"edgectl ([a-z-]+) ([a-z-]+)", " ".join(str(words(row, PLAN)) for row in ROWS)))
    assert named
    for command, what in named:
        shown = CliRunner().invoke(edgectl, [command, "--help"])
        assert shown.exit_code == 0, command
        assert re.search(rf"(?<![a-z-]){what}(?![a-z-])", shown.output), f"{command} {what}"


@pytest.mark.parametrize(
    ("row", "limits", "due_s"),
    [
        ("t1.loss", Thresholds(), None),
        ("t3.av", Thresholds(), 120.0),
        ("t3.av", replace(Thresholds(), phone_within_s=60.0), 60.0),  # T4 strikes then: 120 s would be a lie
        ("t2.failover", replace(Thresholds(), confirm_within_s=10.0), 10.0),
        ("t4.no_contact", replace(Thresholds(), phone_within_s=60.0), 0.0),
    ],
)
def test_rule4_rule8_no_screen_promises_more_time_than_the_judge_gives(
    row: str, limits: Thresholds, due_s: float | None
) -> None:
    assert deadline_s(row, replace(PLAN, thresholds=limits)) == due_s
