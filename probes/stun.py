"""STUN binding: is the path there, and which address of ours does the far end see?

The mapped address is what proves a pin: two links whose probes leave by the same provider are seen as one address. Any
answer to a transaction of ours is an answer of the link, also one that declines; then the address is not known. Others
run these servers, so it is asked seldom.
"""

import secrets
import socket
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from probes.errors import PeerError
from probes.far_service import FarService
from probes.kernel_time import Received, Sent, round_trip_s
from probes.packets import stun
from probes.prober import (
    Answered,
    Heard,
    Pin,
    PinnedDatagrams,
    Prober,
    Refusal,
    TargetSettings,
    family_of,
    pinned_socket,
)


class StunTrouble(StrEnum):
    DECLINED = "declined"  # an error response: busy, or asks for credentials


class StunTarget(TargetSettings):
    """A STUN server that answers binding requests without credentials."""

    heavy: ClassVar[bool] = True
    wire_bytes: ClassVar[int] = 110

    kind: Literal["stun"] = "stun"
    port: Annotated[int, Field(ge=1, le=65535)] = stun.PORT

    @property
    def label(self) -> str:
        return f"stun {self.address}" if self.port == stun.PORT else f"stun {self.address} port {self.port}"

    def prober(self, pin: Pin, heard: Heard) -> Prober:
        return StunProber(self, pin, heard)


class StunProber:
    def __init__(self, target: StunTarget, pin: Pin, heard: Heard) -> None:
        self._heard, self._pin = heard, pin
        self._family = family_of(target.address)
        self._service: FarService[StunTrouble] = FarService(target.label, pin)
        self._sent: dict[bytes, tuple[int, Sent]] = {}
        self._transactions: dict[int, bytes] = {}
        self._datagrams = PinnedDatagrams(target.address, target.port, pin, self._open, self._arrived)

    @property
    def trouble(self) -> StunTrouble | None:
        return self._service.trouble

    def send(self, number: int) -> Refusal | None:
        transaction = secrets.token_bytes(stun.TRANSACTION_SIZE)
        sent = self._datagrams.send(stun.encode_request(transaction))
        if isinstance(sent, Refusal):
            return sent
        self._sent[transaction] = number, sent
        self._transactions[number] = transaction
        return None

    def forget(self, number: int) -> None:
        transaction = self._transactions.pop(number, None)
        if transaction is not None:
            del self._sent[transaction]

    def close(self) -> None:
        self._datagrams.close()

    def _open(self) -> socket.socket:
        return pinned_socket(self._family, socket.SOCK_DGRAM, 0, self._pin)

    def _arrived(self, received: Received) -> None:
        try:
            transaction = stun.transaction_of(received.data)
            number, sent = self._sent.get(transaction, (None, None))
            if number is None or sent is None:
                return
            mapped = self._mapped(received.data, transaction)
        except PeerError:
            return
        self.forget(number)
        self._heard(number, Answered(*round_trip_s(sent, received), mapped=mapped))

    def _mapped(self, data: bytes, transaction: bytes) -> str | None:
        try:
            mapped = stun.decode_response(data, transaction)
        except stun.ErrorResponse as error:
            self._service.found(StunTrouble.DECLINED, str(error))
            return None
        self._service.found(None)
        return str(mapped.address)
