"""The containment protocol as the page to hang on the wall: what is on it, and how a terminal shows it.

The sentences are the facility's, the triggers the code's, the numbers the configuration's. Paper: protocol_html.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edged.config import load
from edged.core.phase import Phase
from edged.core.plan import Plan
from edged.core.protocol import BY_PHONE, DEFAULT, Protocol
from edged.core.protocol_words import ROWS, VERDICTS, Words, deadline_s, numbers, span, words
from edged.protocol_file import load_protocol

WIDTH = 80
TIER_WORDS = {1: "WATCH", 2: "CONFIRM", 3: "HOLD AND CALL", 4: "HALT", 5: "EMERGENCY"}
PHASES = {
    Phase.PRE: "Before contrast",
    Phase.INJECTING: "While contrast is being given",
    Phase.MONITORING: "After contrast, while the patient is being watched",
}
SHIPPED_SCRIPT = (
    "Shipped text. The facility has not written its own emergency steps yet: edit [[script]] in protocol.toml."
)
OWN_SCRIPT = "Written by this facility. Drugs and doses stand in its contrast-reaction protocol."


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that is shown, on whatever it is shown."""

    plan: Plan
    printed: str
    """The day, as YYYY-MM-DD."""
    site: str | None = None
    """None: no configuration was given, and the numbers are the requirements' own."""

    @property
    def protocol(self) -> Protocol:
        return self.plan.protocol

    @property
    def title(self) -> str:
        return f"Containment protocol: {self.site}" if self.site else "Containment protocol"

    @property
    def in_force(self) -> str:
        """Which text, which numbers, which day: whoever reads the wall can compare it with the box."""
        whose = "" if self.site else ", no site given: numbers as in the requirements"
        return f"version {self.protocol.version}, hash {self.protocol.hash}, printed {self.printed}{whose}"

    @property
    def script_note(self) -> str:
        return SHIPPED_SCRIPT if self.protocol.script == DEFAULT.script else OWN_SCRIPT


@dataclass(frozen=True, slots=True)
class RowShown:
    id: str
    words: Words
    say: str
    who_and_when: str
    by_phone: bool


def page_of(config: Path | None, file: Path | None, *, printed: str) -> Page:
    """From a configuration (its site, numbers and protocol), a protocol file, or both: that file with those numbers.
    Neither: the shipped protocol and the requirements' numbers.

    Raises:
        edged.config_error.ConfigError: one of them cannot be used; with every mistake in it.
    """
    loaded = load(config) if config else None
    plan = loaded.plan() if loaded else Plan(links=())
    site = f"{loaded.config.site.tenant} / {loaded.config.site.name}" if loaded else None
    return Page(replace(plan, protocol=load_protocol(file)) if file else plan, printed, site)


def rows(page: Page, tier: int) -> tuple[RowShown, ...]:
    return tuple(_row(page, row) for row in ROWS if row.startswith(f"t{tier}."))


def who_and_when(who: str, by_s: float | None) -> str:
    """technologist, within 30 s; at once for 0; only who where there is no deadline."""
    if by_s is None:
        return who
    return f"{who}, within {span(by_s)}" if by_s else f"{who}, at once"


def text(page: Page) -> str:
    """For a terminal of 80 columns, and for a pipe: no colour, nothing wider."""
    return "\n".join(_lines(page)) + "\n"


def _row(page: Page, row: str) -> RowShown:
    response = page.protocol.responses[row]
    due_s = deadline_s(row, page.plan)
    return RowShown(row, words(row, page.plan), response.say, who_and_when(response.who, due_s), row in BY_PHONE)


def _lines(page: Page) -> Iterator[str]:
    yield page.title.upper()
    yield from _wrapped(page.in_force)
    for tier, word in TIER_WORDS.items():
        yield ""
        yield f"── TIER {tier}  {word} ".ljust(WIDTH, "─")
        yield from _tier(page, tier)
    yield from _script(page)
    yield from _section("TWO VERDICTS, EVERY SECOND")
    for verdict in VERDICTS:
        yield from _wrapped(verdict, "  ")
    yield from _section("NUMBERS IN FORCE")
    for name, figure in numbers(page.plan):
        yield f"  {name:<42} {figure}"


def _tier(page: Page, tier: int) -> Iterator[str]:
    shown = rows(page, tier)
    shared = {row.words.clears for row in shown}
    for row in shown:
        yield from _wrapped(f"SEEN   {row.words.seen}", "  ", "         ")
        yield from _wrapped(f"DO     {row.say}", "  ", "         ")
        yield f"         {row.who_and_when}"
        if len(shared) > 1:
            yield from _wrapped(f"CLEARS {row.words.clears}", "  ", "         ")
        yield ""
    if len(shared) == 1:
        yield from _wrapped(f"CLEARS {shared.pop()}", "  ", "         ")
    if any(row.by_phone for row in shown):
        yield from _wrapped(f"PHONE  {page.protocol.phone_prompt}", "  ", "         ")
        yield from _wrapped(f"ONCE THE RADIOLOGIST ANSWERS: {page.protocol.on_the_phone}", "  ", "         ")
    if tier in page.protocol.clearing:
        yield from _wrapped(f"WHILE IT CLEARS: {page.protocol.clearing[tier]}", "  ", "         ")


def _script(page: Page) -> Iterator[str]:
    yield from _section("WHEN TIER 4 STRIKES: STEP BY STEP")
    yield from _wrapped(page.script_note, "  ")
    for phase, named in PHASES.items():
        yield ""
        yield f"  {named}"
        for number, step in enumerate(page.protocol.script[phase], start=1):
            yield from _wrapped(f"{number:>2}. {step.say} ({who_and_when(step.who, step.by_s)})", "  ", "      ")


def _section(title: str) -> tuple[str, ...]:
    return ("", f"── {title} ".ljust(WIDTH, "─"))


def _wrapped(said: str, first: str = "", further: str | None = None) -> list[str]:
    return textwrap.wrap(said, WIDTH, initial_indent=first, subsequent_indent=first if further is None else further)
