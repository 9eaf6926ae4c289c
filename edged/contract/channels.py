"""Where everything is said: topics, who writes there, how surely, and how long it lasts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from edged.contract.kinds import MESSAGES, Told
from edged.contract.schemas import BATCH, NOC_SAYS

BASE = "edge/v1/{tenant}/{site}"
EVENT_CONTENT = "application/cloudevents+json; charset=utf-8"
BATCH_CONTENT = "application/cloudevents-batch+json; charset=utf-8; encoding=deflate"
NOC_CONTENT = "application/json"
EXPIRY_S = 300
"""Telemetry older than this is not news."""

PARAMETERS: Mapping[str, str] = {
    "tenant": "Whose site it is, as configured.",
    "site": "Which site, as configured.",
    "thing": "What the snapshot is of.",
    "kind": "Which figures.",
    "tier": "The tier of the room after the event.",
}


@dataclass(frozen=True, slots=True)
class Channel:
    name: str
    operation: str
    action: Literal["send", "receive"]
    address: str
    summary: str
    messages: tuple[str, ...]
    retain: bool = False
    expiry_s: int | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of address parameters that come from a list."""
    content: str = EVENT_CONTENT
    reply: str | None = None
    """The channel of the answers."""


def _named(prefix: str) -> tuple[str, ...]:
    return tuple(message.name for message in MESSAGES if message.name.startswith(prefix))


def _levels(prefix: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(prefix) for name in _named(prefix))


LOGGED = tuple(m.name for m in MESSAGES if m.told is Told.EVENT and m.name != "tier.entered")

CHANNELS: tuple[Channel, ...] = (
    Channel(
        "state",
        "tellState",
        "send",
        f"{BASE}/state",
        "Whether the site is there; the first message of a connection, and its Will.",
        ("state",),
        retain=True,
    ),
    Channel(
        "snap",
        "showThing",
        "send",
        f"{BASE}/snap/{{thing}}",
        "What a thing looks like now; an empty payload: it is gone.",
        _named("snap."),
        retain=True,
        values={"thing": _levels("snap.")},
    ),
    Channel(
        "tierEvents",
        "tellTierEvent",
        "send",
        f"{BASE}/evt/t{{tier}}",
        "Tier events: sent on every connection until the NOC's acknowledgement covers them.",
        ("tier.entered",),
        values={"tier": ("0", "1", "2", "3", "4")},
    ),
    Channel(
        "logEvents",
        "tellLogEvent",
        "send",
        f"{BASE}/evt/log",
        "All other events: sent until the broker takes them.",
        LOGGED,
    ),
    Channel(
        "tel",
        "tellFigures",
        "send",
        f"{BASE}/tel/{{kind}}",
        "Figures: of the links every ten seconds, of the rest once a minute and when a state changed.",
        _named("tel."),
        expiry_s=EXPIRY_S,
        values={"kind": _levels("tel.")},
    ),
    Channel(
        "hist",
        "tellHistory",
        "send",
        f"{BASE}/hist",
        "What waited while there was no line, what was asked for again, and tombstones: deflated batches.",
        (BATCH,),
        content=BATCH_CONTENT,
    ),
    Channel(
        "ack",
        "hearAcknowledgement",
        "receive",
        f"{BASE}/ack",
        "The NOC's watermark. Only it lets a site forget a tier event.",
        ("ack",),
        content=NOC_CONTENT,
    ),
    Channel(
        "request",
        "hearCommand",
        "receive",
        f"{BASE}/cmd/req",
        "What the NOC asks; what changes something is signed. Never retained.",
        tuple(name for name in NOC_SAYS if name.startswith("cmd.")),
        content=NOC_CONTENT,
        reply="response",
    ),
    Channel("response", "answer", "send", f"{BASE}/cmd/res", "The answers, under the same id.", ("answer",)),
    Channel(
        "nocState",
        "hearNoc",
        "receive",
        "edge/v1/{tenant}/noc/state",
        "Whether the NOC is there; offline is its Will.",
        ("noc.state",),
        retain=True,
        content=NOC_CONTENT,
    ),
)
