from pathlib import Path

import pytest
from pydantic import ValidationError

from probes.capacity.settings import CapacitySettings, read_key
from probes.errors import MisuseError


def test_an_address_and_a_key_are_enough() -> None:
    settings = CapacitySettings.model_validate({"address": "2001:db8::1", "key_file": "/etc/edged/capacity.key"})
    assert (settings.port, settings.mtu_bytes, settings.train_every_s) == (8620, 1500, 21600)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("address", "noc.example"),
        ("port", 0),
        ("mtu_bytes", 100),
        ("train_bytes_max", 10),
        ("ramp_bytes_max", 10**12),
        ("ramp_seconds_max", 60),
        ("max_mbit", 0),
        ("speed", 1),
    ],
)
def test_what_cannot_be_is_named(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        CapacitySettings.model_validate({"address": "192.0.2.1", "key_file": "/key", key: value})


def test_a_key_is_read_without_the_line_it_stands_on(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"0123456789abcdef\n")
    assert read_key(tmp_path / "key") == b"0123456789abcdef"


def test_a_key_that_is_missing_or_short_is_a_mistake_of_ours(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"0123456789abcde \n")
    with pytest.raises(MisuseError, match="15 bytes"):
        read_key(tmp_path / "short")
    with pytest.raises(MisuseError, match="No such file"):
        read_key(tmp_path / "missing")
