"""What people did, here or through the NOC, and what they were refused: the audit (H2, H3, H4)."""

from typing import Annotated, Literal

from edged.contract.words import (
    Account,
    CommandId,
    Contents,
    Form,
    Link,
    OfIncident,
    Role,
    Room,
    Seconds,
    Sequence,
    Session,
    Subject,
    one_of,
)
from edged.core import drill, errands
from edged.core.effects import Errand
from edged.core.observations import Act, Reason

ReasonCode = Annotated[str, one_of(Reason)]
ActCode = Annotated[str, one_of(Act)]
ACT_REFUSALS = (
    *("no_such_room", "which_room"),
    *("no_session_id", "another_session_is_open", "no_session_is_open", "not_the_open_session"),
    *("no_contrast_running", "not_monitoring", "not_now"),
    *("no_such_alarm", "shelf_too_long", "no_marker", "no_drill"),
    *(row.code for row in drill.INTERLOCKS),
)
ActRefusal = Annotated[str, one_of(ACT_REFUSALS)]
ErrandCode = Annotated[str, one_of(Errand)]
ERRAND_REFUSALS = (*(row.code for row in errands.ROWS), "no_such_link")
ErrandRefusal = Annotated[str, one_of(ERRAND_REFUSALS)]
Asked = Literal["status", "events", "watch", "incidents", "incident", "act", "platform", "evidence", "ask", "reload"]
"""What the control socket can be asked."""
ACT_COMMANDS = (
    *("session_request", "session_join", "session_open", "session_close"),
    *("contrast_start", "contrast_end", "monitoring_end", "escalate", "phone_failed"),
)
ERRAND_COMMANDS = ("diagnose", "prove", "train")
CommandCode = Annotated[str, one_of((*ACT_COMMANDS, *ERRAND_COMMANDS))]
CommandWord = Annotated[str, Form(r"^[a-z][a-z_]{0,39}$")]
"""A command somebody with a key asked for, allowed or not."""
KeyName = Annotated[str, Form(r"^[a-z0-9][a-z0-9-]{0,31}$")]
COMMAND_REFUSALS = (
    *("too_large", "malformed", "unknown_key", "bad_signature", "not_this_site", "not_allowed", "role", "clock_unset"),
    *("window", "not_yet", "expired", "busy", "id_reused", "interrupted", "not_durable"),
)
MORE_REFUSED = "more_refused"
"""Stands for all that were not told singly."""
CommandRefusal = Annotated[str, one_of((*COMMAND_REFUSALS, *ACT_REFUSALS, *ERRAND_REFUSALS, MORE_REFUSED))]


class ActDone(OfIncident):
    """Somebody attested or did something; `act.repeated`: it was so already, and nothing changed. `session` is the one
    it was about, else the open one; `room` is null for what is about no room. `by_connectivity`: the line is to blame
    for what was held, halted or rescheduled.
    """

    act: ActCode
    actor: Account
    role: Role
    reason: ReasonCode
    session: Session | None
    room: Room | None
    subject: Subject | None
    for_s: Seconds | None
    by_connectivity: bool | None = None


class ActRefused(ActDone):
    """… and it made no sense now."""

    refused: ActRefusal


class ErrandAccepted(Contents):
    """Somebody wants to know something about a line; what comes of it is an event of its own."""

    errand: ErrandCode
    at: Link
    actor: Account
    role: Role


class ErrandRefused(Contents):
    """… and this is not the time."""

    errand: ErrandCode
    at: Link
    actor: Account
    role: Role
    refused: ErrandRefusal


class AccessRefused(Contents):
    """Somebody asked for what their role does not allow."""

    actor: Account
    role: Role
    asked: Asked


class CommandDone(Contents):
    """A signed command of the NOC was carried out, or had been before (`repeated`)."""

    id: CommandId
    command: CommandCode
    key: KeyName
    role: Role
    repeated: bool


class CommandRefused(Contents):
    """… or was not; `count` of them, where many were. What nobody vouched for, or could read, is null."""

    id: CommandId | None
    command: CommandWord | None
    key: KeyName | None
    role: Role | None
    refused: CommandRefusal
    count: Sequence
