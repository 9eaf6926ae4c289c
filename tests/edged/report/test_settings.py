import pytest
from pydantic import ValidationError

from edged.report.settings import BrokerSettings, MetricsSettings


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({}, "host"),
        ({"host": ""}, "host"),
        ({"host": "b", "port": 0}, "port"),
        ({"host": "b", "keepalive_s": 0}, "keepalive_s"),
        ({"host": "b", "in_flight": 1000}, "in_flight"),
        ({"host": "b", "puback_timeout_s": 0}, "puback_timeout_s"),
        ({"host": "b", "source_address": "here"}, "source_address"),
        ({"host": "b", "password_file": "/secret"}, "username"),
        ({"host": "b", "tls": {"key_file": "/key"}}, "cert_file"),
        ({"host": "b", "tls": {"insecure": True}}, "insecure"),
        ({"host": "b", "qos": 2}, "qos"),
    ],
)
def test_a_mistake_in_the_brokers_settings_is_named(wrong: dict[str, object], key: str) -> None:
    with pytest.raises(ValidationError, match=key):
        BrokerSettings.model_validate(wrong)


@pytest.mark.parametrize("address", ["0.0.0.0", "10.77.0.10", "::", "localhost"])
def test_metrics_are_never_served_beyond_this_box(address: str) -> None:
    with pytest.raises(ValidationError, match="address"):
        MetricsSettings.model_validate({"address": address})


def test_the_sixth_loopback_is_one_too() -> None:
    assert str(MetricsSettings.model_validate({"address": "::1"}).address) == "::1"
