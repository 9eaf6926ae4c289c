"""The page to hang on the wall says everything that is in force, on a terminal and on paper."""

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edged.cli.daemon import app
from edged.cli.protocol_html import html
from edged.cli.protocol_page import SHIPPED_SCRIPT, TIER_WORDS, WIDTH, Page, page_of, rows, text
from edged.core.phase import Phase
from edged.core.plan import Plan, Thresholds
from edged.core.protocol import DEFAULT, Response
from edged.core.protocol_words import ROWS, VERDICTS, numbers, words

CONFIG = Path(__file__).parents[3] / "config"
PAGE = Page(Plan(links=()), "2026-11-22", "clinic / room-1")
OWN = replace(DEFAULT, script={**DEFAULT.script, Phase.PRE: (Response("Lock the injector.", "technologist"),)})


def flat(said: str) -> str:
    return " ".join(said.split())


def on_paper(page: Page) -> str:
    """Its text; commands are set apart within their sentence, everything else is a text of its own."""
    body = re.sub(r"</?code>", "", html(page).partition("</style>")[2])
    return flat(unescape(re.sub(r"<[^>]*>", " ", body)))


SHOWN = [
    *(response.say for response in DEFAULT.responses.values()),
    *(step.say for steps in DEFAULT.script.values() for step in steps),
    *DEFAULT.clearing.values(),
    *VERDICTS,
    *(figure for _, figure in numbers(PAGE.plan)),
    *(words(row, PAGE.plan).seen for row in ROWS),
    *TIER_WORDS.values(),
    DEFAULT.phone_prompt,
    DEFAULT.on_the_phone,
    DEFAULT.hash,
    f"version {DEFAULT.version}",
    "printed 2026-11-22",
    SHIPPED_SCRIPT,
]


@pytest.mark.parametrize("said", SHOWN)
def test_everything_in_force_is_on_the_terminal_and_on_paper(said: str) -> None:
    assert flat(said) in flat(text(PAGE))
    assert flat(said) in on_paper(PAGE)


def test_the_site_is_named() -> None:
    assert "CLINIC / ROOM-1" in text(PAGE)
    assert "clinic / room-1" in on_paper(PAGE)
    nowhere = replace(PAGE, site=None)
    assert "no site given: numbers as in the requirements" in flat(text(nowhere))


def test_no_line_is_wider_than_the_terminal() -> None:
    long = "W" * 119 + "."
    loud = replace(DEFAULT, responses={**DEFAULT.responses, "t3.av": Response(long, "on-site physician", 90.0)})
    page = replace(PAGE, plan=replace(PAGE.plan, protocol=loud))
    assert max(map(len, text(page).splitlines())) <= WIDTH


def test_t5_a_script_the_facility_has_not_written_is_said_to_be_shipped() -> None:
    assert SHIPPED_SCRIPT in on_paper(PAGE)
    own = replace(PAGE, plan=replace(PAGE.plan, protocol=OWN))
    assert SHIPPED_SCRIPT not in on_paper(own)
    assert "Lock the injector." in on_paper(own)


def test_rule8_the_page_promises_no_more_time_than_the_judge_gives() -> None:
    strict = replace(PAGE.plan, thresholds=replace(Thresholds(), phone_within_s=60.0))
    assert {row.who_and_when for row in rows(replace(PAGE, plan=strict), 3)} == {"technologist, within 60\u00a0s"}


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [name for name, _ in attrs if name in ("src", "href")]
        if tag not in ("meta", "col", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_paper_is_one_file_that_fetches_nothing_and_closes_what_it_opens() -> None:
    found = _Elements()
    found.feed(html(PAGE))
    assert found.open == []
    assert found.fetched == []
    assert "url(" not in html(PAGE)
    assert "@import" not in html(PAGE)


def test_what_a_site_writes_is_text_on_paper_and_never_markup() -> None:
    sly = replace(DEFAULT, phone_prompt='Say & hear "both".')
    assert "Say &amp; hear &quot;both&quot;." in html(replace(PAGE, plan=replace(PAGE.plan, protocol=sly)))


def test_every_row_of_the_table_on_paper_is_as_wide_as_the_table() -> None:
    body = html(PAGE).partition("<thead>")[2].partition("</table>")[0]
    cells = sum(_area(tag) for tag in re.findall(r"<t[hd][^>]*>", body))
    assert cells == 4 * body.count("<tr")


def _area(tag: str) -> int:
    spans = dict(re.findall(r'(rowspan|colspan)="(\d+)"', tag))
    return int(spans.get("rowspan", 1)) * int(spans.get("colspan", 1))


# ── the command ────────────────────────────────────────────────────────────────────────────────────────
def test_the_command_shows_the_site_with_its_own_numbers(tmp_path: Path) -> None:
    own = tmp_path / "edged.toml"
    own.write_text((CONFIG / "edged.toml").read_text().replace("phone_within_s = 120", "phone_within_s = 90"))
    shown = CliRunner().invoke(app, ["protocol", "--config", str(own)])
    assert shown.exit_code == 0
    assert "CLINIC / ROOM-1" in shown.output
    assert "lost for 90 s" in flat(shown.output)
    assert "technologist, within 90\u00a0s" in shown.output


def test_the_command_shows_a_file_before_it_is_taken_into_use(tmp_path: Path) -> None:
    draft = tmp_path / "draft.toml"
    draft.write_text((CONFIG / "protocol.toml").read_text().replace("Stop the injector.", "Press the red button."))
    shown = CliRunner().invoke(app, ["protocol", "--file", str(draft)])
    assert shown.exit_code == 0
    assert "Press the red button." in shown.output
    with_numbers = page_of(CONFIG / "edged.toml", draft, printed="2026-11-22")
    assert with_numbers.site == "clinic / room-1"
    assert with_numbers.protocol.script[Phase.INJECTING][0].say == "Press the red button."


def test_the_command_writes_the_paper(tmp_path: Path) -> None:
    paper = tmp_path / "protocol.html"
    shown = CliRunner().invoke(app, ["protocol", "-c", str(CONFIG / "edged.toml"), "--html", str(paper)])
    assert shown.exit_code == 0
    assert DEFAULT.hash in shown.output
    assert paper.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--file", "draft.toml"], "draft.toml: version: missing"),
        (["--file", "nowhere.toml"], "nowhere.toml: No such file"),
        (["--config", "nowhere.toml"], "nowhere.toml: No such file"),
        (["--file", str(CONFIG / "protocol.toml"), "--html", "no/where.html"], "no/where.html: No such file"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_and_the_exit_status_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("draft.toml").write_text("")
    shown = CliRunner().invoke(app, ["protocol", *arguments])
    assert shown.exit_code == 2
    assert says in shown.output


def test_the_command_shows_the_protocol_the_configuration_names(tmp_path: Path) -> None:
    own = tmp_path / "protocol.toml"
    own.write_text((CONFIG / "protocol.toml").read_text().replace("Stop the injector.", "Press the red button."))
    config = tmp_path / "edged.toml"
    config.write_text((CONFIG / "edged.toml").read_text().replace("[site]\n", f'[site]\nprotocol_file = "{own}"\n'))
    shown = CliRunner().invoke(app, ["protocol", "--config", str(config)])
    assert shown.exit_code == 0
    assert "Press the red button." in shown.output
