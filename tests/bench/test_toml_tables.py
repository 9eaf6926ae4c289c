import tomllib
from pathlib import Path

from bench.toml_tables import without
from lab.daemon_config import toml_for


def test_the_sites_configuration_loses_its_qos_and_nothing_else() -> None:
    text = toml_for(Path("/tmp/site"))
    whole = tomllib.loads(text)
    assert "qos" in whole
    assert tomllib.loads(without(text, "qos")) == {key: table for key, table in whole.items() if key != "qos"}


def test_tables_whose_names_only_begin_alike_stay() -> None:
    text = "[qos]\na = 1\n[[qos.p1.ports]]\nb = 2\n[qosmos]\nc = 3\n"
    assert without(text, "qos") == "[qosmos]\nc = 3\n"
