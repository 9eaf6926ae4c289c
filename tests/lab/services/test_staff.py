"""The staff PC's upload and the sink that counts it."""

import asyncio
import json
import struct
import sys

import pytest

from lab.services.upload import Tally, rate_bps
from tests.lab.services.conftest import Stage, free_port


def test_a_report_is_a_rate() -> None:
    tally = Tally()
    for second in range(3):
        tally.add(1_000, 5_000_000_000 + second * 1_000_000_000)
    assert rate_bps(tally.report()) == 12_000


def test_nothing_came_is_no_rate_and_garbage_is_an_error() -> None:
    assert rate_bps(Tally().report()) == 0
    with pytest.raises(struct.error):
        rate_bps(b"short")


async def upload(*args: str) -> tuple[int | None, dict[str, float]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lab.services.staff", *args, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    figures: dict[str, float] = json.loads(output)
    return process.returncode, figures


async def test_both_ways_of_uploading_are_counted_where_they_arrive(stage: Stage) -> None:
    where = f"127.0.0.1:{free_port()}"
    async with stage.running("sink", "--listen", where):
        status, figures = await upload("--to", where, "--seconds", "0.5", "--rate", "8e6")
    assert status == 0
    assert figures["tcp_bps"] > 50e6
    assert figures["udp_sent_bps"] == pytest.approx(8e6, rel=0.1)
    assert figures["udp_bps"] == pytest.approx(8e6, rel=0.3)


async def test_an_upload_to_nobody_says_so_and_fails() -> None:
    status, figures = await upload("--to", f"127.0.0.1:{free_port()}", "--seconds", "0.2", "--protocol", "tcp")
    assert status == 1
    assert "tcp" in figures["errors"]  # type: ignore[operator]
