"""upsd's side of the NUT protocol, pure: a line in, lines out. Source: RFC 9271 and upsd 2.8.0.

Variables and commands are what the `Unit`s say; what is wrong with the server (`Ailment`) is set from outside.
"""

import shlex
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

VERSION = "Network UPS Tools upsd 2.8.0 - http://www.networkupstools.org/"
PROTOCOL_VERSION = "1.3"
ANSWER_TO_TLS = "OK STARTTLS"


class Ailment(StrEnum):
    """Why upsd has no data for a UPS."""

    NONE = "none"
    STALE = "DATA-STALE"
    DRIVER_LOST = "DRIVER-NOT-CONNECTED"


@dataclass(slots=True)
class Unit:
    """One UPS. `commands` maps an instant command to the variables it sets."""

    description: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    writable: frozenset[str] = frozenset()
    commands: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ailment: Ailment = Ailment.NONE
    received: list[tuple[str, str]] = field(default_factory=list)
    """Every command and its parameter, in order: what a test wants to know."""


@dataclass(slots=True)
class Server:
    """What all sessions share."""

    units: dict[str, Unit]
    users: dict[str, str] = field(default_factory=dict)
    """Name → password. Empty: whoever gives a name and a password is welcome."""
    tls: bool = False
    outcome: str = "SUCCESS"
    """What GET TRACKING says of a command: PENDING, SUCCESS, ERR FAILED, ERR INVALID-ARGUMENT, …"""
    tracked: set[str] = field(default_factory=set)
    logins: dict[str, int] = field(default_factory=dict)


class Refused(Exception):
    """Ends up as `ERR reason`; never leaves this module."""


@dataclass(slots=True)
class Session:
    """One client's connection."""

    server: Server
    username: str | None = None
    password: str | None = None
    logged_in: str | None = None
    tracking: bool = False
    ended: bool = False

    def answer(self, line: str) -> list[str]:
        """The reply to one line, without line ends. Never raises for what a peer sends."""
        try:
            words = list(_lexer(line))
        except ValueError:
            return ["ERR INVALID-ARGUMENT"]
        try:
            return self._dispatch([word for word in words if word]) if words else ["ERR UNKNOWN-COMMAND"]
        except Refused as refused:
            return [f"ERR {refused}"]

    def _dispatch(self, words: list[str]) -> list[str]:
        for size in (2, 1):
            verb = " ".join(words[:size]).upper()
            if verb in VERBS:
                handler, fewest, most = VERBS[verb]
                arguments = words[size:]
                if not fewest <= len(arguments) <= most:
                    raise Refused("INVALID-ARGUMENT")
                return handler(self, *arguments)
        raise Refused("UNKNOWN-COMMAND" if words[0].upper() not in ("GET", "LIST", "SET") else "INVALID-ARGUMENT")

    # ── who asks ──────────────────────────────────────────────────────────────────────────────────────
    def name(self, username: str) -> list[str]:
        if self.username is not None:
            raise Refused("ALREADY-SET-USERNAME")
        self.username = username
        return ["OK"]

    def word(self, password: str) -> list[str]:
        if self.password is not None:
            raise Refused("ALREADY-SET-PASSWORD")
        self.password = password
        return ["OK"]

    def login(self, ups: str) -> list[str]:
        if self.logged_in is not None:
            raise Refused("ALREADY-LOGGED-IN")
        self._unit(ups)
        self._authorised()
        self.logged_in = ups
        self.server.logins[ups] = self.server.logins.get(ups, 0) + 1
        return ["OK"]

    def leave(self) -> list[str]:
        if self.logged_in is not None:
            self.server.logins[self.logged_in] -= 1
            self.logged_in = None
        self.ended = True
        return ["OK Goodbye"]

    def tls(self) -> list[str]:
        if not self.server.tls:
            raise Refused("FEATURE-NOT-CONFIGURED")
        return [ANSWER_TO_TLS]

    # ── questions ─────────────────────────────────────────────────────────────────────────────────────
    def list_units(self) -> list[str]:
        return _listed("UPS", [f"UPS {name} {quoted(unit.description)}" for name, unit in self.server.units.items()])

    def list_variables(self, ups: str) -> list[str]:
        unit = self._healthy(ups)
        return _listed(
            f"VAR {ups}", [f"VAR {ups} {key} {quoted(value)}" for key, value in sorted(unit.variables.items())]
        )

    def list_writable(self, ups: str) -> list[str]:
        unit = self._healthy(ups)
        rows = [
            f"RW {ups} {key} {quoted(unit.variables[key])}" for key in sorted(unit.writable) if key in unit.variables
        ]
        return _listed(f"RW {ups}", rows)

    def list_commands(self, ups: str) -> list[str]:
        return _listed(f"CMD {ups}", [f"CMD {ups} {command}" for command in sorted(self._healthy(ups).commands)])

    def list_none(self, kind: str, ups: str, variable: str) -> list[str]:
        self._variable(ups, variable)
        return _listed(f"{kind} {ups} {variable}", [])

    def get_variable(self, ups: str, variable: str) -> list[str]:
        return [f"VAR {ups} {variable} {quoted(self._variable(ups, variable))}"]

    def get_type(self, ups: str, variable: str) -> list[str]:
        self._variable(ups, variable)
        kind = "RW STRING:64" if variable in self._unit(ups).writable else "NUMBER"
        return [f"TYPE {ups} {variable} {kind}"]

    def get_description(self, ups: str, variable: str) -> list[str]:
        self._unit(ups)
        return [f'DESC {ups} {variable} "Description unavailable"']

    def get_command_description(self, ups: str, command: str) -> list[str]:
        self._unit(ups)
        return [f'CMDDESC {ups} {command} "Description unavailable"']

    def get_unit_description(self, ups: str) -> list[str]:
        return [f"UPSDESC {ups} {quoted(self._unit(ups).description)}"]

    def get_logins(self, ups: str) -> list[str]:
        self._unit(ups)
        return [f"NUMLOGINS {ups} {self.server.logins.get(ups, 0)}"]

    def get_tracking(self, identifier: str | None = None) -> list[str]:
        if identifier is None:
            return ["ON" if self.tracking else "OFF"]
        return [self.server.outcome if identifier in self.server.tracked else "ERR UNKNOWN"]

    # ── orders ────────────────────────────────────────────────────────────────────────────────────────
    def set_variable(self, ups: str, variable: str, value: str) -> list[str]:
        self._authorised()
        self._variable(ups, variable)
        unit = self._unit(ups)
        if variable not in unit.writable:
            raise Refused("READONLY")
        unit.variables[variable] = value
        return [self._queued()]

    def set_tracking(self, switch: str) -> list[str]:
        if switch.upper() not in ("ON", "OFF"):
            raise Refused("INVALID-ARGUMENT")
        self.tracking = switch.upper() == "ON"
        return ["OK"]

    def command(self, ups: str, command: str, parameter: str = "") -> list[str]:
        self._authorised()
        unit = self._healthy(ups)
        if command not in unit.commands:
            raise Refused("CMD-NOT-SUPPORTED")
        unit.received.append((command, parameter))
        unit.variables.update(unit.commands[command])
        return [self._queued()]

    # ── shared ────────────────────────────────────────────────────────────────────────────────────────
    def _authorised(self) -> None:
        if self.username is None:
            raise Refused("USERNAME-REQUIRED")
        if self.password is None:
            raise Refused("PASSWORD-REQUIRED")
        if self.server.users and self.server.users.get(self.username) != self.password:
            raise Refused("ACCESS-DENIED")

    def _unit(self, ups: str) -> Unit:
        if ups not in self.server.units:
            raise Refused("UNKNOWN-UPS")
        return self.server.units[ups]

    def _healthy(self, ups: str) -> Unit:
        unit = self._unit(ups)
        if unit.ailment is not Ailment.NONE:
            raise Refused(unit.ailment.value)
        return unit

    def _variable(self, ups: str, variable: str) -> str:
        unit = self._healthy(ups)
        if variable not in unit.variables:
            raise Refused("VAR-NOT-SUPPORTED")
        return unit.variables[variable]

    def _queued(self) -> str:
        if not self.tracking:
            return "OK"
        identifier = str(uuid.uuid4())
        self.server.tracked.add(identifier)
        return f"OK TRACKING {identifier}"


def quoted(value: str) -> str:
    """A value as it stands on the wire: in quotes, with quote and backslash escaped."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _lexer(line: str) -> shlex.shlex:
    """NUT's words: only the double quote quotes, only the backslash escapes."""
    lexer = shlex.shlex(line, posix=True)
    lexer.quotes = '"'
    lexer.commenters = ""
    lexer.whitespace_split = True
    return lexer


def _listed(what: str, rows: list[str]) -> list[str]:
    return [f"BEGIN LIST {what}", *rows, f"END LIST {what}"]


Handler = Callable[..., list[str]]

VERBS: Mapping[str, tuple[Handler, int, int]] = {  # verb → handler, fewest and most arguments
    "VER": (lambda session: [VERSION], 0, 0),
    "NETVER": (lambda session: [PROTOCOL_VERSION], 0, 0),
    "PROTVER": (lambda session: [PROTOCOL_VERSION], 0, 0),
    "HELP": (lambda session: ["Commands: HELP VER GET LIST SET INSTCMD LOGIN LOGOUT USERNAME PASSWORD STARTTLS"], 0, 0),
    "USERNAME": (Session.name, 1, 1),
    "PASSWORD": (Session.word, 1, 1),
    "LOGIN": (Session.login, 1, 1),
    "LOGOUT": (Session.leave, 0, 0),
    "STARTTLS": (Session.tls, 0, 0),
    "LIST UPS": (Session.list_units, 0, 0),
    "LIST VAR": (Session.list_variables, 1, 1),
    "LIST RW": (Session.list_writable, 1, 1),
    "LIST CMD": (Session.list_commands, 1, 1),
    "LIST ENUM": (lambda session, *words: session.list_none("ENUM", *words), 2, 2),
    "LIST RANGE": (lambda session, *words: session.list_none("RANGE", *words), 2, 2),
    "GET VAR": (Session.get_variable, 2, 2),
    "GET TYPE": (Session.get_type, 2, 2),
    "GET DESC": (Session.get_description, 2, 2),
    "GET CMDDESC": (Session.get_command_description, 2, 2),
    "GET UPSDESC": (Session.get_unit_description, 1, 1),
    "GET NUMLOGINS": (Session.get_logins, 1, 1),
    "GET TRACKING": (Session.get_tracking, 0, 1),
    "SET VAR": (Session.set_variable, 3, 3),
    "SET TRACKING": (Session.set_tracking, 1, 1),
    "INSTCMD": (Session.command, 2, 3),
}
