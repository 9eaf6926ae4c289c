"""The configuration the lab writes is one the daemon takes, and it asks what the site has."""

from pathlib import Path

from edged.config import load
from lab import plan
from lab.daemon_config import toml_for


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
