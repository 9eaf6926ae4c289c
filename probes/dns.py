"""DNS: does a resolver answer over this link? Proves the path and the resolver, both.

NOERROR and NXDOMAIN are answers: whoever knows that a name does not exist has looked. SERVFAIL and REFUSED are not,
though somebody said them: they are what a router's own forwarder says when the line behind it is dead. For the same
reason ask a resolver beyond the line, since a nearby one answers from its cache; and where `answers` is given, another
address than that is no answer either, as a captive portal or a walled garden would give it.

A name that must be looked up takes the resolver many round trips, and public resolvers count their askers: it is asked
seldom.
"""

import secrets
import socket
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, IPvAnyAddress

from probes.errors import PeerError
from probes.far_service import FarService
from probes.kernel_time import Received, Sent, round_trip_s
from probes.packets import dns
from probes.packets.dns import Kind, Question, Rcode, Response
from probes.prober import (
    Answered,
    Heard,
    IpAddress,
    Pin,
    PinnedDatagrams,
    Prober,
    Refusal,
    TargetSettings,
    family_of,
    pinned_socket,
)


class DnsTrouble(StrEnum):
    """A reply to our very question that proves no working line."""

    SERVFAIL = "servfail"  # the resolver could not ask on
    REFUSED = "refused"  # it does not serve us, or a forwarder has nobody to ask
    ERROR = "error"  # any other code
    WRONG_ANSWER = "wrong_answer"  # not the address expected: somebody in between answers
    REWRITTEN = "rewritten"  # the name came back in another case


_TROUBLES: dict[int, DnsTrouble | None] = {
    Rcode.NOERROR: None,
    Rcode.NXDOMAIN: None,
    Rcode.SERVFAIL: DnsTrouble.SERVFAIL,
    Rcode.REFUSED: DnsTrouble.REFUSED,
}


class DnsTarget(TargetSettings):
    """A resolver, and a name to ask it for."""

    heavy: ClassVar[bool] = True
    wire_bytes: ClassVar[int] = 150

    kind: Literal["dns"] = "dns"
    port: Annotated[int, Field(ge=1, le=65535)] = dns.PORT
    name: Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?$")]
    answers: IPvAnyAddress | None = None
    """The address the name has; its version chooses between A and AAAA. None: an A record is asked for, any will do."""

    @property
    def label(self) -> str:
        return f"dns {self.address}" if self.port == dns.PORT else f"dns {self.address} port {self.port}"

    def prober(self, pin: Pin, heard: Heard) -> Prober:
        return DnsProber(self, pin, heard)


class DnsProber:
    def __init__(self, target: DnsTarget, pin: Pin, heard: Heard) -> None:
        self._target, self._heard, self._pin = target, heard, pin
        self._family = family_of(target.address)
        self._kind = Kind.AAAA if target.answers is not None and target.answers.version == 6 else Kind.A
        self._service: FarService[DnsTrouble] = FarService(target.label, pin)
        self._asked: dict[int, tuple[int, Question, Sent]] = {}
        self._idents: dict[int, int] = {}
        self._datagrams = PinnedDatagrams(target.address, target.port, pin, self._open, self._arrived)

    @property
    def trouble(self) -> DnsTrouble | None:
        return self._service.trouble

    def send(self, number: int) -> Refusal | None:
        question = self._question()
        sent = self._datagrams.send(dns.encode_query(question))
        if isinstance(sent, Refusal):
            return sent
        self._asked[question.ident] = number, question, sent
        self._idents[number] = question.ident
        return None

    def forget(self, number: int) -> None:
        ident = self._idents.pop(number, None)
        if ident is not None:
            del self._asked[ident]

    def close(self) -> None:
        self._datagrams.close()

    def _open(self) -> socket.socket:
        return pinned_socket(self._family, socket.SOCK_DGRAM, 0, self._pin)

    def _question(self) -> Question:
        ident = secrets.randbits(16)
        while ident in self._asked:  # a few are under way at most
            ident = secrets.randbits(16)
        name = self._target.name
        return Question(ident, dns.mixed_case(name, secrets.randbits(len(name))), self._kind)

    def _arrived(self, received: Received) -> None:
        try:
            asked = self._asked.get(dns.ident_of(received.data))
            if asked is None:
                return
            number, question, sent = asked
            response = dns.decode_response(received.data, question)
        except dns.CaseChanged as error:
            self._service.found(DnsTrouble.REWRITTEN, str(error))
            return
        except PeerError:
            return
        trouble = trouble_of(response, self._target.answers)
        self._service.found(trouble, f"code {response.rcode}, {len(response.addresses)} addresses")
        if trouble is None:
            self.forget(number)
            self._heard(number, Answered(*round_trip_s(sent, received)))


def trouble_of(response: Response, expected: IpAddress | None) -> DnsTrouble | None:
    """Why a reply is no answer; None if it is one."""
    trouble = _TROUBLES.get(response.rcode, DnsTrouble.ERROR)
    if trouble is None and expected is not None and expected not in response.addresses:
        return DnsTrouble.WRONG_ANSWER
    return trouble
