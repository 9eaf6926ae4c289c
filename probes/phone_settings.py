"""What must be known to ask the direct phone line whether it is there."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, FilePath, SecretStr, model_validator

# What RFC 3261 section 25.1 allows unescaped, less what needs quoting: nothing in here can break out of a header.
_USER = re.compile(r"[A-Za-z0-9._~!*'()&=+$,/%-]{1,64}")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_LINE = re.compile(rf"(?:sip:)?({_USER.pattern})@({_DOMAIN.pattern}|\[[0-9A-Fa-f:.]{{2,45}}\])(?::([0-9]{{1,5}}))?")
_LOGIN = re.compile(r"""[^\x00-\x1f\x7f"\\]{1,64}""")


def _address(value: Any) -> Any:
    """An address, not a name: the line must be provable while DNS is what fails."""
    if isinstance(value, IPv4Address | IPv6Address):
        return value
    try:
        return ip_address(str(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is no IP address (names are not resolved here)") from error


def _user(value: str) -> str:
    if not _USER.fullmatch(value):
        raise ValueError(f"{value!r} is no user part of a SIP address")
    return value


def _domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise ValueError(f"{value!r} is no domain of a SIP address")
    return value


def _line(value: str) -> str:
    found = _LINE.fullmatch(value)
    if found is None or not (found[3] is None or 0 < int(found[3]) < 65536):
        raise ValueError(f"{value!r} is no SIP address of record, such as sip:17@pbx.example.org")
    return value if value.startswith("sip:") else f"sip:{value}"


def _login(value: str) -> str:
    if not _LOGIN.fullmatch(value):
        raise ValueError(f"{value!r} cannot be quoted as a user of digest authentication")
    return value


Address = Annotated[IPv4Address | IPv6Address, BeforeValidator(_address)]
User = Annotated[str, AfterValidator(_user)]
Domain = Annotated[str, AfterValidator(_domain)]
FinalCode = Annotated[int, Field(ge=300, le=699)]
Port = Annotated[int, Field(ge=1, le=65535)]
Transport = Literal["udp", "tcp"]


class RegistrarSettings(BaseModel):
    """The registrar of the line, asked whether the line is registered. Asking changes nothing there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Address
    port: Port = 5060
    transport: Transport = "udp"
    aor: Annotated[str, AfterValidator(_line)]
    """The line's address of record: what the radiologist dials, as the registrar knows it."""
    user: Annotated[str, AfterValidator(_login)] | None = None
    """For digest authentication; none: the user of the address of record."""
    password: SecretStr | None = None
    password_file: FilePath | None = None
    """Its content without white space around it. Read before each question: a new password needs no restart."""
    interval_s: Annotated[float, Field(ge=1, le=600)] = 15.0

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError("it needs either password or password_file")
        return self

    @property
    def login(self) -> str:
        """The user of digest authentication."""
        return self.user or self.aor.removeprefix("sip:").partition("@")[0]

    @property
    def uri(self) -> str:
        """The URI of the registrar's domain, to which a REGISTER goes (RFC 3261 section 10.2)."""
        return "sip:" + self.aor.partition("@")[2]


class PhoneSettings(BaseModel):
    """The SIP endpoint of the room's direct line: an adapter (ATA), a desk phone, or the PBX it hangs on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Address
    port: Port = 5060
    transport: Transport = "udp"
    source: Address | None = None
    """Local address to ask from; none: the kernel chooses."""
    user: User | None = None
    """The line's own number or name; none: the device itself is asked."""
    domain: Domain | None = None
    """The SIP domain of the line, if it is not the host's address."""
    caller: User = "edged"
    """Who we say is asking."""
    interval_s: Annotated[float, Field(ge=1, le=300)] = 5.0
    suspect_interval_s: Annotated[float, Field(ge=0.2, le=60)] = 1.0
    """Pace after a first failure, until the line answers or counts as dead."""
    timeout_s: Annotated[float, Field(ge=0.1, le=32)] = 2.0
    """For one probe with all its retransmissions; 32 s is a SIP transaction's own end (timer F)."""
    fails_to_dead: Annotated[int, Field(ge=1, le=20)] = 2
    also_alive: Annotated[tuple[FinalCode, ...], Field(max_length=32)] = ()
    """Final codes this very endpoint gives while healthy, beyond those every endpoint may (`probes.phone.ALIVE`)."""
    registrar: RegistrarSettings | None = None
    """None: whether the line is registered is not asked. It is asked with our `source` and `timeout_s`."""

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        if self.source is not None and self.source.version != self.host.version:
            raise ValueError(f"source {self.source} and host {self.host} are of different IP versions")
        if (
            self.source is not None
            and self.registrar is not None
            and self.source.version != self.registrar.host.version
        ):
            raise ValueError(f"source {self.source} and registrar {self.registrar.host} are of different IP versions")
        return self

    @property
    def uri(self) -> str:
        """The SIP URI that is asked."""
        user = f"{self.user}@" if self.user else ""
        where = self.domain or at(str(self.host), self.port)
        return f"sip:{user}{where}" + (";transport=tcp" if self.transport == "tcp" else "")


def at(host: str, port: int) -> str:
    """host:port as SIP writes it, IPv6 in brackets (RFC 3261 section 19.1.1), without its zone: that is our own."""
    host = host.partition("%")[0]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
