"""The words of a lab command, taken one by one. What is not as expected raises LabMisuse with the command's usage."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from lab.errors import LabMisuse

Q = TypeVar("Q")


class Words:
    def __init__(self, words: Sequence[str], usage: str) -> None:
        self._words = list(words)
        self._usage = usage

    def one_of(self, what: str, choices: Sequence[str]) -> str:
        if not self._words:
            raise self._misuse(f"{what} is missing: {' or '.join(choices)}")
        word = self._words.pop(0)
        if word not in choices:
            raise self._misuse(f"{what} must be {' or '.join(choices)}, not {word!r}")
        return word

    def optional(self, choices: Sequence[str]) -> str | None:
        """The next word if it is one of `choices`; else it stays for whoever asks next."""
        return self._words.pop(0) if self._words and self._words[0] in choices else None

    def switch(self) -> bool:
        return self.one_of("the switch", ("on", "off")) == "on"

    def quantity(self, what: str, parse: Callable[[str], Q]) -> Q:
        if not self._words:
            raise self._misuse(f"{what} is missing")
        try:
            return parse(self._words.pop(0))
        except ValueError as error:
            raise self._misuse(f"{what}: {error}") from error

    def optional_quantity(self, what: str, parse: Callable[[str], Q]) -> Q | None:
        return self.quantity(what, parse) if self._words else None

    def end(self) -> None:
        if self._words:
            raise self._misuse(f"{' '.join(self._words)!r} is too much")

    def _misuse(self, text: str) -> LabMisuse:
        return LabMisuse(f"{text}. Usage: lab {self._usage}")
