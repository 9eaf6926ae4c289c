"""The lab's control socket DIR/lab.sock: one line of JSON in, one out, per command.

{"do": ["lag", "fiber", "200ms"]}  →  {"ok": true, "said": "fiber: …", "data": null}
                                   →  {"ok": false, "said": "what was wrong", "misuse": true}
"""

import asyncio
import json
from pathlib import Path
from typing import Any

from lab.command import Site
from lab.commands import obey
from lab.errors import LabError, LabMisuse

LONGEST_LINE = 65536


class CommandSocket:
    """Serves for the length of an `async with`; the directory's mode (0700) says who may connect."""

    def __init__(self, path: Path, site: Site) -> None:
        self._path = path
        self._site = site
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "CommandSocket":
        self._server = await asyncio.start_unix_server(self._accept, self._path, limit=LONGEST_LINE)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A task of our own: asyncio's own one prints a traceback when it is cancelled (Python 3.11)."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await _answer(self._site, line)).encode() + b"\n")
                await writer.drain()
        except (
            ConnectionError,
            ValueError,
        ):  # gone, or a line that does not end (LimitOverrunError as readline says it)
            return
        finally:
            writer.close()


async def _answer(site: Site, line: bytes) -> dict[str, Any]:
    try:
        answer = await obey(site, _words(line))
    except LabError as error:
        return {"ok": False, "said": str(error), "misuse": isinstance(error, LabMisuse)}
    return {"ok": True, "said": answer.said, "data": answer.data}


def _words(line: bytes) -> list[str]:
    try:
        request = json.loads(line)
    except ValueError as error:  # UnicodeDecodeError is one too
        raise LabMisuse(f"not JSON: {error}") from error
    words = request.get("do") if isinstance(request, dict) else None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise LabMisuse('a request looks like {"do": ["cut", "fiber"]}')
    return words
