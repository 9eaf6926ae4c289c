"""The configuration the lab writes is one the daemon takes, and it asks what the site has."""

from pathlib import Path
from typing import get_args

import pytest

from edged.config import load
from lab import plan
from lab.daemon_config import toml_for
from lab.service import Media
from probes.media_settings import MediaSettings


def targets(directory: Path) -> dict[str, list[str]]:
    config = directory / "edged.toml"
    config.write_text(toml_for(directory))
    return {name: [target.label for target in link.targets] for name, link in load(config).config.links.items()}


def test_each_link_has_three_fast_voters_of_different_hosts_and_the_platforms_door(tmp_path: Path) -> None:
    (tmp_path / plan.CA_FILE).write_text("a certificate\n")
    voters = ["icmp 198.51.100.40", "icmp 198.51.100.30", "stamp 198.51.100.20"]
    assert targets(tmp_path) == {link: [*voters, "tls 198.51.100.30"] for link in plan.LINKS}


def test_without_an_authority_the_door_is_only_knocked_at(tmp_path: Path) -> None:
    assert {labels[-1] for labels in targets(tmp_path).values()} == {"tcp 198.51.100.30 port 443"}


def media(directory: Path, kind: Media) -> MediaSettings:
    config = directory / "edged.toml"
    config.write_text(toml_for(directory, kind))
    settings = load(config).config.media
    assert settings is not None
    return settings


def test_of_plain_media_ports_are_told_and_of_webrtc_nothing_but_where_both_ends_are(tmp_path: Path) -> None:
    plain, webrtc = media(tmp_path, "rtp"), media(tmp_path, "webrtc")
    assert [medium.is_hinted for _, medium in plain.media] == [True, True]
    assert [medium.is_hinted for _, medium in webrtc.media] == [False, False]
    assert webrtc.platform_networks == plain.platform_networks
    assert webrtc.platform_ports == ()


@pytest.mark.parametrize("kind", get_args(Media))
def test_the_session_is_first_class_whatever_its_ports(tmp_path: Path, kind: Media) -> None:
    config = tmp_path / "edged.toml"
    config.write_text(toml_for(tmp_path, kind))
    qos = load(config).config.qos
    assert qos is not None
    first = qos.p1.ports[0]
    assert (str(first.host), first.protocol) == (f"{plan.PLATFORM}/32", "udp")


def test_c3_the_mobile_workstation_is_listened_for_once_its_key_is_there_and_is_of_another_carrier(
    tmp_path: Path,
) -> None:
    config = tmp_path / "edged.toml"
    config.write_text(toml_for(tmp_path))
    assert load(config).config.mobile is None
    (tmp_path / plan.MOBILE_KEY_FILE).write_text("0123456789abcdef\n")
    config.write_text(toml_for(tmp_path))
    site = load(config).config
    assert site.mobile is not None
    assert str(site.mobile.address) == plan.BOX_FOR_MOBILE
    assert (site.links["fiber"].mcc_mnc, site.links["cellular"].mcc_mnc) == (None, "001-01")


def test_c1_the_line_is_asked_for_at_its_registrar(tmp_path: Path) -> None:
    config = tmp_path / "edged.toml"
    config.write_text(toml_for(tmp_path))
    phone = load(config).config.phone
    assert phone is not None
    assert phone.registrar is not None
    assert (phone.registrar.host, phone.registrar.aor) == (phone.host, "sip:direct@lab.test")
