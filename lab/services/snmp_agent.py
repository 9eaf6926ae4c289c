"""Node router, UDP 161: the lab's router answering SNMP v2c and v3 like a Balance 20X, as the world says."""

import argparse
from collections.abc import Callable

from lab.services import snmpd
from lab.services.lifetime import arguments, ready, real_part, run
from lab.services.world import Truth

LISTEN = "10.77.0.1:161"


async def serve(chosen: argparse.Namespace) -> None:
    truth = Truth(chosen.dir)
    program = real_part("SNMP agent", *snmpd.PROGRAMS, double=chosen.double)
    if program is None:
        await _double(truth, chosen)
    else:
        await _real(program, truth, chosen)


async def _real(program: str, truth: Truth, chosen: argparse.Namespace) -> None:
    router = truth.world.router
    async with snmpd.agent(program, chosen.dir, chosen.listen, router, device_branch=chosen.device_branch) as child:
        ready()
        await child.guard(_follow(truth, lambda silent: child.freeze(frozen=silent)))


async def _double(truth: Truth, chosen: argparse.Namespace) -> None:
    from lab.services.snmp_double import SnmpDouble  # pysnmp costs 40 MB and 0.4 s: only where it is needed

    double = SnmpDouble(truth, chosen.listen, device_branch=chosen.device_branch)
    try:
        ready()
        await _follow(truth, double.be_silent)
    finally:
        double.close()


async def _follow(truth: Truth, be_silent: Callable[[bool], None]) -> None:
    async for world in truth.changes():
        be_silent(not world.snmp)


def main() -> None:
    parser = arguments(__doc__, LISTEN, real=True)
    parser.add_argument("--device-branch", action="store_true", help="also serve P.200, as older firmware does")
    chosen = parser.parse_args()
    run(lambda: serve(chosen))


if __name__ == "__main__":
    main()
