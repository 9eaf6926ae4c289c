"""The thin shell over rtnetlink: read an interface's tree, carry out operations, count. Transport by pyroute2.

One short-lived socket a visit (a long-lived one grows by about 1 KB a request) and one visit at a time (a second dump
on the way is EBUSY); every dump is read to its end. Options travel as raw bytes, their meaning is tc_wire's.
"""

import asyncio
import errno
import struct
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, assert_never

from pyroute2.iproute.linux import AsyncIPRoute
from pyroute2.netlink import NLMSG_DONE, NLMSG_ERROR, nlmsg
from pyroute2.netlink.exceptions import NetlinkDumpInterrupted, NetlinkError
from pyroute2.netlink.nlsocket import NetlinkRequest
from pyroute2.netlink.rtnl import (
    RTM_DELQDISC,
    RTM_DELTCLASS,
    RTM_DELTFILTER,
    RTM_GETQDISC,
    RTM_GETTCLASS,
    RTM_GETTFILTER,
    RTM_NEWQDISC,
    RTM_NEWTCLASS,
    RTM_NEWTFILTER,
)

from qos import tc_wire
from qos.diff import Add, Change, Delete, Operation, describe
from qos.errors import KernelRefusedError
from qos.plan import HTB_HANDLE, is_ours
from qos.reading import ShaperCause
from qos.tc_wire import Counters, Message
from qos.tree import ROOT, Filter, HtbClass, Node, Qdisc, Tree

_ANSWER_S = 5.0  # a kernel that has not answered one request by then will not
_DUMP_TRIES = 3  # a dump the kernel marks as interrupted is read anew
_CREATE, _DO, _DUMP = (NetlinkRequest.flags[mode] for mode in ("create", "req", "dump"))

_BREATH = 50  # messages, 20 µs each, between two chances for the rest of the process
_DUMP_INTERRUPTED = 0x10  # NLM_F_DUMP_INTR
_INGRESS = 0xFFFFFFF1  # parent of ingress and clsact, which are not queues and not ours
_HEADER = struct.Struct("=IHHI")  # length, type, flags, sequence

_Read = TypeVar("_Read")

_CAUSES = {
    errno.EPERM: ShaperCause.NO_PERMISSION,
    errno.EACCES: ShaperCause.NO_PERMISSION,
    errno.ENODEV: ShaperCause.NO_INTERFACE,
    errno.ENXIO: ShaperCause.NO_INTERFACE,
    errno.ENOENT: ShaperCause.NO_KERNEL_SUPPORT,
    errno.EOPNOTSUPP: ShaperCause.NO_KERNEL_SUPPORT,
}


class _Request(nlmsg):
    """struct tcmsg with its options as bytes."""

    prefix = "TCA_"
    fields = (
        ("family", "B"),
        ("pad1", "B"),
        ("pad2", "H"),
        ("index", "i"),
        ("handle", "I"),
        ("parent", "I"),
        ("info", "I"),
    )
    nla_map = (
        (0, "TCA_UNSPEC", "none"),
        (1, "TCA_KIND", "asciiz"),
        (2, "TCA_OPTIONS", "cdata"),
        (7, "TCA_STATS2", "cdata"),
    )


class OperationRefusedError(KernelRefusedError):
    """One operation was refused; those before it were carried out."""

    def __init__(self, message: str, *, operation: Operation, errno: int) -> None:
        super().__init__(message, cause=_cause(errno), errno=errno)
        self.operation = operation


@dataclass(frozen=True, slots=True)
class Found:
    """An interface as it is now. Without a tree of ours only the root queue is looked at."""

    index: int
    mtu_bytes: int
    tree: Tree


class Kernel:
    """Traffic control of the network namespace this process is in."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def read(self, interface: str) -> Found:
        """KernelRefusedError if there is no such interface or we may not look."""
        async with self._visit(interface) as socket:
            async with asyncio.timeout(_ANSWER_S):
                links = await socket.link("get", ifname=interface)
            index, mtu_bytes = links[0]["index"], links[0].get("mtu")
            dumped = await _dump(socket, RTM_GETQDISC, index, tc_wire.read_qdisc)
            qdiscs = tuple(each for each in dumped if each.parent != _INGRESS)
            tree = Tree(tuple(each for each in qdiscs if each.parent == ROOT))
            if is_ours(tree):
                classes = await _dump(socket, RTM_GETTCLASS, index, tc_wire.read_class, parent=HTB_HANDLE)
                filters = await _dump(socket, RTM_GETTFILTER, index, tc_wire.read_filter, parent=HTB_HANDLE)
                tree = Tree(qdiscs, tuple(classes), tuple(filters))
            return Found(index, mtu_bytes, tree)

    async def count(self, interface: str, index: int) -> dict[int, Counters]:
        """Counters by class handle; empty when there are no classes.

        What a leaf drops from within (codel, cake) only the leaf itself counts, so drops are its own."""
        async with self._visit(interface) as socket:
            classes = await _dump(socket, RTM_GETTCLASS, index, tc_wire.read_counters, parent=HTB_HANDLE)
            queues = await _dump(socket, RTM_GETQDISC, index, tc_wire.read_counters)
        drops = {message.parent: counters.drops for message, counters in queues}
        return {
            message.handle: replace(counters, drops=drops.get(message.handle, counters.drops))
            for message, counters in classes
        }

    async def carry_out(self, interface: str, index: int, operations: Iterable[Operation]) -> None:
        """In order, up to the first that is refused; KernelRefusedError tells which."""
        async with self._visit(interface) as socket:
            for operation in operations:
                try:
                    await _carry_out(socket, index, operation)
                except NetlinkError as error:
                    message = f"{interface}: {describe(operation)}: {_reason(error)}"
                    raise OperationRefusedError(message, operation=operation, errno=error.code) from error

    @asynccontextmanager
    async def _visit(self, interface: str) -> AsyncIterator[Any]:
        try:
            async with self._turn, AsyncIPRoute(ext_ack=True) as socket:
                yield socket
        except TimeoutError as error:
            message = f"{interface}: the kernel did not answer within {_ANSWER_S:g} s"
            raise KernelRefusedError(message, cause=ShaperCause.REFUSED, errno=errno.ETIMEDOUT) from error
        except NetlinkError as error:
            raise KernelRefusedError(
                f"{interface}: {_reason(error)}", cause=_cause(error.code), errno=error.code
            ) from error
        except OSError as error:
            code = error.errno or 0
            raise KernelRefusedError(f"{interface}: {error}", cause=_cause(code), errno=code) from error


def _cause(code: int) -> ShaperCause:
    return _CAUSES.get(code, ShaperCause.REFUSED)


def _reason(error: NetlinkError) -> str:
    """The kernel's own sentence where it gave one."""
    return f"{error.args[-1]} ({errno.errorcode.get(error.code, error.code)})"


async def _carry_out(socket: Any, index: int, operation: Operation) -> None:
    match operation:
        case Add(node):
            await _send(socket, _NEW[type(node)], _CREATE, _new(node), index)
        case Change(node):
            await _send(socket, _NEW[type(node)], _DO, _new(node), index)
        case Delete(node):
            await _send(socket, _DELETE[type(node)], _DO, _address(node), index)
        case _:
            assert_never(operation)


_NEW: dict[type[Node], int] = {Qdisc: RTM_NEWQDISC, HtbClass: RTM_NEWTCLASS, Filter: RTM_NEWTFILTER}
_DELETE: dict[type[Node], int] = {Qdisc: RTM_DELQDISC, HtbClass: RTM_DELTCLASS, Filter: RTM_DELTFILTER}


def _address(node: Node) -> _Request:
    message = _Request()
    message["parent"] = node.parent
    match node:
        case Filter():
            message["handle"], message["info"] = node.kernel_handle or node.node, tc_wire.filter_info(node)
        case Qdisc() | HtbClass():
            message["handle"] = node.handle
        case _:
            assert_never(node)
    return message


def _new(node: Node) -> _Request:
    message = _address(node)
    match node:
        case Qdisc():
            kind, options = node.kind, tc_wire.qdisc_options(node.options)
        case HtbClass():
            kind, options = "htb", tc_wire.class_options(node)
        case Filter():
            kind, options = "u32", tc_wire.filter_options(node)
        case _:
            assert_never(node)
    message["attrs"] = [("TCA_KIND", kind), ("TCA_OPTIONS", options)]
    return message


async def _send(socket: Any, message_type: int, flags: int, message: _Request, index: int) -> None:
    message["index"] = index
    request = NetlinkRequest(socket, message, msg_type=message_type, msg_flags=flags)
    async with asyncio.timeout(_ANSWER_S):
        await request.send()
        async for _ in request.response():
            pass


async def _dump(
    socket: Any, message_type: int, index: int, read: Callable[[Message], _Read | None], parent: int = 0
) -> list[_Read]:
    """Every message of one interface that `read` makes something of."""
    for _ in range(_DUMP_TRIES):
        async with asyncio.timeout(_ANSWER_S):
            whole, found = await _dump_once(socket, message_type, index, read, parent)
        if whole:
            return found
    raise NetlinkDumpInterrupted(errno.EINTR)


async def _dump_once(
    socket: Any, message_type: int, index: int, read: Callable[[Message], _Read | None], parent: int
) -> tuple[bool, list[_Read]]:
    request = _Request()
    request["index"], request["parent"] = index, parent
    # Our own parser: pyroute2's objects cost 50 µs a message, and a datagram of 200 is parsed in one go.
    parser = partial(_parse, socket.marshal)
    dump = NetlinkRequest(socket, request, msg_type=message_type, msg_flags=_DUMP, parser=parser)
    await dump.send()
    whole, found, seen = True, list[_Read](), 0
    async for each in dump.response():
        whole = whole and not each["header"]["flags"] & _DUMP_INTERRUPTED
        if each["tc"].index == index and (one := read(each["tc"])) is not None:
            found.append(one)
        seen += 1
        if seen % _BREATH == 0:
            await asyncio.sleep(0)
    return whole, found


def _parse(marshal: Any, data: bytes, offset: int, length: int) -> Any:
    """One netlink message: ours as a bare mapping, the end of the dump and errors as pyroute2 wants them."""
    _, kind, flags, sequence = _HEADER.unpack_from(data, offset)
    if kind in (NLMSG_DONE, NLMSG_ERROR):
        return marshal.parse_one_message(kind, flags, sequence, data, offset, length)
    message = tc_wire.read_message(data[offset + 16 : offset + length])
    header = {"length": length, "type": kind, "flags": flags, "sequence_number": sequence, "error": None}
    return None if message is None else {"header": header, "tc": message}
