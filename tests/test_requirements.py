"""Every row and rule asked for has its test by name, and the page says which."""

from pathlib import Path

import pytest

from tests.requirement_rows import ROWS, Proof
from tests.requirements import PAGE, ROOT, Named, lacking, named_in, page, proven


def test_every_row_and_rule_is_there_once() -> None:
    counts = {"N": 7, "Q": 5, "U": 3, "C": 3, "T": 6, "E": 7, "D": 3, "H": 4, "rule": 18}
    wanted = {f"{letter}{number}" for letter, many in counts.items() for number in range(1, many + 1)}
    assert len(ROWS) == len(wanted)
    assert {row.id for row in ROWS} == wanted


def test_every_t_c_e_and_h_row_and_every_rule_needs_a_table_test_at_least() -> None:
    assert {row.id for row in ROWS if row.proof is Proof.NONE} == {row.id for row in ROWS if row.id[0] in "NQUD"}


def test_what_needs_a_test_has_it() -> None:
    assert lacking(proven(named_in(ROOT / "tests", ROOT))) == []


def test_the_page_is_what_the_names_of_the_tests_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(proven(named_in(ROOT / "tests", ROOT))), (
        "python -m tests.requirements --write"
    )


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("test_t2_rule4_failover_is_latched", ("T2", "rule4")),
        ("test_rule12_t4_at_once", ("rule12", "T4")),
        ("test_rule1_is_not_rule17", ("rule1", "rule17")),
        ("test_a_name_without_any", ()),
        ("test_the_title1_h12_e9_are_none", ()),
        ("test_e2_e2_said_twice", ("E2", "E2")),
    ],
)
def test_an_id_is_a_word_of_the_name(name: str, ids: tuple[str, ...]) -> None:
    assert Named("tests/test_x.py", name).ids == ids


def test_what_has_no_test_is_told_and_a_lab_test_is_no_table_test(tmp_path: Path) -> None:
    for folder, names in {"tests/site": ["t1", "h2"], "tests/core": ["t1", "t2"]}.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "test_some.py").write_text("".join(f"def test_{n}_some() -> None: ...\n" for n in names))
    found = proven(named_in(tmp_path / "tests", tmp_path))
    wrong = lacking(found)
    assert {"T2: no lab test", "H2: no table test", "T3: no table test", "T3: no lab test"} <= set(wrong)
    assert not [line for line in wrong if line.startswith("T1:")]
    assert [test.file for test in found["T1"]] == ["tests/core/test_some.py", "tests/site/test_some.py"]
    assert "- `tests/site/test_some.py::test_h2_some`" in page(found)
