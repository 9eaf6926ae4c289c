"""Hears everything on a broker and writes it down, a JSON line each: `listener.py HOST FILE`, until stdin ends.

Lines on stdin are told to the broker first: {"topic": …, "payload": …}. Runs inside a node of the lab.
"""

import asyncio
import json
import sys
from pathlib import Path

import aiomqtt

EVERYTHING = "edge/v1/#"


async def main(host: str, file: Path) -> None:
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    async with aiomqtt.Client(host, identifier="listener") as client:
        await client.subscribe(EVERYTHING, qos=1)
        print("ready", flush=True)
        hearing = asyncio.create_task(_write_down(client, file))
        while line := await stdin.readline():
            told = json.loads(line)
            await client.publish(told["topic"], json.dumps(told["payload"]), qos=1)
        hearing.cancel()


async def _write_down(client: aiomqtt.Client, file: Path) -> None:
    with file.open("w", encoding="ascii") as lines:
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            lines.write(json.dumps({"topic": message.topic.value, "payload": payload.hex()}) + "\n")
            lines.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
