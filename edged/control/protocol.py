"""JSON lines on the control socket: one request, one reply; `watch` replies until the caller hangs up. Bytes only.

Request  {"v": 1, "id": 7, "do": "status", "args": {…}}
Reply    {"v": 1, "id": 7, "ok": true, "data": …}  or  {"v": 1, "id": 7, "ok": false, "error": "code", "message": "…"}
"""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

VERSION = 1
MAX_LINE = 64 * 1024


class ControlError(Exception):
    """A line that is no request, or an answer that is no reply."""


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    v: int = Field(ge=1)
    id: int | str = 0
    do: str = Field(min_length=1, max_length=40)
    args: dict[str, Any] = Field(default_factory=dict)


class Refusal(Exception):
    """Why a request was not carried out: a code for programs, a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def decode_request(line: bytes) -> Request:
    """Raises Refusal with a code for anything that is no request of this version."""
    try:
        request = Request.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "line"
        raise Refusal("bad_request", f"{where}: {first['msg']}") from error
    if request.v != VERSION:
        raise Refusal("bad_version", f"v: this daemon speaks {VERSION}, not {request.v}")
    return request


def encode_request(do: str, args: dict[str, Any], *, number: int = 1) -> bytes:
    return _line({"v": VERSION, "id": number, "do": do, "args": args})


def encode_reply(number: int | str, data: Any) -> bytes:
    return _line({"v": VERSION, "id": number, "ok": True, "data": data})


def encode_refusal(number: int | str, refusal: Refusal) -> bytes:
    return _line({"v": VERSION, "id": number, "ok": False, "error": refusal.code, "message": refusal.message})


def decode_reply(line: bytes) -> Any:
    """The data of a reply.

    Raises:
        Refusal: the daemon refused.
        ControlError: this is no reply.
    """
    try:
        reply = json.loads(line)
        if reply["ok"]:
            return reply["data"]
        refusal = Refusal(str(reply["error"]), str(reply["message"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ControlError(f"not a reply: {line[:80]!r}") from error
    raise refusal


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode() + b"\n"
