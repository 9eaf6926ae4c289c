"""Inside the lab's edge node: measures one direction of one link as edged would, once or several times.

Each line of stdin, `train up` or `ramp down`, is answered with one line of JSON; it ends with its stdin.
"""

import argparse
import asyncio
import json
import logging
import sys
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path

import structlog

from probes.capacity.measure import ramp, train
from probes.capacity.settings import CapacitySettings
from probes.line_reading import CapacityReading, MeasureFailed
from probes.prober import Pin
from probes.reading import Direction
from probes.user_traffic import users_on


async def answer(chosen: argparse.Namespace, method: str, direction: Direction) -> CapacityReading | MeasureFailed:
    settings = CapacitySettings(address=chosen.address, port=chosen.port, key_file=chosen.key_file)
    pin = Pin(source=ip_address(chosen.source))
    if method == "train":
        return await train(chosen.link, pin, settings, direction)
    with users_on(chosen.guard) as hurt:
        return await ramp(chosen.link, pin, settings, direction, hurt=hurt)


async def answer_all(chosen: argparse.Namespace) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        method, direction = line.split()
        print(json.dumps(asdict(await answer(chosen, method, Direction(direction)))), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--link", "--source", "--address", "--guard"):
        parser.add_argument(name, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(answer_all(parser.parse_args()))


if __name__ == "__main__":
    main()
