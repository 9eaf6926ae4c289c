"""What the contract lets the NOC say is what a site understands."""

import json

import pytest
from jsonschema import Draft202012Validator

from edged.contract.examples import NOC
from edged.contract.people import ACT_COMMANDS, ERRAND_COMMANDS
from edged.contract.schemas import schemas
from edged.report.commands import Rebirth, Resend, Signed, Watermark, parse_command, parse_noc, parse_watermark
from edged.report.reading import Noc
from edged.report.signed import Order, parse_order

SAID = {name: json.dumps(said).encode() for name, said in NOC.items()}
SCHEMAS = schemas()


def test_acknowledgements_and_presence_are_understood() -> None:
    assert isinstance(parse_watermark(SAID["ack"]), Watermark)
    assert parse_noc(SAID["noc.state"]) is Noc.ONLINE


@pytest.mark.parametrize(("name", "kind"), [("cmd.resend", Resend), ("cmd.rebirth", Rebirth), ("cmd.signed", Signed)])
def test_commands_are_understood(name: str, kind: type[object]) -> None:
    assert isinstance(parse_command(SAID[name], retained=False), kind)


@pytest.mark.parametrize("args", [{"link": "fiber"}, {"session": "s-0815"}, {"session": "s-0815", "room": "room-1"}])
@pytest.mark.parametrize("command", [*ACT_COMMANDS, *ERRAND_COMMANDS])
def test_signed_commands_take_their_own_args_and_no_others(command: str, args: dict[str, str]) -> None:
    said = {**NOC["cmd.signed"], "command": command, "args": args}
    assert isinstance(parse_order(json.dumps(said).encode()), Order)
    belongs = ("session" in args) is (command in ACT_COMMANDS)
    assert Draft202012Validator(SCHEMAS["cmd.signed"]).is_valid(said) is belongs


@pytest.mark.parametrize(
    "wrong",
    [
        {"command": "acknowledge"},
        {"command": "drill_start"},
        {"args": {"link": "fiber", "note": "x"}},
        {"signature": "none"},
        {"expires": "tomorrow"},
        {"site": "room-1"},
        {"id": "two words"},
    ],
)
def test_what_no_site_would_take_is_not_in_the_contract(wrong: dict[str, object]) -> None:
    assert not Draft202012Validator(SCHEMAS["cmd.signed"]).is_valid({**NOC["cmd.signed"], **wrong})
