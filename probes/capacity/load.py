"""Puts load on the wire without keeping the loop: at most 2 ms at a time."""

import asyncio
import time
from collections.abc import Callable, Sequence

_SLICE_S = 0.002


async def send_slice(due: Sequence[tuple[int, int]], send: Callable[[int, int], bool], *, whole: bool) -> int:
    """Sends the packets (number, order) that are due, in order, and says how many of them.

    A paced load sends for 2 ms at most and leaves the rest to its pacer; a train is sent whole, with a turn for others
    every 2 ms. Where the kernel takes no more, a train waits for it, and a paced load does without.
    """
    sent = 0
    ends_s = time.perf_counter() + _SLICE_S
    tries = 0
    while sent < len(due):
        took = send(*due[sent])
        sent += took
        if took and time.perf_counter() < ends_s:
            continue
        tries = 0 if took else tries + 1
        if not whole or tries > 100:  # the kernel has taken nothing for 100 turns of the loop
            break
        await asyncio.sleep(0 if took else 0.0005)
        ends_s = time.perf_counter() + _SLICE_S
    return sent
