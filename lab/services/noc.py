"""Node internet: the NOC's consumer on the broker. Keeps each event once, sees what is missing, acknowledges tier
events.

It is there (`edge/v1/TENANT/noc/state`, retained, with a Will) as long as its connection is.
"""

import argparse
import asyncio
import contextlib
import json

import aiomqtt
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from lab.services.errors import PeerError
from lab.services.lifetime import address, arguments, ready, run
from lab.services.noc_book import Book, Due

log = structlog.get_logger()

BROKER = "198.51.100.10:1883"
TENANT = "lab"
EVERYTHING = "edge/v1/#"
AGAIN_S = 0.5
SUM_S = 0.5
KEEPALIVE_S = 10
SESSION_S = 3600  # what the broker queues for us while we are away


class Noc:
    """One consumer, from connection to connection."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self._host, self._port = chosen.broker
        self._presence = f"edge/v1/{chosen.tenant}/noc/state"
        self._identifier = chosen.client_id
        self._book = Book(chosen.dir)
        self._ready = False

    async def run(self) -> None:
        """For ever."""
        self._book.open()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._sum_up())
                while True:
                    try:
                        await self._connected()
                    except aiomqtt.MqttError as error:
                        log.info("no broker", host=self._host, port=self._port, reason=str(error))
                    await asyncio.sleep(AGAIN_S)
        finally:
            self._book.close()

    async def _connected(self) -> None:
        async with self._client() as client:
            await client.subscribe(EVERYTHING, options=_subscription())
            await client.publish(self._presence, _presence("online"), qos=1, retain=True)
            _end_if_told()
            log.info("listening", host=self._host, port=self._port, filter=EVERYTHING)
            self._say_ready()
            try:
                async for message in client.messages:
                    await self._take(client, message)
            finally:
                with contextlib.suppress(aiomqtt.MqttError):
                    await client.publish(self._presence, _presence("offline"), qos=1, retain=True, timeout=1)

    def _say_ready(self) -> None:
        """Ready means: the first connection is made and everything is subscribed to."""
        if not self._ready:
            self._ready = True
            ready()

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        topic, payload = message.topic.value, message.payload
        try:
            due = self._book.take(topic, payload if isinstance(payload, bytes) else b"", retained=message.retain)
        except PeerError as error:
            log.warning("garbage", topic=topic, reason=str(error))
            return
        for each in due:
            await client.publish(each.topic, _acknowledgement(each), qos=1)
            _end_if_told()

    async def _sum_up(self) -> None:
        while True:
            await asyncio.sleep(SUM_S)
            self._book.summarise()

    def _client(self) -> aiomqtt.Client:
        lasting = Properties(PacketTypes.CONNECT)
        lasting.SessionExpiryInterval = SESSION_S
        return aiomqtt.Client(
            self._host,
            self._port,
            identifier=self._identifier,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=False,
            properties=lasting,
            keepalive=KEEPALIVE_S,
            will=aiomqtt.Will(self._presence, _presence("offline"), qos=1, retain=True),
        )


def _end_if_told() -> None:
    """Before Python 3.12 `asyncio.wait_for`, which is under every aiomqtt call, swallows a cancellation that comes
    together with its result. It stays counted, so it is found here.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _subscription() -> SubscribeOptions:
    return SubscribeOptions(qos=1, noLocal=True)


def _presence(state: str) -> bytes:
    return json.dumps({"state": state}).encode()


def _acknowledgement(due: Due) -> bytes:
    return json.dumps({"stream": due.stream, "seq": due.sequence}).encode()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--broker", type=address, default=address(BROKER), help=f"HOST:PORT, default {BROKER}")
    parser.add_argument("--tenant", default=TENANT, help=f"whose NOC this is, default {TENANT}")
    parser.add_argument("--client-id", default="lab-noc")
    chosen = parser.parse_args()
    run(lambda: Noc(chosen).run())


if __name__ == "__main__":
    main()
