"""What the mobile workstation runs: tells the box every few seconds that it is there, and in whose network.

    python -m probes.mobile_heartbeat --to HOST:PORT --key-file FILE --mcc-mnc 310-260 --asn 65001 [--every 2]

Each heartbeat goes out from a socket of its own: a modem that comes back has another address. Says on a change whether
the box hears it. Ends with status 0 on SIGTERM or SIGINT, or after `--count` heartbeats.
"""

import argparse
import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from probes.errors import MisuseError, PeerError
from probes.mobile_settings import read_key
from probes.packets.heartbeat import (
    NO_CHALLENGE,
    PORT,
    Answer,
    Heartbeat,
    decode_answer,
    encode_heartbeat,
    is_network,
)

ANSWER_S = 1.0
"""Longer than a round trip over a loaded mobile network; without an answer by then the box has not heard us."""
COUNTER_MAX = 2**64 - 1
TRIES = 2
"""Per heartbeat: one more if the box wants another challenge or counter, as it does after either side's restart."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Network:
    """What the workstation says of the network it is in. `None`: it does not know."""

    mcc_mnc: str | None
    asn: int | None
    registered: bool | None


class Beats:
    """Makes one heartbeat after the other. Pure: the counter never falls, whatever the clock does."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._challenge, self._counter = NO_CHALLENGE, 0

    def next(self, now_ms: int) -> Heartbeat:
        """`now_ms` is the time of day, right or wrong."""
        self._counter = min(max(self._counter + 1, now_ms), COUNTER_MAX)
        network = self._network
        return Heartbeat(self._challenge, self._counter, network.mcc_mnc, network.asn, network.registered)

    def take(self, answer: Answer) -> bool | None:
        """Whether the box took the last heartbeat; None if that is the answer to another one."""
        if answer.counter != self._counter:
            return None
        self._challenge = answer.challenge
        self._counter = max(self._counter, answer.highest)
        return answer.taken


async def beat(host: str, port: int, beats: Beats, key: bytes) -> bool:
    """Send one heartbeat; True if the box took it. An error of the network is no answer."""
    loop = asyncio.get_running_loop()
    answers: asyncio.Queue[bytes] = asyncio.Queue(maxsize=16)
    try:
        async with asyncio.timeout(TRIES * ANSWER_S):
            transport, _ = await loop.create_datagram_endpoint(lambda: _Answers(answers), remote_addr=(host, port))
            try:
                return await _beat(transport, answers, beats, key)
            finally:
                transport.abort()
    except OSError:  # also TimeoutError, and a name that is not resolved
        return False


async def _beat(transport: asyncio.DatagramTransport, answers: asyncio.Queue[bytes], beats: Beats, key: bytes) -> bool:
    for _ in range(TRIES):
        transport.sendto(encode_heartbeat(beats.next(time.time_ns() // 1_000_000), key))
        async with asyncio.timeout(ANSWER_S):
            while (taken := _taken(beats, await answers.get(), key)) is None:
                pass
        if taken:
            return True
    return False


def _taken(beats: Beats, data: bytes, key: bytes) -> bool | None:
    try:
        return beats.take(decode_answer(data, key))
    except PeerError:
        return None


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, answers: asyncio.Queue[bytes]) -> None:
        self._answers = answers

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self._answers.full():
            self._answers.put_nowait(data)


async def beat_on(
    host: str,
    port: int,
    beats: Beats,
    key: bytes,
    *,
    every_s: float,
    count: int | None = None,
    tell: Callable[[bool], None],
) -> None:
    """A heartbeat every `every_s`, `count` of them or until cancelled; `tell` says at each change if it is heard."""
    loop, told, sent = asyncio.get_running_loop(), None, 0
    while count is None or sent < count:
        began_s = loop.time()
        taken = await beat(host, port, beats, key)
        sent += 1
        if taken is not told:
            told = taken
            tell(taken)
        if sent != count:
            await asyncio.sleep(max(0.0, began_s + every_s - loop.time()))


def _where(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host, bare = host.removeprefix("[").removesuffix("]"), ":" in host and not host.startswith("[")
    if not (colon and host and not bare and port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not HOST:PORT, such as 192.0.2.10:{PORT} or [2001:db8::10]:{PORT}"
        )
    return host, int(port)


def _network(text: str) -> str:
    if not is_network(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no serving network, such as 310-260")
    return text


def _number(least: float, most: float, kind: Callable[[str], float]) -> Callable[[str], float]:
    def within(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not within {least:g} and {most:g}")
        return number

    return within


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m probes.mobile_heartbeat", description="Tells the box that the mobile workstation is there."
    )
    parser.add_argument(
        "--to", type=_where, required=True, metavar="HOST:PORT", help="the box; an address needs no DNS"
    )
    parser.add_argument("--key-file", type=Path, required=True, help="the key shared with the box")
    parser.add_argument("--mcc-mnc", type=_network, help="serving network, such as 310-260")
    parser.add_argument("--asn", type=_number(1, 2**32 - 1, int), help="AS number of its address")
    parser.add_argument("--registered", choices=("yes", "no"), help="whether the modem is registered there")
    parser.add_argument("--every", type=_number(0.5, 60, float), default=2.0, metavar="S", help="seconds, default 2")
    parser.add_argument("--count", type=_number(1, 1e9, int), help="end after so many heartbeats")
    return parser


async def _until_told(chosen: argparse.Namespace, key: bytes) -> None:
    registered = None if chosen.registered is None else chosen.registered == "yes"
    beats = Beats(Network(chosen.mcc_mnc, chosen.asn, registered))
    host, port = chosen.to

    def tell(taken: bool) -> None:
        _log.info("the box hears us" if taken else "the box does not hear us", to=f"{host} port {port}")

    work = beat_on(host, port, beats, key, every_s=chosen.every, count=chosen.count, tell=tell)
    task = asyncio.create_task(work)
    with suppress(NotImplementedError):  # on Windows, where a program is ended and not asked to
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()


def main() -> None:
    parser = _arguments()
    chosen = parser.parse_args()
    try:
        asyncio.run(_until_told(chosen, read_key(chosen.key_file)))
    except MisuseError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
