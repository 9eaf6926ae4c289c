import pytest

from edged.core.events import Channel
from edged.record.envelope import Origin
from edged.report.errors import ReportMisused
from edged.report.topics import Topics

TOPICS = Topics(Origin("clinic", "room-1"))


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (TOPICS.state, "edge/v1/clinic/room-1/state"),
        (TOPICS.acknowledgement, "edge/v1/clinic/room-1/ack"),
        (TOPICS.request, "edge/v1/clinic/room-1/cmd/req"),
        (TOPICS.answer, "edge/v1/clinic/room-1/cmd/res"),
        (TOPICS.noc, "edge/v1/clinic/noc/state"),
        (TOPICS.event(Channel.TIER, 3), "edge/v1/clinic/room-1/evt/t3"),
        (TOPICS.event(Channel.LOG, 3), "edge/v1/clinic/room-1/evt/log"),
        (TOPICS.snapshot("link"), "edge/v1/clinic/room-1/snap/link"),
        (TOPICS.telemetry("link"), "edge/v1/clinic/room-1/tel/link"),
    ],
)
def test_every_topic_has_its_place(topic: str, expected: str) -> None:
    assert topic == expected


@pytest.mark.parametrize("name", ["", "a.b", "a/b", "+", "#", "A", "a b", "a" * 65])
def test_what_is_not_one_level_is_misuse(name: str) -> None:
    with pytest.raises(ReportMisused):
        TOPICS.telemetry(name)
