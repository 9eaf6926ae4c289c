"""The contract knows the codes of rooms it may not import, and every kind the daemon says."""

import ast
import re
from pathlib import Path
from typing import Any, get_args

from edged import protocol_file
from edged.cli.options import Reason as CliReason
from edged.clock import ClockQuality
from edged.contract import (
    channels,
    house,
    incidents,
    judged,
    kinds,
    lines,
    people,
    rooms,
    snapshots,
    telemetry,
    told,
    words,
)
from edged.contract.kinds import KINDS, Told
from edged.control.command_audit import REST
from edged.control.roles import NEEDED
from edged.control.roles import Role as ControlRole
from edged.core import conditions, containment
from edged.core.incident_causes import CAUSES
from edged.core.observations import Reason as ActReason
from edged.core.protocol import DEFAULT
from edged.record.batch import CONTENT_TYPE as BATCH_CONTENT
from edged.record.envelope import CONTENT_TYPE, Origin
from edged.record.recorded import Gone
from edged.report import signed
from edged.report.commands import Reason
from edged.report.resend import NEVER, SETTLED
from edged.report.topics import Topics
from edged.status import RETAINED
from edged.telemetry import COLUMNS, FIGURES
from probes.pace import Pace
from probes.path import Trouble
from probes.path_document import Document, DscpFinding, Gateway, Hop, MtuFinding, Target
from probes.prober import Refusal
from probes.verdict import RULES
from ups.settings import LoadPriority

CORE = Path(kinds.__file__).parents[1] / "core"
DOTTED = re.compile(r"[a-z_]+(\.[a-z_0-9]+)+")


def one_of_words(code: Any) -> tuple[str, ...]:
    words: tuple[str, ...] = code.__metadata__[0].words
    return words


def dotted_words() -> set[str]:
    """Every dotted name written down in the core."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in CORE.glob("*.py"))
    texts = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and DOTTED.fullmatch(text)}


def test_every_event_the_core_names_is_a_kind() -> None:
    others = conditions.BY_NAME.keys() | containment.BY_ID.keys() | DEFAULT.alarms.keys()
    assert dotted_words() - others - KINDS.keys() == set()
    assert {"tier.entered", "standby.judged", "clock.stepped"} <= dotted_words()


def test_every_snapshot_and_measurement_is_a_kind() -> None:
    assert {f"snap.{thing}" for thing in RETAINED} == {kind for kind in KINDS if kind.startswith("snap.")}
    assert {f"tel.{kind}" for kind in (*FIGURES, "links")} == {kind for kind in KINDS if kind.startswith("tel.")}
    assert telemetry.LinkSeconds.model_fields.keys() >= COLUMNS.keys()
    assert telemetry.UpsFigures.model_fields.keys() == set(FIGURES["ups"])
    assert telemetry.ShaperFigures.model_fields.keys() == set(FIGURES["qos"])


def test_codes_of_rooms_the_contract_may_not_import() -> None:
    assert set(get_args(words.ClockQuality)) == set(ClockQuality)
    assert set(get_args(words.Role)) == {role.name.lower() for role in ControlRole}
    assert set(get_args(people.Asked)) == NEEDED.keys()
    assert {each.value for each in ActReason} == {*CliReason, ActReason.NOC_COMMAND}
    assert {*people.ACT_COMMANDS, *people.ERRAND_COMMANDS} == set(signed.Command)
    assert rooms.MOST_STEPS == protocol_file._MAX_STEPS
    assert len(get_args(rooms.Need)) == 5
    assert set(CAUSES) <= set(one_of_words(incidents.IncidentCause))
    assert set(people.COMMAND_REFUSALS) == set(signed.Why)
    assert people.MORE_REFUSED == REST
    assert set(told.RESEND_REFUSALS) == set(Reason)
    assert set(told.GONE) == set(Gone)
    assert told.Missing.model_validate({"first": 1, "last": 1, "why": NEVER})
    assert told.Missing.model_validate({"first": 1, "last": 1, "why": SETTLED})


def test_codes_of_rooms_that_bring_sockets() -> None:
    assert set(get_args(telemetry.Pace)) == set(Pace)
    assert set(get_args(lines.PathTrouble)) == set(Trouble)
    assert set(get_args(lines.NotSent)) == set(Refusal)
    assert set(judged.TESTS) == {rule.test for rule in RULES} - {"silence"} | {"joint", "votes"}
    priority = snapshots.UpsNow.model_fields["priority"].annotation
    assert set(get_args(priority)) == set(LoadPriority)


def test_the_path_is_told_as_the_diagnosis_tells_it() -> None:
    pairs = (
        *((lines.Hop, Hop), (lines.Gateway, Gateway), (lines.Target, Target)),
        *((lines.DscpFinding, DscpFinding), (lines.MtuFinding, MtuFinding)),
    )
    for ours, theirs in pairs:
        assert ours.model_fields.keys() == theirs.model_fields.keys()
    assert lines.PathDiagnosed.model_fields.keys() == {"at", "incident", *Document.model_fields}


def test_the_channels_are_the_topics() -> None:
    topics = Topics(Origin("TENANT", "SITE"))
    ours = {
        each.address.format(tenant="TENANT", site="SITE", thing="x", kind="x", tier="1") for each in channels.CHANNELS
    }
    assert {topics.state, topics.acknowledgement, topics.request, topics.answer, topics.noc, topics.history} <= ours
    assert {topics.snapshot("x"), topics.telemetry("x")} <= ours
    assert channels.EVENT_CONTENT == CONTENT_TYPE
    assert channels.BATCH_CONTENT == BATCH_CONTENT


def test_a_phase_is_told_whatever_was_found_on_the_disk() -> None:
    record = house.DaemonPhase.model_fields["record"].annotation
    assert set(get_args(record)) == {"continued", "fresh", "set_aside"}
    assert KINDS["daemon.started"].told is Told.EVENT
