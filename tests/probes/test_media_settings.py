import json
from typing import Any

import pytest
from pydantic import ValidationError

from probes.media_settings import MediaSettings
from probes.packets.bpf import PortRange
from probes.reading import Medium

GOOD: dict[str, Any] = {
    "interface": "lan0",
    "room_networks": ["10.77.0.0/24", "fd77::/64"],
    "platform_networks": ["198.51.100.30/32"],
    "audio": {"ports": [5004], "payload_types": [111]},
    "video": {"ports": ["5006", "8801-8810"], "payload_types": [96]},
}


def test_ports_are_numbers_or_ranges_and_survive_a_round_trip() -> None:
    settings = MediaSettings.model_validate(GOOD)
    assert settings.filter_ports() == (PortRange(5004, 5005), PortRange(5006, 5007), PortRange(8801, 8811))
    assert MediaSettings.model_validate(json.loads(settings.model_dump_json())) == settings


@pytest.mark.parametrize(
    ("port", "payload_type", "medium"),
    [
        (5004, 111, Medium.AUDIO),
        (5006, 96, Medium.VIDEO),
        (8805, 96, Medium.VIDEO),
        (5004, 96, None),
        (5006, 111, None),
        (5005, 111, None),
    ],
)
def test_a_packet_is_of_the_medium_that_claims_its_port_and_payload_type(
    port: int, payload_type: int, medium: Medium | None
) -> None:
    assert MediaSettings.model_validate(GOOD).medium_of(port, payload_type) is medium


def test_one_port_for_everything_is_told_apart_by_payload_type() -> None:
    bundled = GOOD | {
        "platform_ports": ["3478-3481"],
        "audio": {"payload_types": [111]},
        "video": {"payload_types": [96, 97]},
    }
    settings = MediaSettings.model_validate(bundled)
    assert settings.filter_ports() == (PortRange(3478, 3482),)
    assert [settings.medium_of(3480, pt) for pt in (111, 97, 13)] == [Medium.AUDIO, Medium.VIDEO, None]


@pytest.mark.parametrize(
    ("change", "looked_at"),
    [
        pytest.param({"audio": {}, "video": {}}, (), id="no hint: everything"),
        pytest.param({"audio": {"payload_types": [111]}}, (), id="one medium may come by any port"),
        pytest.param(
            {"platform_ports": [5000], "audio": {}, "video": {}}, (PortRange(5000, 5001),), id="the platform's"
        ),
        pytest.param(
            {"platform_ports": [65535], "audio": {}, "video": {}}, (PortRange(65535, 65535),), id="the last there is"
        ),
    ],
)
def test_ports_are_all_named_or_all_looked_at(change: dict[str, Any], looked_at: tuple[PortRange, ...]) -> None:
    assert MediaSettings.model_validate(GOOD | change).filter_ports() == looked_at


def test_what_no_hint_tells_is_left_to_its_clock() -> None:
    settings = MediaSettings.model_validate({"interface": "lan0", "audio": {"payload_types": [111]}})
    assert [settings.medium_of(3480, pt) for pt in (111, 96)] == [Medium.AUDIO, None]
    assert settings.room_networks == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"audio": {"payload_types": [96]}}, "claim the same packets"),
        ({"platform_ports": [5000], "audio": {"payload_types": [1]}, "video": {"ports": [5000]}}, "claim the same"),
        ({"audio": {"ports": ["5000-5010"]}}, "claim the same packets"),
        ({"audio": {"ports": [5006], "payload_types": [96, 111]}}, "claim the same packets"),
        ({"audio": {"ports": [0]}}, "ports go from 1 to 65535"),
        ({"audio": {"ports": ["5010-5004"]}}, "ports go from 1 to 65535"),
        ({"audio": {"ports": ["5004-"]}}, "neither a port"),
        ({"audio": {"ports": [True]}}, "neither a port"),
        ({"audio": {"ports": [5004], "payload_types": [128]}}, "less than or equal to 127"),
        ({"audio": {"ports": list(range(5100, 5117))}}, "at most 16"),
        ({"audio": {"ports": [5004], "silence_s": 30}, "forget_s": 20}, "shorter than forget_s"),
        ({"platform_networks": ["10.0.0.1/33"]}, "is no network"),
        ({"room_networks": ["10.77.0.10/24"]}, "host bits set"),
        ({"interface": "eth0/../x"}, "pattern"),
        ({"interfaces": "lan0"}, "Extra inputs"),
    ],
)
def test_a_mistake_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        MediaSettings.model_validate(GOOD | change)
