"""TCP connect: does the handshake of a service complete? For links whose provider drops ICMP and knows no STAMP.

A reset is an answer: somebody is there. The round trip is the kernel's own figure of the handshake; what is silence is
told in `tcp_connect`. It costs the far side a connection, hence the slow pace.
"""

import asyncio
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from probes.prober import Answered, Heard, Pin, Prober, Refusal, TargetSettings
from probes.tcp_connect import Connecting, connect, judge


class TcpTarget(TargetSettings):
    """A port that accepts connections, or a host that resets them."""

    heavy: ClassVar[bool] = True
    wire_bytes: ClassVar[int] = 320

    kind: Literal["tcp"] = "tcp"
    port: Annotated[int, Field(ge=1, le=65535)]

    @property
    def label(self) -> str:
        return f"tcp {self.address} port {self.port}"

    def prober(self, pin: Pin, heard: Heard) -> Prober:
        return TcpProber(self, pin, heard)


class TcpProber:
    def __init__(self, target: TcpTarget, pin: Pin, heard: Heard) -> None:
        self._target, self._pin, self._heard = target, pin, heard
        self._loop = asyncio.get_running_loop()
        self._open: dict[int, Connecting] = {}

    def send(self, number: int) -> Refusal | None:
        connecting = connect(self._target.address, self._target.port, self._pin)
        if isinstance(connecting, Refusal):
            return connecting
        self._open[number] = connecting
        if connecting.over:  # answers are never told from inside `send`
            self._loop.call_soon(self._done, number)
        else:
            self._loop.add_writer(connecting.sock.fileno(), self._done, number)
        return None

    def forget(self, number: int) -> None:
        connecting = self._open.pop(number, None)
        if connecting is not None:
            self._loop.remove_writer(connecting.sock.fileno())
            connecting.sock.close()

    def close(self) -> None:
        for number in list(self._open):
            self.forget(number)

    def _done(self, number: int) -> None:
        connecting = self._open.get(number)
        if connecting is None:
            return
        handshake = judge(connecting)
        self.forget(number)
        if handshake is not None:
            self._heard(number, Answered(handshake.rtt_s, handshake.stamps))
