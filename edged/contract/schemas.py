"""JSON Schemas (2020-12) of every message, made from the models: one file for each shape, complete in itself."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from edged.contract import noc
from edged.contract.envelopes import envelope_of
from edged.contract.kinds import MESSAGES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BATCH = "hist"
MOST_IN_A_BATCH = 4096

NOC_SAYS: Mapping[str, Any] = {
    "ack": noc.Acknowledgement,
    "noc.state": noc.NocState,
    "cmd.resend": noc.Resend,
    "cmd.rebirth": noc.Rebirth,
    "cmd.signed": noc.ActCommand | noc.ErrandCommand,
}


def schemas() -> dict[str, dict[str, Any]]:
    """By name; the file is `name`.json. A batch's members are told by reference to the others."""
    told = {message.name: _schema(message.name, envelope_of(message)) for message in MESSAGES}
    batch = {
        **_head(BATCH),
        "title": "Batch",
        "description": "A batch after inflating (zlib, RFC 1950): each member counts as if it had come alone.",
        "type": "array",
        "maxItems": MOST_IN_A_BATCH,
        "items": {"anyOf": [{"$ref": f"{name}.json"} for name in told if not name.startswith("snap.")]},
    }
    return told | {BATCH: batch} | {name: _schema(name, model) for name, model in NOC_SAYS.items()}


def spelled(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


class _Closed(GenerateJsonSchema):
    """Without the titles pydantic would invent for every field; a mapping takes no key but those of its pattern."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        return {**super().dict_schema(schema), "additionalProperties": False}


def _head(name: str) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"{name}.json"}


def _schema(name: str, model: Any) -> dict[str, Any]:
    return _head(name) | TypeAdapter(model).json_schema(schema_generator=_Closed)
