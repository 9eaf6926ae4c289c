"""The bindings that a registrar lists in the Contact headers of its answer (RFC 3261 sections 10.3, 20.10, 25.1).

A listed binding counts unless it says that it has expired. A list that cannot be read is no list: it raises, since an
answer half understood must make the line neither registered nor unregistered.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from probes.errors import PeerError

EXPIRES_DEFAULT_S = 3600  # of a value that is no number: section 20.19
_EXPIRES_MAX_S = 2**32 - 1

_QUOTED = r'"(?:[^"\\]|\\.)*+"'
# Either a URI in angle brackets after a name, or a bare one; then a bare one's semicolons are the binding's.
_ADDRESS = re.compile(rf'\s*+(?:(?:{_QUOTED}\s*+|[^<>",;]*+)<([^<>"\s]++)>|([^<>",;\s]++))')
_PARAMETER = re.compile(rf"\s*+;\s*+([^\s;,=<>\"]++)(?:\s*+=\s*+({_QUOTED}|[^\s;,\"<>]++))?+")
_NEXT = re.compile(r"\s*+(,|\Z)")
_Q = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:.")


@dataclass(frozen=True, slots=True)
class Binding:
    """Where calls for the line are sent."""

    uri: str
    expires_s: int | None
    """From now; None: the registrar did not say. 0 is no binding any more."""
    q: float | None
    """Preference, 0 to 1."""


def read_bindings(contacts: Iterable[str], expires: str | None = None) -> tuple[Binding, ...]:
    """The bindings that live. `contacts` are the values of the Contact headers, each of one or several; `expires` is
    the value of the Expires header, which speaks for those that say nothing themselves.

    Raises PeerError for a value that is no list of contacts.
    """
    otherwise_s = None if expires is None else _seconds(expires)
    listed = (binding for value in contacts for binding in _in_one_header(value, otherwise_s))
    return tuple(binding for binding in listed if binding.expires_s != 0)


def _in_one_header(value: str, otherwise_s: int | None) -> Iterator[Binding]:
    at = 0
    while True:
        address = _ADDRESS.match(value, at)
        if address is None or not _SCHEME.match(uri := address[1] or address[2]):
            raise PeerError(f"no SIP contact: {value[at : at + 80]!r}")
        parameters, at = _parameters(value, address.end())
        yield _binding(uri, parameters, otherwise_s)
        follows = _NEXT.match(value, at)
        if follows is None:
            raise PeerError(f"after a SIP contact comes {value[at : at + 40]!r}")
        if not follows[1]:
            return
        at = follows.end()


def _parameters(value: str, at: int) -> tuple[dict[str, str], int]:
    """Those after the URI, the first of each name, and where they end."""
    found: dict[str, str] = {}
    while (parameter := _PARAMETER.match(value, at)) is not None:
        found.setdefault(parameter[1].lower(), parameter[2] or "")
        at = parameter.end()
    return found, at


def _binding(uri: str, parameters: dict[str, str], otherwise_s: int | None) -> Binding:
    expires = parameters.get("expires")
    q = parameters.get("q", "")
    return Binding(uri, otherwise_s if expires is None else _seconds(expires), float(q) if _Q.fullmatch(q) else None)


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        return EXPIRES_DEFAULT_S
    return min(int(text.lstrip("0")[:11] or "0"), _EXPIRES_MAX_S)
