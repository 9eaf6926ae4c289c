import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

KIT = Path(__file__).parents[2] / "config" / "noc"
sys.path.insert(0, str(KIT))  # where a NOC has it: beside consumer.py

from tests.edged.report.broker import Mosquitto  # noqa: E402
from tests.noc.consumers import Consuming  # noqa: E402


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path, "allow_anonymous true", "max_queued_messages 100000").start()
    yield mosquitto
    mosquitto.kill()


@pytest.fixture
async def consuming(tmp_path: Path, broker: Mosquitto) -> AsyncIterator[Consuming]:
    consuming = Consuming(tmp_path / "noc.db", broker.port)
    yield consuming
    await consuming.kill()
