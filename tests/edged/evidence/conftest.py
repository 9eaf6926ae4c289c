import asyncio
from pathlib import Path

import pytest

from edged.core.protocol import DEFAULT
from edged.evidence import packet as packets
from edged.evidence.packet import Packet
from edged.evidence.page import page
from edged.record.evidence_rows import ChainedRow
from tests.edged.evidence.ten_minutes import SESSION, all_rows, play


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with the made-up session in it."""
    directory = tmp_path_factory.mktemp("played")
    asyncio.run(play(directory))
    return directory


@pytest.fixture(scope="session")
def rows(played: Path) -> list[ChainedRow]:
    return all_rows(played)


@pytest.fixture(scope="session")
def content(rows: list[ChainedRow]) -> bytes:
    """The packet's file."""
    return packets.build(rows, SESSION, DEFAULT.content())


@pytest.fixture(scope="session")
def packet(content: bytes) -> Packet:
    return packets.read(content)


@pytest.fixture(scope="session")
def html(packet: Packet) -> bytes:
    return page(packet).encode()
