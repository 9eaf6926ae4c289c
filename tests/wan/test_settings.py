from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from wan.credentials import Community, User
from wan.errors import WanMisuse
from wan.profile import WanHint
from wan.settings import RouterSettings

V2C = {"host": "10.77.0.1", "version": "2c", "community": "edged-lab"}
V3 = {
    "host": "10.77.0.1",
    "version": "3",
    "user": "edged",
    "auth_password": "edged-auth",
    "priv_password": "edged-priv",
}


def settings(**changes: Any) -> RouterSettings:
    return RouterSettings.model_validate({key: value for key, value in changes.items() if value is not None})


def test_the_shortest_settings_are_a_host_a_version_and_its_secret() -> None:
    router = settings(**V2C)
    assert (router.name, router.port, router.profile, router.poll_s, router.wans) == ("router", 161, "peplink", 1.0, {})
    assert router.credentials() == Community("edged-lab")


def test_v3_encrypts_unless_told_otherwise() -> None:
    assert settings(**V3).credentials() == User("edged", "SHA-256", "edged-auth", "AES-128", "edged-priv")
    weaker = settings(**V3 | {"level": "authNoPriv", "auth": "SHA-1", "priv_password": None})
    assert weaker.credentials() == User("edged", "SHA-1", "edged-auth", None, "")
    weakest = settings(**V3 | {"level": "noAuthNoPriv", "auth_password": None, "priv_password": None})
    assert weakest.credentials() == User("edged", None, "", None, "")


def test_secrets_come_from_files_without_their_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "auth").write_text("edged-auth\n")
    (tmp_path / "priv").write_text("edged-priv\r\n")
    files = {"auth_file": tmp_path / "auth", "priv_file": tmp_path / "priv"}
    router = settings(**V3 | files | {"auth_password": None, "priv_password": None})
    assert router.credentials() == settings(**V3).credentials()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file"),
        (b"", "8 to 255"),
        (b"short\n", "8 to 255"),
        (b"x" * 300, "8 to 255"),
        (b"two lines\nof it\n", "on one line"),
        (b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe", "not UTF-8"),
    ],
)
def test_an_unusable_secret_is_named_by_router_key_and_file(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "auth"
    if content is not None:
        path.write_bytes(content)
    router = settings(**V3 | {"name": "edge-router", "auth_password": None, "auth_file": path})
    with pytest.raises(WanMisuse, match=why) as caught:
        router.credentials()
    assert f"edge-router: auth_file {path}" in str(caught.value)


def test_a_short_inline_password_is_refused_without_being_shown() -> None:
    with pytest.raises(WanMisuse, match="priv_password: a secret has 8") as caught:
        settings(**V3 | {"priv_password": "pst"}).credentials()
    assert "pst" not in str(caught.value)


def test_no_repr_shows_a_secret() -> None:
    shown = repr(settings(**V3)) + repr(settings(**V2C)) + settings(**V3).model_dump_json()
    assert not any(secret in shown for secret in ("edged-auth", "edged-priv", "edged-lab"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param(V2C | {"community": None}, "needs community or community_file", id="no community"),
        pytest.param(V2C | {"community_file": "/c"}, "not both", id="two communities"),
        pytest.param(
            V2C | {"priv_password": "x" * 8}, 'priv_password has no use with version "2c"', id="v2c with a key"
        ),
        pytest.param(V3 | {"community": "c"}, 'community has no use with version "3"', id="v3 with a community"),
        pytest.param(V3 | {"user": None}, "needs user", id="no user"),
        pytest.param(V3 | {"auth_password": None}, "needs auth_password or auth_file", id="no auth"),
        pytest.param(V3 | {"level": "authNoPriv"}, "priv_password has no use", id="a key that encrypts nothing"),
        pytest.param(V3 | {"auth": "MD5"}, "SHA-256", id="MD5"),
        pytest.param(V3 | {"priv": "DES"}, "AES-128", id="DES"),
        pytest.param(V2C | {"version": "1"}, "2c", id="version 1"),
        pytest.param(V2C | {"profile": "pepsi"}, "there are generic, peplink", id="unknown profile"),
        pytest.param(V2C | {"profile": "generic"}, "needs wans", id="generic without WANs"),
        pytest.param(
            V2C | {"profile": "generic", "wans": {"fiber": {}}}, "wans.fiber needs interface", id="a bare WAN"
        ),
        pytest.param(V2C | {"wans": {"0": {"interface": "a", "if_index": 1}}}, "not both", id="two interfaces"),
        pytest.param(V2C | {"poll_s": 0}, "poll_s", id="no pace"),
        pytest.param(V2C | {"hots": "x"}, "hots", id="a typo"),
    ],
)
def test_each_mistake_is_named(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        settings(**changes)


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        settings(host="r", version="3", community="c", profile="generic")
    assert all(
        word in str(caught.value) for word in ("user", "auth_file", "priv_file", "community has no use", "needs wans")
    )


def test_hints_are_what_was_said_of_each_wan() -> None:
    router = settings(**V2C | {"wans": {"0": {"name": "fiber", "interface": "wan0"}, "1": {"if_index": 4}}})
    assert router.hints() == {"0": WanHint("fiber", "wan0", None), "1": WanHint(None, None, 4)}
