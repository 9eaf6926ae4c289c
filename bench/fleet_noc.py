"""A NOC consumer that costs as little as one can, its own process: everything of one tenant is received, tier events
are kept in memory (not written down: that is what the kit in config/noc does) and acknowledged with watermarks, holes
are asked for again.

`held` on stdin gives one line of JSON: [[stream, sequence, when], …] of the events first seen since the last time.
"""

import argparse
import json
import sys
import threading
import time
from itertools import count
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from bench.fleet_book import Book
from edged.report.history import unpack

SESSION_S = 3600  # what the broker queues for us while we are away
LOOK_S = 0.5


class LightNoc:
    def __init__(self, port: int, tenant: str) -> None:
        self._everything, self._presence = f"edge/v1/{tenant}/#", f"edge/v1/{tenant}/noc/state"
        self._book, self._lock, self._questions = Book(), threading.Lock(), count(1)
        self._ready = False
        self._client = client = Client(CallbackAPIVersion.VERSION2, client_id="fleet-noc", protocol=MQTTv5)
        client.on_connect, client.on_message = self._on_connect, self._on_message
        client.will_set(self._presence, _presence("offline"), qos=1, retain=True)
        client.max_inflight_messages_set(1000)  # acknowledgements: 2,000 sites may all wait for theirs at once
        client.reconnect_delay_set(1, 1)
        lasting = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        lasting.SessionExpiryInterval = SESSION_S
        client.connect("127.0.0.1", port, clean_start=False, properties=lasting)

    def run(self) -> None:
        """Until stdin is closed."""
        self._client.loop_start()
        asker = threading.Thread(target=self._ask_for_ever, daemon=True)
        asker.start()
        for line in sys.stdin:
            if line.strip() == "held":
                with self._lock:
                    new = self._book.new()
                print(json.dumps(new), flush=True)
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, *_rest: Any) -> None:
        client.subscribe(self._everything, options=SubscribeOptions(qos=1, noLocal=True))
        client.publish(self._presence, _presence("online"), qos=1, retain=True)
        if not self._ready:
            self._ready = True
            print("ready", flush=True)

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        base, _, kind = message.topic.partition("/evt/t")
        if kind:
            self._take(base, json.loads(message.payload))
        elif message.topic.endswith("/hist"):
            for member in unpack(bytes(message.payload)):
                if "tier" in member and "sequence" in member:
                    self._take(message.topic.removesuffix("/hist"), member)

    def _take(self, base: str, envelope: dict[str, Any]) -> None:
        stream, sequence = envelope["stream"], envelope["sequence"]
        with self._lock:
            mark = self._book.take(base, stream, sequence, _now_s())
        if mark is not None:
            self._client.publish(f"{base}/ack", json.dumps({"stream": stream, "seq": mark}), qos=1)

    def _ask_for_ever(self) -> None:
        while True:
            time.sleep(LOOK_S)
            with self._lock:
                holes = list(self._book.to_ask(_now_s()))
            for hole in holes:
                question = {"command": "resend", "id": f"q-{next(self._questions)}", "stream": hole.stream}
                asked = question | {"from": hole.first, "to": hole.last}
                self._client.publish(f"{hole.base}/cmd/req", json.dumps(asked), qos=1)


def _now_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)  # the clock of edged.clock: one clock at both ends


def _presence(state: str) -> str:
    return json.dumps({"state": state})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tenant", required=True)
    chosen = parser.parse_args()
    LightNoc(chosen.port, chosen.tenant).run()


if __name__ == "__main__":
    main()
