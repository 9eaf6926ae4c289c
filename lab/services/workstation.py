"""Node workstation: the technologist's end of the supervision session. Sends audio and video to the platform from fixed
ports, and takes what comes back.
"""

import argparse

from lab.services.lifetime import arguments, ready, run
from lab.services.media import arguments as media_arguments
from lab.services.media import legs, run_legs
from lab.services.platform import HOST as PLATFORM
from lab.services.world import Truth

HOST = "10.77.0.20"


async def serve(chosen: argparse.Namespace) -> None:
    made = legs(chosen, far_host=chosen.platform)
    ready()
    await run_legs(made, Truth(chosen.dir), chosen.dir / "media-workstation.jsonl" if chosen.measure else None)


def main() -> None:
    parser = media_arguments(arguments(__doc__), HOST)
    parser.add_argument("--platform", default=PLATFORM, help=f"default {PLATFORM}")
    chosen = parser.parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
