"""A reporter in a process of its own, to be killed. Arguments: state directory, broker's port, delay of the Will."""

import asyncio
import sys
from pathlib import Path

from tests.edged.record.scene import open_store, tier_event
from tests.edged.report.conftest import Running


async def main(directory: Path, port: int, will_delay_s: int) -> None:
    store = await open_store(directory)
    await store.append([tier_event()])
    Running(store).start(port, will_delay_s=will_delay_s)
    await asyncio.sleep(60)


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
