"""One value, one spelling: the JSON Canonicalization Scheme (RFC 8785).

Keys sorted by UTF-16 code unit, no spaces, UTF-8, numbers as ECMAScript writes them. Bytes are compared, hashed and
kept, so two spellings of one fact would be two facts.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from edged.core.events import Json
from edged.record.errors import RecordMisused

MAX_INTEGER = 2**53 - 1
"""RFC 7493: beyond it a reader that holds numbers as doubles would see another number."""


def canonical(value: Json) -> bytes:
    """Raises RecordMisused for what JSON cannot say: NaN, infinities, integers beyond 2^53 - 1, half a surrogate pair,
    other types.
    """
    try:
        return _written(value).encode()
    except UnicodeEncodeError as error:
        raise RecordMisused(f"text is not Unicode: {error}") from error


def _written(value: Json) -> str:
    """What the standard library spells alike it may spell: three to four times as fast, and that is nearly all there
    is.
    """
    try:
        usual = _usual(value)
    except _UnusualError:
        return "".join(_spell(value))
    return json.dumps(usual, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class _UnusualError(Exception):
    """Something both spell otherwise, or that cannot be said."""


def _usual(value: Any) -> Any:
    """The same value in what both spell alike. By exact types: this is asked for every word of every message."""
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if kind is float:
        return _usual_float(value)
    if kind is int and -MAX_INTEGER <= value <= MAX_INTEGER:
        return value
    if kind is dict and all(type(key) is str and key.isascii() for key in value):
        return {key: _usual(held) for key, held in value.items()}
    if kind is list or kind is tuple:
        return [_usual(held) for held in value]
    raise _UnusualError


def _usual_float(value: float) -> int | float:
    text = repr(value)
    if text.endswith(".0") and abs(value) <= MAX_INTEGER:
        return int(value)
    if "e" in text or not math.isfinite(value) or value.is_integer():
        raise _UnusualError
    return value


def _spell(value: Json) -> Iterator[str]:
    match value:
        case None:
            yield "null"
        case bool():
            yield "true" if value else "false"
        case str():
            yield json.dumps(value, ensure_ascii=False)
        case int():
            yield _integer(value)
        case float():
            yield _double(value)
        case Mapping():
            yield from _object(value)
        case Sequence() if not isinstance(value, (bytes, bytearray, memoryview)):
            yield from _array(value)
        case _:
            raise RecordMisused(f"JSON has no {type(value).__name__}: {value!r:.80}")


def _object(value: Mapping[str, Json]) -> Iterator[str]:
    opening = "{"
    for key in sorted(value, key=_utf16):
        yield f"{opening}{json.dumps(key, ensure_ascii=False)}:"
        yield from _spell(value[key])
        opening = ","
    yield "}" if opening == "," else "{}"


def _array(value: Sequence[Json]) -> Iterator[str]:
    opening = "["
    for item in value:
        yield opening
        yield from _spell(item)
        opening = ","
    yield "]" if opening == "," else "[]"


def _utf16(key: str) -> bytes:
    if not isinstance(key, str):
        raise RecordMisused(f"a JSON key must be text, not {key!r:.80}")
    return key.encode("utf-16-be", "surrogatepass")


def _integer(value: int) -> str:
    if abs(value) > MAX_INTEGER:
        raise RecordMisused(f"integer beyond 2^53 - 1: {value}")
    return int.__repr__(value)


def _double(value: float) -> str:
    """ECMA-262, Number::toString: digits with a point between 1e-6 and 1e21, an exponent outside."""
    if not math.isfinite(value):
        raise RecordMisused(f"JSON has no {value}")
    text = float.__repr__(value)
    if "e" not in text:  # both languages print the shortest digits that round-trip; only the frame differs
        return "0" if text == "-0.0" else text.removesuffix(".0")
    return _with_exponent(text)


def _with_exponent(text: str) -> str:
    negative, figures, exponent = Decimal(text).normalize().as_tuple()
    assert isinstance(exponent, int)
    digits = "".join(map(str, figures))
    point = len(digits) + exponent  # where the decimal point stands, counted from the first digit
    if len(digits) <= point <= 21:
        body = digits + "0" * (point - len(digits))
    elif -6 < point <= 0:
        body = "0." + "0" * -point + digits
    else:
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        body = f"{mantissa}e{point - 1:+d}"
    return "-" + body if negative else body
