"""How a site names its router, and the credentials to ask it. Secrets come from files, or inline in a lab; no repr
shows them.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from wan.credentials import AuthProtocol, Community, Credentials, PrivProtocol, User
from wan.errors import WanMisuse
from wan.profile import WanHint
from wan.profiles import PROFILES

Level = Literal["authPriv", "authNoPriv", "noAuthNoPriv"]

COMMUNITY_KEYS = ("community", "community_file")
AUTH_KEYS = ("auth_password", "auth_file")
PRIV_KEYS = ("priv_password", "priv_file")
WANTED = {
    "2c": (COMMUNITY_KEYS,),
    "authPriv": (AUTH_KEYS, PRIV_KEYS),
    "authNoPriv": (AUTH_KEYS,),
    "noAuthNoPriv": (),
}
MIN_PASSWORD = 8
"""RFC 3414 11.2; agents refuse shorter ones."""
MAX_SECRET_BYTES = 255


def _registered(profile: str) -> str:
    if profile not in PROFILES:
        raise ValueError(f"no such profile; there are {', '.join(sorted(PROFILES))}")
    return profile


WanId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,15}$")]


class WanSettings(BaseModel):
    """One WAN. Its key in the table is the router's own index ("0" on a Balance 20X); for `generic`, any name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    interface: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """ifName, ifAlias or ifDescr of the interface that counts this WAN's bytes."""
    if_index: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None

    @model_validator(mode="after")
    def _one_interface(self) -> Self:
        if self.interface is not None and self.if_index is not None:
            raise ValueError("give interface or if_index, not both")
        return self


class RouterSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=32)] = "router"
    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] = 161
    profile: Annotated[str, AfterValidator(_registered)] = "peplink"
    version: Literal["2c", "3"]

    community: SecretStr | None = None
    community_file: Path | None = None

    user: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    level: Level = "authPriv"
    auth: AuthProtocol = "SHA-256"
    auth_password: SecretStr | None = None
    auth_file: Path | None = None
    priv: PrivProtocol = "AES-128"
    priv_password: SecretStr | None = None
    priv_file: Path | None = None

    poll_s: Annotated[float, Field(ge=0.2, le=60)] = 1.0
    """One GET each. Silence is called after two polls without an answer."""
    slow_s: Annotated[float, Field(ge=5, le=3600)] = 60.0
    """What exists, names, signal: one small request a poll until the round is done, then a pause of this."""
    timeout_s: Annotated[float, Field(ge=0.05, le=10)] = 0.5
    """For each try."""
    retries: Annotated[int, Field(ge=0, le=5)] = 1

    wans: Annotated[dict[WanId, WanSettings], Field(max_length=16)] = {}
    """The WANs that matter, by the router's index. Empty: all the router has."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        mistakes = [*self._credential_mistakes(), *self._wan_mistakes()]
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    def hints(self) -> dict[str, WanHint]:
        return {wan: WanHint(hint.name, hint.interface, hint.if_index) for wan, hint in self.wans.items()}

    def credentials(self) -> Credentials:
        """Reads the secrets' files. Raises WanMisuse, naming the key and the file, never the secret."""
        if self.version == "2c":
            return Community(self._secret(*COMMUNITY_KEYS, at_least=1))
        return User(
            name=self.user or "",
            auth=None if self.level == "noAuthNoPriv" else self.auth,
            auth_password="" if self.level == "noAuthNoPriv" else self._secret(*AUTH_KEYS, at_least=MIN_PASSWORD),
            priv=self.priv if self.level == "authPriv" else None,
            priv_password=self._secret(*PRIV_KEYS, at_least=MIN_PASSWORD) if self.level == "authPriv" else "",
        )

    def _credential_mistakes(self) -> list[str]:
        kind, how = (
            ("2c", 'version "2c"') if self.version == "2c" else (self.level, f'version "3" with level {self.level}')
        )
        mistakes = [] if self.version == "2c" or self.user else ['version "3" needs user']
        for keys in (COMMUNITY_KEYS, AUTH_KEYS, PRIV_KEYS):
            given = [key for key in keys if getattr(self, key) is not None]
            if keys in WANTED[kind] and len(given) != 1:
                mistakes.append(f"{how} needs {' or '.join(keys)}" + (", not both" if given else ""))
            if keys not in WANTED[kind] and given:
                mistakes.append(f"{' and '.join(given)} has no use with {how}")
        return mistakes

    def _wan_mistakes(self) -> list[str]:
        if not PROFILES[self.profile].needs_interfaces:
            return []
        if not self.wans:
            return [f"profile {self.profile} needs wans: the router does not tell which interfaces are WANs"]
        bare = [wan for wan, hint in self.wans.items() if hint.interface is None and hint.if_index is None]
        return [f"profile {self.profile}: wans.{wan} needs interface or if_index" for wan in bare]

    def _secret(self, inline_key: str, file_key: str, *, at_least: int) -> str:
        inline, path = getattr(self, inline_key), getattr(self, file_key)
        where = f"{self.name}: {inline_key}" if path is None else f"{self.name}: {file_key} {path}"
        secret = inline.get_secret_value() if path is None else _read(path, where)
        if not at_least <= len(secret) <= MAX_SECRET_BYTES or not secret.isprintable():
            raise WanMisuse(f"{where}: a secret has {at_least} to {MAX_SECRET_BYTES} printable characters on one line")
        return str(secret)


def _read(path: Path, where: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_SECRET_BYTES + 2).decode().rstrip("\r\n")
    except OSError as error:
        raise WanMisuse(f"{where}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WanMisuse(f"{where}: not UTF-8") from error
