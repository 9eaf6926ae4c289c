"""The keys of the configuration: each mistake names the key it is about."""

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import ValidationError

from edged.control.command_settings import _WEAK_Y, CommandSettings, KeyUnusable
from edged.control.roles import Role
from edged.report.signed import Command, Key
from tests.edged.report.orders import pen

RAW = pen().secret.public_key().public_bytes_raw()
TEXT = base64.b64encode(RAW).decode()
SPKI = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def settings(**keys: dict[str, Any]) -> CommandSettings:
    usual = {"role": "operate", "allow": ["session_open"]}
    return CommandSettings.model_validate({"keys": {name: usual | key for name, key in keys.items()}})


def test_without_a_table_nobody_is_trusted() -> None:
    assert CommandSettings().trusted() == {}


def test_a_key_is_written_down_or_lies_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "noc.pem").write_bytes(pen().secret.public_key().public_bytes(*SPKI))
    key = Key("noc", RAW, Role.OPERATE, frozenset({Command.SESSION_OPEN}))
    assert settings(noc={"public_key": TEXT}).trusted() == {"noc": key}
    assert settings(noc={"public_key_file": tmp_path / "noc.pem"}).trusted() == {"noc": key}


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({}, r"keys\.noc\n.*either public_key or public_key_file"),
    ({"public_key": TEXT, "public_key_file": "/k"}, r"keys\.noc\n.*either public_key or public_key_file"),
    ({"public_key": "noc"}, r"keys\.noc\.public_key\n.*no base64"),
    ({"public_key": TEXT[:-4]}, r"keys\.noc\.public_key\n.*30 bytes"),
    ({"public_key": base64.b64encode(bytes(32)).decode()}, r"keys\.noc\.public_key\n.*anybody can sign"),
    ({"public_key": TEXT, "role": "root"}, r"keys\.noc\.role\n"),
    ({"public_key": TEXT, "allow": []}, r"keys\.noc\.allow\n"),
    ({"public_key": TEXT, "allow": ["acknowledge"]}, r"keys\.noc\.allow\.0\n.*session_open"),
    ({"public_key": TEXT, "allow": ["ramp"]}, r"keys\.noc\.allow\.0\n"),
    ({"public_key": TEXT, "until": "2027"}, r"keys\.noc\.until\n"),
]


@pytest.mark.parametrize(("key", "said"), IMPOSSIBLE)
def test_a_mistake_names_the_key(key: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(noc=key)


def test_a_name_is_a_code() -> None:
    with pytest.raises(ValidationError, match="pattern"):
        settings(**{"Jane Doe": {"public_key": TEXT}})


def test_a_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*SPKI)
    zeros = Ed25519PublicKey.from_public_bytes(bytes(32)).public_bytes(*SPKI)
    secret = pen().secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    held = {"a private key": secret, "no public key": b"hello", "not an Ed25519": other, "anybody can sign": zeros}
    for said, content in held.items():
        (file := tmp_path / "noc.pem").write_bytes(content)
        with pytest.raises(KeyUnusable, match=rf"commands\.keys\.noc\.public_key_file .*noc\.pem: {said}"):
            settings(noc={"public_key_file": file}).trusted()
    with pytest.raises(KeyUnusable, match=r"keys\.noc\.public_key_file .*No such file"):
        settings(noc={"public_key_file": tmp_path / "missing.pem"}).trusted()


def test_one_key_has_one_name() -> None:
    with pytest.raises(KeyUnusable, match=r"keys\.noc-2: the same key as noc-1"):
        settings(**{"noc-1": {"public_key": TEXT}, "noc-2": {"public_key": TEXT}}).trusted()


def test_the_weak_points_are_those_whose_order_divides_eight() -> None:
    """Three doublings lead to the neutral point, whose y is 1 (RFC 8032, 5.1.4, without x)."""
    prime = 2**255 - 19
    d = -121665 * pow(121666, -1, prime)

    def doubled(y: int) -> int:
        x_squared = (y * y - 1) * pow(d * y * y + 1, -1, prime)
        return (y * y + x_squared) * pow(1 - d * x_squared * y * y, -1, prime) % prime

    assert {doubled(doubled(doubled(y))) for y in _WEAK_Y} == {1}
    assert len(_WEAK_Y) == 5


def test_the_library_believes_anybody_about_a_weak_key() -> None:
    """Why they are refused."""
    neutral = (1).to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"open the door")
