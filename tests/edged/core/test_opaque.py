"""No id by which a patient could be known, as far as a form can tell."""

import re

import pytest

from edged.core.opaque import OPAQUE, made_up, opaque


@pytest.mark.parametrize("text", ["s-0815", "rx-77", "a1", "7f3e9c2b-1111-4222-8333-abcdefabcdef", "CT1.2026_a"])
def test_letters_and_digits_together_are_an_opaque_id(text: str) -> None:
    assert opaque(text) == text
    assert re.match(OPAQUE, text)


@pytest.mark.parametrize(
    "text",
    [
        *("Smith", "john.smith", "SMITH-JONES", "19560412", "1956-04-12", "04.12.1956", "123-45-6789", "00123456", "7"),
        *("", "-s1", "s 1", "s1\n", "s1/2", "é1", "s\u0661", "s1" * 33),
    ],
)
def test_e7_a_name_a_number_a_birthday_or_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="letters and digits") as refused:
        opaque(text)
    assert not text.strip() or text not in str(refused.value), "what was typed is not said again"


def test_an_id_made_up_is_one_and_another_one_each_time() -> None:
    made = {opaque(made_up()) for _ in range(100)}
    assert len(made) == 100
