"""Every command that README and docs show exists as shown: the program knows the words and the options."""

import re
from pathlib import Path

import pytest
import typer

from edged.cli import daemon, edgectl
from lab.commands import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = re.compile(r"^\s*(?:\$ |sudo )*(?:\./dev )?(?P<program>edged|edgectl|lab) (?P<words>[^#\n|;&]*)", re.MULTILINE)
FENCE = re.compile(r"```(?:sh|console)\n(.*?)```", re.DOTALL)
LAB_WORDS = {*COMMANDS, "up", "exec", "--help"}


def shown_commands() -> list[tuple[str, str, list[str]]]:
    blocks = ((page.name, block) for page in PAGES for block in FENCE.findall(page.read_text(encoding="utf-8")))
    shown = ((name, match) for name, block in blocks for match in SHOWN.finditer(block))
    return [(name, match["program"], match["words"].split()) for name, match in shown]


def test_the_docs_show_commands_at_all() -> None:
    assert len(shown_commands()) >= 20


@pytest.mark.parametrize(("page", "program", "words"), shown_commands(), ids=lambda value: str(value)[:60])
def test_a_command_in_the_docs_is_one(page: str, program: str, words: list[str]) -> None:
    if program == "lab":
        assert words[0] in LAB_WORDS, page
        return
    command = typer.main.get_command(edgectl.app if program == "edgectl" else daemon.app)
    for index, word in enumerate(words):
        inner = getattr(command, "commands", None)
        if inner is None:
            known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
            unknown = [w for w in words[index:] if w.startswith("-") and w.partition("=")[0] not in {*known, "--help"}]
            assert not unknown, f"{page}: {program} {' '.join(words)}"
            return
        if word == "--help":
            return
        assert word in inner, f"{page}: {program} has no {word}"
        command = inner[word]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"
