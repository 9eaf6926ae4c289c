"""Node internet, TCP 1883: the NOC's MQTT broker. It forgets everything when it ends, as a broker that lost its disk
would.
"""

import argparse
import asyncio
import os

from lab.services.children import accepts, running, scratch
from lab.services.lifetime import Address, arguments, ready, real_part, run
from lab.services.mqtt_double import BrokerDouble

LISTEN = "198.51.100.10:1883"
PROGRAMS = ("/usr/sbin/mosquitto",)


def configuration(listen: Address, *, as_root: bool) -> str:
    """mosquitto.conf(5). As uid 0 it must be told to stay so: dropping its user is refused in a single-id user
    namespace.
    """
    lines = [
        f"listener {listen[1]} {listen[0]}",
        "allow_anonymous true",
        "persistence false",
        "max_queued_messages 100000",
        "max_inflight_messages 100",
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
    ]
    return "\n".join(lines + (["user root"] if as_root else [])) + "\n"


async def serve(chosen: argparse.Namespace) -> None:
    program = real_part("MQTT broker", *PROGRAMS, double=chosen.double)
    if program is None:
        async with BrokerDouble().serving(*chosen.listen):
            ready()
            await asyncio.Event().wait()
        return
    config = scratch(chosen.dir, "mosquitto") / "mosquitto.conf"
    config.write_text(configuration(chosen.listen, as_root=os.geteuid() == 0))
    async with running("mosquitto", program, "-c", str(config)) as child:
        await accepts(chosen.listen, child)
        ready()
        await child.guard(_for_ever())


async def _for_ever() -> None:
    await asyncio.Event().wait()


def main() -> None:
    chosen = arguments(__doc__, LISTEN, real=True).parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
