"""docs/asyncapi.yaml: the contract as AsyncAPI 3.0 tells it. Made from the tables; payloads are the JSON Schemas."""

import re
from typing import Any

from edged.contract import examples
from edged.contract.channels import BASE, CHANNELS, EVENT_CONTENT, PARAMETERS, Channel
from edged.contract.schemas import schemas

VERSION = "1.0.0"
_BINDING = "0.2.0"


def document() -> dict[str, Any]:
    """The whole of it, in the order a reader wants."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "edged",
            "version": VERSION,
            "description": "What a procedure room tells the NOC, and what the NOC may say to it. "
            "docs/telemetry.md says how to receive it without loss or doubles.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": EVENT_CONTENT,
        "servers": {"broker": _server("mqtts", "TLS, mutual where the site has a certificate.")},
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {channel.operation: _operation(channel) for channel in CHANNELS},
        "components": {"messages": _messages()},
    }


def _server(protocol: str, description: str) -> dict[str, Any]:
    return {
        "host": "{host}:{port}",
        "protocol": protocol,
        "protocolVersion": "5.0",
        "description": f"The NOC's broker; 3.1.1 where it refuses 5. {description}",
        "variables": {
            "host": {"default": "broker.example", "description": "As configured."},
            "port": {"default": "8883", "description": "As configured."},
        },
        "bindings": {
            "mqtt": {
                "lastWill": {"topic": f"{BASE}/state", "qos": 1, "retain": True},
                "bindingVersion": _BINDING,
            }
        },
    }


def _channel(channel: Channel) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", channel.address)
    return {
        "address": channel.address,
        "summary": channel.summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel.messages},
        "parameters": {name: _parameter(channel, name) for name in names},
    }


def _parameter(channel: Channel, name: str) -> dict[str, Any]:
    values = channel.values.get(name)
    return {"description": PARAMETERS[name]} | ({"enum": list(values)} if values else {})


def _operation(channel: Channel) -> dict[str, Any]:
    mqtt: dict[str, Any] = {"qos": 1, "retain": channel.retain}
    if channel.expiry_s is not None:
        mqtt["messageExpiryInterval"] = channel.expiry_s
    told: dict[str, Any] = {
        "action": channel.action,
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "summary": channel.summary,
        "messages": _members(channel),
        "bindings": {"mqtt": {**mqtt, "bindingVersion": _BINDING}},
    }
    if channel.reply:
        answers = next(each for each in CHANNELS if each.name == channel.reply)
        told["reply"] = {"channel": {"$ref": f"#/channels/{answers.name}"}, "messages": _members(answers)}
    return told


def _members(channel: Channel) -> list[dict[str, str]]:
    return [{"$ref": f"#/channels/{channel.name}/messages/{name}"} for name in channel.messages]


def _messages() -> dict[str, Any]:
    content = {name: channel.content for channel in CHANNELS for name in channel.messages}
    content["tombstone"] = EVENT_CONTENT
    shown = examples.messages()
    return {
        name: {
            "name": name,
            "contentType": content[name],
            "summary": " ".join(str(schema.get("description", "")).split()),
            "payload": {"$ref": f"./schemas/{name}.json"},
            "examples": [{"payload": shown[name]}],
        }
        for name, schema in schemas().items()
    }
