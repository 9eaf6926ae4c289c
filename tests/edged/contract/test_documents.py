"""docs/asyncapi.yaml and docs/schemas are what the models say, and well-formed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from edged.contract.__main__ import differing, files
from edged.contract.asyncapi import document
from edged.contract.examples import messages
from edged.contract.schemas import schemas

DOCS = Path(__file__).parents[3] / "docs"
SCHEMAS = schemas()
REGISTRY: Registry[Any] = Registry().with_resources(
    (f"{name}.json", Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)
TOLD = document()


def test_the_committed_files_are_what_the_models_say() -> None:
    assert differing(DOCS, files()) == [], "run python -m edged.contract"


def test_making_them_twice_gives_the_same() -> None:
    again = subprocess.run(
        [sys.executable, "-c", "from edged.contract.__main__ import files; import json; print(json.dumps(files()))"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "12345"},
        cwd=DOCS.parent,
    )
    assert json.loads(again.stdout) == files()


def test_check_says_what_differs_and_writing_mends_it(tmp_path: Path) -> None:
    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        program = [sys.executable, "-m", "edged.contract", *words, str(tmp_path)]
        return subprocess.run(program, capture_output=True, text=True, check=False, cwd=DOCS.parent)

    assert run().returncode == 0
    (tmp_path / "schemas" / "ack.json").write_text("{}", encoding="utf-8")
    (tmp_path / "schemas" / "of-yesterday.json").write_text("{}", encoding="utf-8")
    checked = run("--check")
    assert checked.returncode == 1
    assert "ack.json" in checked.stderr
    assert "of-yesterday.json" in checked.stderr
    run()
    assert run("--check").returncode == 0


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one_and_its_example_obeys_it(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"] == f"{name}.json"
    Draft202012Validator(SCHEMAS[name], registry=REGISTRY).validate(messages()[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_message_with_one_field_more_obeys_no_schema(name: str) -> None:
    example = messages()[name]
    more = [{**each, "note": "x"} for each in example] if isinstance(example, list) else {**example, "note": "x"}
    assert not Draft202012Validator(SCHEMAS[name], registry=REGISTRY).is_valid(more)


# ── AsyncAPI 3.0 ───────────────────────────────────────────────────────────────────────────────────────
def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def resolved(reference: str) -> Any:
    file, _, pointer = reference.partition("#")
    part: Any = json.loads((DOCS / file).read_text(encoding="utf-8")) if file else TOLD
    for step in filter(None, pointer.split("/")):
        part = part[step]
    return part


def test_every_reference_leads_somewhere() -> None:
    found = set(references(TOLD))
    assert all(resolved(each) for each in found)
    assert {each for each in found if each.startswith("./schemas/")} == {f"./schemas/{name}.json" for name in SCHEMAS}


def test_it_is_asyncapi_3() -> None:
    assert yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8")) == TOLD
    assert TOLD["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= TOLD["info"].keys()
    assert all({"host", "protocol"} <= server.keys() for server in TOLD["servers"].values())
    for channel in TOLD["channels"].values():
        assert {"address", "messages", "parameters"} <= channel.keys()
        assert all(f"{{{name}}}" in channel["address"] for name in channel["parameters"])
        assert channel["address"].count("{") == len(channel["parameters"])
        assert all(each["$ref"].startswith("#/components/messages/") for each in channel["messages"].values())


def test_operations_speak_of_messages_of_their_channel() -> None:
    spoken = set()
    for operation in TOLD["operations"].values():
        assert operation["action"] in ("send", "receive")
        channel = operation["channel"]["$ref"]
        spoken.add(channel)
        assert all(each["$ref"].startswith(f"{channel}/messages/") for each in operation["messages"])
        assert operation["bindings"]["mqtt"]["qos"] == 1
    assert spoken == {f"#/channels/{name}" for name in TOLD["channels"]}
    assert TOLD["operations"]["hearCommand"]["reply"]["channel"] == {"$ref": "#/channels/response"}
