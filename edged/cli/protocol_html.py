"""The containment protocol on paper: one self-contained HTML file, two pages of A4.

Page one is what to do at each tier; page two the steps once tier 4 has struck. Colours only repeat what number and word
already say: it must be readable from a grey printer.
"""

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from edged.cli.protocol_page import PHASES, TIER_WORDS, Page, RowShown, rows, who_and_when
from edged.core.phase import Phase
from edged.core.protocol_words import VERDICTS, numbers

_STYLE = """
@page { size: A4 portrait; margin: 9mm 10mm }
* { box-sizing: border-box }
html { -webkit-print-color-adjust: exact; print-color-adjust: exact }
body { margin: 0 auto; width: 190mm; color: #111; background: #fff;
  font: 8.6pt/1.22 Helvetica, Arial, "Liberation Sans", "DejaVu Sans Condensed", sans-serif }
header { border-bottom: 2.5pt solid #111; margin-bottom: 1.5mm; padding-bottom: 1.2mm }
h1 { font-size: 18pt; line-height: 1.1; margin: 0 } h1 small { font-weight: normal; font-size: 13pt }
header p { margin: .5mm 0 0; color: #444 }
h2 { font-size: 13pt; margin: 4mm 0 1.5mm } h3 { font-size: 10.5pt; margin: 0; padding: 1.4mm 2.2mm; color: #fff }
table { width: 100%; border-collapse: collapse }
.tiers { table-layout: fixed }
.tiers td, .tiers th { text-align: left; vertical-align: top; padding: .85mm 1.6mm }
.tiers thead th { font-size: 7.6pt; text-transform: uppercase; letter-spacing: .04em; color: #444;
  padding: 0 1.6mm .4mm }
.tiers tbody { border-bottom: 1.2mm solid #fff; break-inside: avoid }
.tiers tbody td { border-bottom: .5pt solid #0003; background: var(--pale) }
.tiers tbody th { padding: 1mm .5mm; text-align: center; vertical-align: middle; background: var(--full);
  color: var(--ink) }
th b { display: block; font-size: 25pt; line-height: 1 } th span { font-size: 7.4pt }
.do { color: #333 } .do span { white-space: nowrap } .do b { color: #111; font-size: 10.4pt; line-height: 1.16 }
.aside b { font-size: 9.2pt } code { font: inherit; font-style: italic; white-space: nowrap }
.t1 { --full: #f4c20d; --pale: #fff8db; --ink: #111 } .t2 { --full: #e8710a; --pale: #fdeedd; --ink: #111 }
.t3 { --full: #c5221f; --pale: #fbe6e4; --ink: #fff } .t4 { --full: #7a0c0c; --pale: #f3dcdc; --ink: #fff }
.t5 { --full: #4a148c; --pale: #eee3f8; --ink: #fff }
.second { break-before: page } .sheet { margin: 1mm 0 0; color: #444 }
.note { margin: 0 0 2.5mm; padding: 1.4mm 2.2mm; border: 1.2pt solid #111; font-weight: bold }
.phases { display: grid; grid-template-columns: 5fr 7fr 7fr; gap: 3mm }
.phases section { border: 1.2pt solid var(--edge) } .phases h3 { background: var(--edge) }
.pre { --edge: #555 } .injecting { --edge: #7a0c0c } .monitoring { --edge: #4a148c }
ol { margin: 0; padding: 1.5mm 2.2mm 1mm 7mm } li { margin-bottom: 1.8mm; break-inside: avoid }
li b { display: block; font-size: 10.6pt; line-height: 1.18 } li::marker { font-weight: bold }
.halves { display: grid; grid-template-columns: 1fr 1fr; gap: 6mm } .halves p { margin: 0 0 1.2mm; font-size: 9.4pt }
.halves .loud { font-weight: bold; font-size: 11pt }
.numbers td { padding: .5mm 0; border-bottom: .5pt solid #bbb } .numbers td + td { text-align: right }
.signed { display: grid; grid-template-columns: 2fr 2fr 1fr; gap: 6mm; margin-top: 13mm }
.signed span { border-top: .8pt solid #111; padding-top: .8mm; color: #444 }
@media screen { body { padding: 8mm 0 } .second { margin-top: 9mm; border-top: 1pt dashed #aaa } }
"""
_COLUMNS = (("", "20mm"), ("What happens", "50mm"), ("What to do, who, by when", "auto"), ("It clears when", "44mm"))
_COMMAND = re.compile(r"edgectl [a-z]+(?: confirm| failed)?")


def html(page: Page) -> str:
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(page.title)}</title><style>{_STYLE}</style></head><body>",
            *_header(page),
            *_tiers(page),
            '<div class="second">',
            *_script(page),
            *_foot(page),
            "</div></body></html>",
            "",
        )
    )


def put(page: Page, path: Path) -> str:
    """Writes it, and says so. Raises OSError where it cannot."""
    path.write_text(html(page), encoding="utf-8")
    return f"{path}: {page.title}, {page.in_force}"


def _header(page: Page) -> Iterator[str]:
    site = f" <small>{escape(page.site)}</small>" if page.site else ""
    yield f"<header><h1>Containment protocol{site}</h1>"
    yield "<p>What to do when the remote supervision of contrast is disturbed. The highest tier in force counts.</p>"
    yield f"<p>{escape(page.in_force)}</p></header>"


def _tiers(page: Page) -> Iterator[str]:
    columns = "".join(f'<col style="width: {width}">' for _, width in _COLUMNS)
    heads = "".join(f"<th>{head}</th>" for head, _ in _COLUMNS)
    yield f'<table class="tiers"><colgroup>{columns}</colgroup><thead><tr>{heads}</tr></thead>'
    for tier in TIER_WORDS:
        yield from _tier(page, tier)
    yield "</table>"


def _tier(page: Page, tier: int) -> Iterator[str]:
    shown = rows(page, tier)
    asides = list(_asides(page, tier, shown))
    alike = len({row.words.clears for row in shown}) == 1
    head = f'<th rowspan="{len(shown) + len(asides)}"><b>{tier}</b><span>{TIER_WORDS[tier]}</span></th>'
    yield f'<tbody class="t{tier}">'
    for index, row in enumerate(shown):
        first = index == 0
        span = f' rowspan="{len(shown)}"' if alike and len(shown) > 1 else ""
        clears = f'<td class="clears"{span}>{_marked(row.words.clears)}</td>' if first or not alike else ""
        yield f"<tr>{head if first else ''}{_cells(row)}{clears}</tr>"
    yield from asides
    yield "</tbody>"


def _cells(row: RowShown) -> str:
    return (
        f'<td class="seen">{_marked(row.words.seen)}</td>'
        f'<td class="do"><b>{escape(row.say)}</b> <span>{escape(row.who_and_when)}</span></td>'
    )


def _marked(said: str) -> str:
    """With the commands set apart."""
    return _COMMAND.sub(lambda found: f"<code>{found[0]}</code>", escape(said))


def _asides(page: Page, tier: int, shown: tuple[RowShown, ...]) -> Iterator[str]:
    said = []
    if any(row.by_phone for row in shown):
        said.append(f"<b>{escape(page.protocol.phone_prompt)}</b>")
        said.append(f"Once the radiologist answers: <b>{escape(page.protocol.on_the_phone)}</b>")
    if tier in page.protocol.clearing:
        said.append(f"While it clears: <b>{escape(page.protocol.clearing[tier])}</b>")
    if said:
        yield f'<tr class="aside"><td colspan="3">{"<br>".join(said)}</td></tr>'


def _script(page: Page) -> Iterator[str]:
    yield f'<p class="sheet">{escape(page.title)}, {escape(page.in_force)}</p>'  # the two sheets may be parted
    yield "<h2>When tier 4 strikes: step by step</h2>"
    yield f'<p class="note">{escape(page.script_note)}</p><div class="phases">'
    for phase, named in PHASES.items():
        yield f'<section class="{phase.value}"><h3>{escape(named)}</h3><ol>'
        yield from _steps(page, phase)
        yield "</ol></section>"
    yield "</div>"


def _steps(page: Page, phase: Phase) -> Iterator[str]:
    return (
        f"<li><b>{escape(step.say)}</b>{escape(who_and_when(step.who, step.by_s))}</li>"
        for step in page.protocol.script[phase]
    )


def _foot(page: Page) -> Iterator[str]:
    yield '<div class="halves"><section><h2>Two verdicts, every second</h2>'
    for verdict in VERDICTS:
        loud = ' class="loud"' if verdict.startswith("Audio alone") else ""
        yield f"<p{loud}>{escape(verdict)}</p>"
    yield '</section><section><h2>Numbers in force</h2><table class="numbers">'
    for name, figure in numbers(page.plan):
        yield f"<tr><td>{escape(name)}</td><td>{escape(figure)}</td></tr>"
    yield "</table></section></div>"
    signed = ("Approved by, for the facility", "Radiologist in charge", "Date")
    yield f'<div class="signed">{"".join(f"<span>{each}</span>" for each in signed)}</div>'
