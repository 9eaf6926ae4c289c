"""protocol.toml: read, checked, and every mistake named by file, key and value. Nothing is half-applied.

What the facility decides (rows, clearing, script) must be there in full. Of the readiness and alarm sentences only
those it words otherwise: a newer edged may know more of them, and must not stay down for that.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from edged.config_error import ConfigError
from edged.core.phase import Phase
from edged.core.protocol import DEADLINES, DEFAULT, MAX_SENTENCE, ROLES, SENTENCE, VERSION, Protocol, Response

_KEYS = ("version", "phone_prompt", "on_the_phone", "rows", "clearing", "script", "readiness", "alarms", "information")
_OPTIONAL = ("readiness", "alarms", "information")
_CLEARING = {f"t{tier}": tier for tier in DEFAULT.clearing}
_SCRIPTED = {phase.value: phase for phase in DEFAULT.script}
_MAX_STEPS = 12
"""More is not read at 3 a.m."""
_MAX_BY_S = 3600.0
_ANOTHER = re.compile(r"[.!?…。]['\")]?\s+\S")
"""A sentence has ended, and something follows."""
_NOTHING: Mapping[str, Any] = {}


def load_protocol(path: Path) -> Protocol:
    """Read and check the file.

    Raises:
        ConfigError: it cannot be read, is no TOML, or says something that cannot be; with every mistake in it.
    """
    reader = _Reader()
    read = reader.protocol(_document(path))
    if reader.mistakes:
        raise ConfigError(path, reader.mistakes)
    return read


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise ConfigError(path, [error.strerror or str(error)]) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(path, [f"no TOML: {error}"]) from error


class _Reader:
    """Reads on after a mistake, to name them all. What it returns then is not used."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def protocol(self, doc: Mapping[str, Any]) -> Protocol:
        self._known("", doc, _KEYS, required=[key for key in _KEYS if key not in _OPTIONAL])
        information = doc.get("information")
        return Protocol(
            version=self._version(doc.get("version")),
            responses=self._rows(self._flat("rows", doc)),
            phone_prompt=self._sentence("phone_prompt", doc.get("phone_prompt", DEFAULT.phone_prompt)),
            on_the_phone=self._sentence("on_the_phone", doc.get("on_the_phone", DEFAULT.on_the_phone)),
            clearing=self._clearing(self._table("clearing", doc)),
            script=self._script(self._table("script", doc)),
            readiness=self._readiness(self._table("readiness", doc)),
            alarms=self._alarms(self._flat("alarms", doc)),
            information=DEFAULT.information if information is None else self._response("information", information),
        )

    # ── the parts ──────────────────────────────────────────────────────────────────────────────────────
    def _version(self, value: Any) -> str:
        if value is None:
            return DEFAULT.version
        if not isinstance(value, str) or not re.search(VERSION, value):
            self._wrong("version", 'must be year and month, like "2026-11" or "2026-11.2"', value)
        return str(value)

    def _rows(self, rows: Mapping[str, Any]) -> dict[str, Response]:
        self._known("rows", rows, tuple(DEFAULT.responses), required=DEFAULT.responses)
        read = {row: self._response(f"rows.{row}", rows[row]) for row in DEFAULT.responses if row in rows}
        for row, response in read.items():
            self._in_time(row, response)
        return read

    def _in_time(self, row: str, response: Response) -> None:
        """A site may be stricter, never laxer."""
        deadline = DEADLINES.get(row)
        if deadline is None:
            return
        limit = f"at most {deadline.at_most_s:g} ({deadline.source})"
        if response.by_s is None:
            self._wrong(f"rows.{row}.by_s", f"missing: this row needs a deadline, {limit}")
        elif response.by_s > deadline.at_most_s:
            self._wrong(f"rows.{row}.by_s", f"laxer than the requirements: {limit}", response.by_s)

    def _clearing(self, table: Mapping[str, Any]) -> dict[int, str]:
        self._known("clearing", table, tuple(_CLEARING), required=_CLEARING)
        return {tier: self._sentence(f"clearing.{key}", table[key]) for key, tier in _CLEARING.items() if key in table}

    def _script(self, table: Mapping[str, Any]) -> dict[Phase, tuple[Response, ...]]:
        self._known("script", table, tuple(_SCRIPTED), required=_SCRIPTED, what="phase")
        return {phase: self._steps(f"script.{key}", table[key]) for key, phase in _SCRIPTED.items() if key in table}

    def _steps(self, key: str, steps: Any) -> tuple[Response, ...]:
        if not isinstance(steps, list) or not 1 <= len(steps) <= _MAX_STEPS:
            self._wrong(key, f"must be 1 to {_MAX_STEPS} steps, each [[{key}]]", steps)
            return ()
        return tuple(self._response(f"{key}[{index}]", step) for index, step in enumerate(steps))

    def _readiness(self, table: Mapping[str, Any]) -> dict[str, str]:
        self._known("readiness", table, tuple(DEFAULT.readiness), what="code")
        own = {code: self._sentence(f"readiness.{code}", said) for code, said in table.items()}
        return {**DEFAULT.readiness, **own}

    def _alarms(self, alarms: Mapping[str, Any]) -> dict[str, Response]:
        self._known("alarms", alarms, tuple(DEFAULT.alarms), what="condition")
        own = {name: self._response(f"alarms.{name}", said) for name, said in alarms.items()}
        return {**DEFAULT.alarms, **own}

    # ── what they are made of ──────────────────────────────────────────────────────────────────────────
    def _response(self, key: str, table: Any) -> Response:
        if not isinstance(table, dict):
            self._wrong(key, "must be a table with say, who and by_s", table)
            return DEFAULT.information
        self._known(key, table, ("say", "who", "by_s"), required=("say", "who"), what="key")
        say = self._sentence(f"{key}.say", table["say"]) if "say" in table else ""
        who = table.get("who", ROLES[0])
        if who not in ROLES:
            self._wrong(f"{key}.who", f"unknown role; there are {', '.join(ROLES)}", who)
        return Response(say, str(who), self._seconds(f"{key}.by_s", table.get("by_s")))

    def _seconds(self, key: str, value: Any) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_BY_S:
            self._wrong(key, f"must be seconds, 0 to {_MAX_BY_S:g}", value)
            return None
        return float(value)

    def _sentence(self, key: str, value: Any) -> str:
        fault = sentence_fault(value) if isinstance(value, str) else "must be a sentence"
        if fault:
            self._wrong(key, fault, value)
        return str(value)

    def _table(self, key: str, doc: Mapping[str, Any]) -> Mapping[str, Any]:
        table = doc.get(key, _NOTHING)
        if isinstance(table, dict):
            return table
        if table is not _NOTHING:
            self._wrong(key, "must be a table", table)
        return _NOTHING

    def _flat(self, key: str, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Rows and conditions have a dot in their name, which TOML takes for a table within a table."""
        flat: dict[str, Any] = {}
        for name, value in _leaves(self._table(key, doc)):
            if name in flat:
                self._wrong(f"{key}.{name}", "is there twice")
            flat[name] = value
        return flat

    # ── mistakes ───────────────────────────────────────────────────────────────────────────────────────
    def _known(
        self,
        key: str,
        table: Mapping[str, Any],
        names: tuple[str, ...],
        *,
        required: Any = (),
        what: str = "row",
    ) -> None:
        prefix = f"{key}." if key else ""
        for name, value in table.items():
            if name not in names:
                close = get_close_matches(name, names, n=1)
                hint = f"; did you mean {close[0]}?" if close else ""
                self._wrong(f"{prefix}{name}", f"unknown {what if key else 'key'}{hint}", value)
        self.mistakes.extend(f"{prefix}{name}: missing" for name in required if name not in table)

    def _wrong(self, key: str, said: str, value: Any = None) -> None:
        shown = "" if value is None or isinstance(value, dict | list) else f" (found {value!r:.160})"
        self.mistakes.append(f"{key}: {said}{shown}")


def sentence_fault(text: str) -> str | None:
    """Why this cannot be shown as one short sentence; None if it can."""
    if not text.strip():
        return "must be a sentence"
    if any(unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029" for letter in text):
        return "holds a control character"
    if len(text) > MAX_SENTENCE:
        return f"too long: {len(text)} characters of at most {MAX_SENTENCE}"
    if any(letter in "{}[]<>" for letter in text):
        return "holds a bracket: is there something left to fill in?"
    if text != text.strip():
        return "begins or ends with a space"
    if _ANOTHER.search(text):
        return "is more than one sentence"
    return None if re.search(SENTENCE, text) else "must end in a full stop"


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """A response holds no table: whatever holds one is only part of a name."""
    for key, value in table.items():
        if isinstance(value, dict) and any(isinstance(held, dict) for held in value.values()):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
