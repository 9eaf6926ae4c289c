"""The mobile workstation: its heartbeat to the box, as edged ships it, with the key DIR/mobile.key.

It reaches the box over a wire of its own (lab.plan says what that stands for). It is there while the world says so
(`mobile`); switched off, it says nothing. That nobody hears it is no fault of its own: it goes on.
"""

import argparse
import asyncio

import structlog

from lab import plan
from lab.services import secret_key
from lab.services.lifetime import address, arguments, ready, run
from lab.services.world import Truth
from probes.mobile_heartbeat import Beats, Network, beat
from probes.packets.heartbeat import PORT, is_network

BOX = f"{plan.BOX_FOR_MOBILE}:{PORT}"

_log = structlog.get_logger()


async def serve(chosen: argparse.Namespace) -> None:
    truth = Truth(chosen.dir)
    key = secret_key.made(chosen.dir / plan.MOBILE_KEY_FILE)
    beats = Beats(Network(chosen.mcc_mnc, chosen.asn, True))
    host, port = chosen.to
    ready()
    told = None
    while True:
        truth.refresh()
        if truth.world.mobile:
            heard = await beat(host, port, beats, key)
            if heard is not told:
                told = heard
                _log.info("heartbeat", heard=heard)
        await asyncio.sleep(chosen.every)


def _network(text: str) -> str:
    if not is_network(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no serving network, such as 001-02")
    return text


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--to", type=address, default=address(BOX), metavar="HOST:PORT", help=f"the box, default {BOX}")
    # 001-02 is of the test networks of ITU-T E.212; 64512 and up are AS numbers for private use (RFC 6996).
    parser.add_argument("--mcc-mnc", type=_network, default="001-02", help="serving network, default 001-02")
    parser.add_argument("--asn", type=int, default=64512, help="AS number, default 64512")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between heartbeats, default 1")
    chosen = parser.parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
