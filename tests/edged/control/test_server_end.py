"""When the daemon's life ends, so do its conversations: nobody goes on hearing from a dead one."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from edged.control.protocol import Request, decode_reply, encode_request
from edged.control.roles import Caller
from edged.control.server import ControlSettings, serve


class Endless:
    async def answer(self, request: Request, caller: Caller) -> Any:
        return {}

    def refused(self, request: Request, caller: Caller) -> None:
        raise AssertionError(request)

    async def watch(self, request: Request) -> AsyncGenerator[Any, None]:
        while True:
            yield "alive"
            await asyncio.sleep(0.01)


async def connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_unix_connection(path)
        except FileNotFoundError:
            await asyncio.sleep(0.01)


async def test_callers_watching_or_silent_are_hung_up_on_and_hold_nothing_up(tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    async with asyncio.timeout(10):
        task = asyncio.create_task(serve(ControlSettings(socket=path), Endless()))
        watching, watcher = await connect(path)
        silent, other = await connect(path)
        watcher.write(encode_request("watch", {}))
        assert decode_reply(await watching.readline()) == "alive"

        task.cancel()
        await asyncio.wait([task], timeout=1)

        assert task.cancelled()
        assert not path.exists()
        await watching.read()  # to the end of it
        assert await silent.read() == b""
        for writer in (watcher, other):
            writer.close()
