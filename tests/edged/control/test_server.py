"""The real socket: replies, refusals, garbage, and callers who misbehave."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edged.control.protocol import MAX_LINE, Refusal, Request, decode_reply, encode_request
from edged.control.roles import Caller
from edged.control.server import AlreadyRunning, ControlSettings, serve


class Echo:
    def __init__(self) -> None:
        self.refusals: list[str] = []

    async def answer(self, request: Request, caller: Caller) -> Any:
        if request.do == "reload":
            raise Refusal("bad_config", "edged.toml: links: missing")
        return {"did": request.do, "by": caller.uid}

    def refused(self, request: Request, caller: Caller) -> None:
        self.refusals.append(request.do)

    async def watch(self, request: Request) -> AsyncGenerator[Any, None]:
        for number in range(3):
            yield number


async def answers(path: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def serving(path: Path, daemon: Echo) -> AsyncIterator[Path]:
    task = asyncio.create_task(serve(ControlSettings(socket=path), daemon))
    while not await answers(path):
        await asyncio.sleep(0.01)
    try:
        yield path
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not path.exists()


async def ask(path: Path, *lines: bytes) -> list[bytes]:
    reader, writer = await asyncio.open_unix_connection(path, limit=2 * MAX_LINE)
    replies = []
    for line in lines:
        writer.write(line)
        replies.append(await asyncio.wait_for(reader.readline(), 5))
    writer.close()
    return replies


async def test_each_request_has_its_reply_and_a_refusal_ends_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path / "c.sock", Echo()) as path:
        status, refused, garbage, again = await ask(
            path, encode_request("status", {}), encode_request("reload", {}), b"garbage\n", encode_request("status", {})
        )
    assert decode_reply(status)["did"] == "status"
    for reply, names in ((refused, "missing"), (garbage, "line")):
        with pytest.raises(Refusal, match=names):
            decode_reply(reply)
    assert decode_reply(again)["did"] == "status"


async def test_an_unknown_request_is_answered_with_what_there_is(tmp_path: Path) -> None:
    async with serving(tmp_path / "c.sock", Echo()) as path:
        (reply,) = await ask(path, encode_request("dance", {}))
    with pytest.raises(Refusal, match="status"):
        decode_reply(reply)


async def test_a_line_without_end_is_refused_and_hung_up_on(tmp_path: Path) -> None:
    async with serving(tmp_path / "c.sock", Echo()) as path:
        (reply,) = await ask(path, b"x" * (MAX_LINE + 10))
    with pytest.raises(Refusal, match="longer than"):
        decode_reply(reply)


async def test_watch_tells_until_there_is_no_more(tmp_path: Path) -> None:
    async with serving(tmp_path / "c.sock", Echo()) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(encode_request("watch", {}))
        told = [decode_reply(await reader.readline()) for _ in range(3)]
        assert await reader.readline() == b""
        writer.close()
    assert told == [0, 1, 2]


async def test_a_second_daemon_refuses_to_start(tmp_path: Path) -> None:
    async with serving(tmp_path / "c.sock", Echo()) as path:
        with pytest.raises(AlreadyRunning):
            await serve(ControlSettings(socket=path), Echo())
        assert path.exists()


async def test_a_socket_left_by_a_dead_daemon_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    path.touch()
    path.unlink()
    server = await asyncio.start_unix_server(lambda r, w: None, path)
    server.close()
    await server.wait_closed()
    async with serving(path, Echo()):
        (reply,) = await ask(path, encode_request("status", {}))
    assert decode_reply(reply)["did"] == "status"
