"""docs/requirements.md: which test proves which row or rule of the requirements, read from the names of the tests.

An id is a word of a test's name: `test_t2_rule4_…` proves T2 and rule 4. `python -m tests.requirements --write` writes
the page; without it the page is checked, and whatever has not the tests it needs is told.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.requirement_rows import BY_ID, ROWS, Proof, Row

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "requirements.md"
LAB = "tests/site/"
_ID = re.compile("|".join(sorted((row.id.lower() for row in ROWS), key=len, reverse=True)))
_SPELLED = {row.id.lower(): row.id for row in ROWS}

_HEAD = """# What is asked, and the test that proves it

Written by `python -m tests.requirements --write` from the names of the tests; a test fails when this page is not what
that writes. "Not edged's job" is said where it is so. Tests of tables and pure decisions come first, then those on the
whole site in network namespaces (`tests/site`).
"""


@dataclass(frozen=True, slots=True, order=True)
class Named:
    file: str
    name: str

    @property
    def in_lab(self) -> bool:
        return self.file.startswith(LAB)

    @property
    def ids(self) -> tuple[str, ...]:
        """Those the name carries as words, in its order."""
        return tuple(_SPELLED[word] for word in self.name.split("_") if _ID.fullmatch(word))


Proven = dict[str, list[Named]]


def named_in(folder: Path, root: Path) -> Iterator[Named]:
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield Named(path.relative_to(root).as_posix(), node.name)


def proven(tests: Iterable[Named]) -> Proven:
    found: Proven = {row.id: [] for row in ROWS}
    for test in sorted(tests, key=lambda test: (test.in_lab, test)):
        for id_ in dict.fromkeys(test.ids):
            found[id_].append(test)
    return found


def lacking(found: Proven) -> list[str]:
    """What has not the tests it needs, a line each."""
    without_table = [row.id for row in ROWS if row.proof is not Proof.NONE and not _of(found, row.id, lab=False)]
    without_lab = [row.id for row in ROWS if row.proof is Proof.LAB and not _of(found, row.id, lab=True)]
    return [f"{id_}: no table test" for id_ in without_table] + [f"{id_}: no lab test" for id_ in without_lab]


def page(found: Proven) -> str:
    parts = [_HEAD, *(_section(BY_ID[id_], tests) for id_, tests in found.items())]
    return "\n".join(parts)


def _of(found: Proven, id_: str, *, lab: bool) -> list[Named]:
    return [test for test in found[id_] if test.in_lab is lab]


def _section(row: Row, tests: list[Named]) -> str:
    title = row.id.replace("rule", "Rule ")
    others = f" Not edged's job: {row.others}." if row.others else ""
    lines = [f"- `{test.file}::{test.name}`" for test in tests] or ["- no test carries this id yet"]
    return "\n".join([f"## {title}", f"{row.asks[0].upper()}{row.asks[1:]}.{others}", "", *lines, ""])


def main(words: list[str]) -> int:
    found = proven(named_in(ROOT / "tests", ROOT))
    written = page(found)
    if "--write" in words:
        PAGE.write_text(written, encoding="utf-8")
    stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != written
    wrong = [*lacking(found), *(["docs/requirements.md: not what --write writes"] if stale else [])]
    print("\n".join(wrong) if wrong else f"{len(ROWS)} rows and rules, all with the tests they need")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
