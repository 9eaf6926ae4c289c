"""Ids that are nobody's: sessions and markers are called by what another system, or a die, made up (E7).

No form can prove that an id tells nothing of a patient. This one keeps out what people type by mistake: a name has no
digit; a record number, a birthday or a telephone number has no letter.
"""

import re
import secrets

OPAQUE = r"^(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Letters, digits and . _ - of ASCII, 2 to 64 of them, at least one letter and one digit. Also ECMA 262."""
_FORM = re.compile(OPAQUE.removesuffix("$") + r"\Z")
_MADE_UP = 10**8


def opaque(text: str) -> str:
    """`text`, if it has that form.

    Raises:
        ValueError: it has not, and might tell who the patient is.
    """
    if not _FORM.match(text):
        raise ValueError(
            "an opaque id has letters and digits, both, like s-0815; never a patient's name, number or date"
        )
    return text


def made_up() -> str:
    """A new id for a session, easily read out on a phone. Of a thousand a year two are alike once in 200 years."""
    return f"s-{secrets.randbelow(_MADE_UP):08d}"
