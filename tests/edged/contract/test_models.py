"""No message of the contract has room for text, for a number without end, or for a field nobody knows."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from edged.contract.channels import CHANNELS
from edged.contract.examples import messages
from edged.contract.schemas import schemas
from edged.core.protocol import MAX_SENTENCE, SENTENCE

SCHEMAS = schemas()
SENTENCES = {"type": "string", "pattern": SENTENCE, "maxLength": MAX_SENTENCE}
"""Of the protocol file, which the facility approves: the one text there is, and only where it is shown."""
SHOWN = ("say", "also_say")


def nodes(schema: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema inside a schema."""
    if isinstance(schema, list):
        for index, each in enumerate(schema):
            yield from nodes(each, f"{place}/{index}")
        return
    if not isinstance(schema, dict):
        return
    yield place, schema
    for key in ("properties", "patternProperties", "$defs"):
        for name, each in schema.get(key, {}).items():
            yield from nodes(each, f"{place}/{key}/{name}")
    for key in ("items", "anyOf", "oneOf", "allOf", "prefixItems"):
        yield from nodes(schema.get(key), f"{place}/{key}")


def looseness(schema: dict[str, Any]) -> str | None:
    """What is not bounded about one schema."""
    kind = schema.get("type")
    if {"const", "enum", "$ref", "anyOf", "oneOf"} & schema.keys() and kind in (None, "string", "integer", "boolean"):
        return None
    if kind == "string":
        return None if is_sentence(schema) else _loose_text(schema)
    if kind in ("integer", "number"):
        return None if {"minimum", "maximum"} <= schema.keys() else "a number without bounds"
    if kind == "array":
        return None if {"maxItems", "items"} <= schema.keys() else "a list without end"
    if kind == "object":
        return _loose_object(schema)
    return None if kind in ("boolean", "null") else "anything at all"


def is_sentence(schema: dict[str, Any]) -> bool:
    return schema.items() >= SENTENCES.items()


def _loose_text(schema: dict[str, Any]) -> str | None:
    pattern = schema.get("pattern")
    if pattern is None or not (pattern.startswith("^") and pattern.endswith("$")):
        return "any text"
    whole = any(re.search(pattern, text) for text in ("", "a sentence of words, with a comma.", "Jane\nDoe", "x" * 400))
    if whole:
        return "text, not a form"
    endless = pattern.endswith(("*$", "+$")) and "maxLength" not in schema
    return "text without end" if endless else None


def _loose_object(schema: dict[str, Any]) -> str | None:
    if schema.get("additionalProperties") is not False:
        return "an open object"
    keyed = schema.get("patternProperties", {})
    if keyed and "maxProperties" not in schema:
        return "a mapping without end"
    return next((f"keys: {loose}" for key in keyed if (loose := _loose_text({"pattern": key}))), None)


@pytest.mark.parametrize("name", SCHEMAS)
def test_everything_is_bounded(name: str) -> None:
    found = {place: loose for place, node in nodes(SCHEMAS[name]) if (loose := looseness(node))}
    assert found == {}


@pytest.mark.parametrize(
    ("schema", "loose"),
    [
        ({}, "anything at all"),
        ({"type": "string"}, "any text"),
        ({"type": "string", "pattern": "a"}, "any text"),
        ({"type": "string", "pattern": "^.*$"}, "text, not a form"),
        ({"type": "string", "pattern": "^[a-z]{1,9}$"}, None),
        ({"type": "string", "pattern": "^[LDU]+$"}, "text without end"),
        ({"type": "string", "pattern": SENTENCE}, "text, not a form"),
        ({"type": "string", "pattern": SENTENCE, "maxLength": MAX_SENTENCE + 1}, "text, not a form"),
        ({"type": "number", "minimum": 0}, "a number without bounds"),
        ({"type": "array", "items": {"type": "null"}}, "a list without end"),
        ({"type": "object"}, "an open object"),
        ({"type": "object", "additionalProperties": False, "patternProperties": {"^a$": {}}}, "a mapping without end"),
    ],
)
def test_what_is_not_bounded_would_be_found(schema: dict[str, Any], loose: str | None) -> None:
    assert looseness(schema) == loose


@pytest.mark.parametrize("name", SCHEMAS)
def test_sentences_stand_only_where_the_protocol_is_shown(name: str) -> None:
    found = {place for place, node in nodes(SCHEMAS[name]) if is_sentence(node)}
    assert all(any(f"/properties/{key}" in place for key in SHOWN) for place in found)
    assert bool(found) is (name in ("tier.entered", "response.demanded", "snap.tier", "snap.rooms", "snap.alarms"))


def test_every_shape_is_told_somewhere_and_nothing_else() -> None:
    told = {name for channel in CHANNELS for name in channel.messages}
    assert told | {"tombstone"} == SCHEMAS.keys() == messages().keys()
