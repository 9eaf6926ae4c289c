"""STAMP session-sender (RFC 8762): asks a reflector that says when it heard and when it answered.

The time the packet spent inside the reflector is taken off the round trip, so a busy reflector does not look like a
slow link. Each answer also says how long either direction took by two clocks, and how many of our probes reached the
reflector.
"""

import secrets
import socket
import time
from typing import Annotated, Literal

from pydantic import Field, FilePath

from probes.errors import MisuseError, PeerError
from probes.kernel_time import Received, Sent, ends_ns, round_trip_s
from probes.packets import stamp
from probes.packets.ntp_time import to_ntp
from probes.prober import (
    Answered,
    Heard,
    Pin,
    PinnedDatagrams,
    Prober,
    Refusal,
    TargetSettings,
    TwoWay,
    family_of,
    pinned_socket,
)

_CLOCK_ERROR = stamp.error_estimate(0.001)  # a box that keeps NTP time


class StampTarget(TargetSettings):
    """A STAMP reflector, such as `python -m probes.stamp_reflector` at the NOC."""

    kind: Literal["stamp"] = "stamp"
    port: Annotated[int, Field(ge=1, le=65535)] = stamp.PORT
    key_file: FilePath | None = None
    """Shared key of the authenticated mode; without it, unauthenticated."""

    @property
    def label(self) -> str:
        return f"stamp {self.address}" if self.port == stamp.PORT else f"stamp {self.address} port {self.port}"

    def prober(self, pin: Pin, heard: Heard) -> Prober:
        return StampProber(self, pin, heard)


class StampProber:
    def __init__(self, target: StampTarget, pin: Pin, heard: Heard) -> None:
        self._heard, self._pin, self._key = heard, pin, _read_key(target)
        self._family = family_of(target.address)
        self._ssid = 1 + secrets.randbelow(0xFFFF)
        self._sent: dict[int, tuple[Sent, stamp.Request]] = {}
        self._datagrams = PinnedDatagrams(target.address, target.port, pin, self._open, self._arrived)

    def send(self, number: int) -> Refusal | None:
        request = stamp.Request(_on_the_wire(number), to_ntp(time.time_ns()), _CLOCK_ERROR, self._ssid)
        sent = self._datagrams.send(stamp.encode_request(request, self._key))
        if isinstance(sent, Refusal):
            return sent
        self._sent[request.sequence] = sent, request
        return None

    def forget(self, number: int) -> None:
        self._sent.pop(_on_the_wire(number), None)

    def close(self) -> None:
        self._datagrams.close()

    def _open(self) -> socket.socket:
        return pinned_socket(self._family, socket.SOCK_DGRAM, 0, self._pin)

    def _arrived(self, received: Received) -> None:
        try:
            reply = stamp.decode_reply(received.data, self._key)
            sent, asked = self._sent[reply.request.sequence]
            heard_ns, answered_ns = stamp.reflector_times_ns(reply, near_ns=sent.user_ns)
        except (PeerError, KeyError):
            return
        if reply.request not in (asked, asked._replace(ssid=0)):  # one from before RFC 8972 leaves the SSID zero
            return
        del self._sent[asked.sequence]
        rtt_s, stamps = round_trip_s(sent, received)
        kept_s, two_way = (answered_ns - heard_ns) / 1e9, None
        if kept_s > rtt_s:  # its clock was set between its two stamps: it claims more than there was
            kept_s = 0.0
        elif (ends := ends_ns(sent, received)) is not None:
            own = None if reply.sequence == asked.sequence else reply.sequence
            two_way = TwoWay(own, out_ns=heard_ns - ends[0], back_ns=ends[1] - answered_ns)
        self._heard((asked.sequence - 1) & 0xFFFF_FFFF, Answered(rtt_s - kept_s, stamps, two_way))


def _on_the_wire(number: int) -> int:
    """The first probe is packet 1 of its session; packet 0 is never sent, as if lost at once.

    Only so does the first answer tell a reflector that counts what it hears (it says 0) from one that keeps no state
    and gives our own number back. Otherwise both would say the same until a probe is lost on its way out.
    """
    return (number + 1) & 0xFFFF_FFFF


def _read_key(target: StampTarget) -> bytes | None:
    if target.key_file is None:
        return None
    try:
        key = target.key_file.read_bytes().strip()
    except OSError as error:
        raise MisuseError(f"{target.label}: cannot read the key in {target.key_file}: {error.strerror}") from error
    if not key:
        raise MisuseError(f"{target.label}: the key in {target.key_file} is empty")
    return key
