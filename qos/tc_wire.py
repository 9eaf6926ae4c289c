"""TCA_OPTIONS and TCA_STATS2 of the few kinds we use, to bytes and back. Pure.

Layouts: linux/pkt_sched.h, linux/pkt_cls.h, linux/gen_stats.h; host byte order except u32 keys. (pyroute2's own codecs
for these shift u32 keys by four bytes when reading and cannot write bfifo, so only its transport is used.)
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import assert_never

from qos.match import Key
from qos.tree import ROOT, Bfifo, Cake, Filter, Foreign, FqCodel, Htb, HtbClass, Qdisc, QdiscOptions, Tbf

_RATE = struct.Struct("=BBHhHI")  # cell_log, linklayer, overhead, cell_align, mpu, bytes per second
_LINKLAYER_ETHERNET = 1  # spares the rate tables of 256 entries that old kernels wanted
_HTB_GLOB = struct.Struct("=5I")  # version, rate2quantum, default, debug, direct packets
_HTB_CLASS = struct.Struct("=12s12s5I")  # rate, top, buffer, cbuffer, quantum, level, prio
_TBF = struct.Struct("=12s12s3I")  # rate, peak, limit, buffer, mtu
_U32_SEL = struct.Struct("=BBBxHHhhI")  # flags, offshift, nkeys, offmask, off, offoff, hoff, hmask
_U32_KEY = struct.Struct(">II")  # mask, value
_U32_KEY_AT = struct.Struct("=ii")  # offset, offmask
_TCMSG = struct.Struct("=BxxxiIII")  # family, index, handle, parent, info
_ATTRIBUTE = struct.Struct("=HH")  # length, type
_BASIC = struct.Struct("=QI")  # bytes, packets
_QUEUE = struct.Struct("=5I")  # qlen, backlog, drops, requeues, overlimits
_WORD = struct.Struct("=I")
_LONG = struct.Struct("=Q")

_TICK_NS = 64  # of psched since Linux 2.6.31
_HTB_VERSION = 3
_U32_TERMINAL = 1
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER

_TBF_PARMS, _TBF_RATE64 = 1, 4
_HTB_PARMS, _HTB_INIT, _HTB_RATE64, _HTB_CEIL64 = 1, 2, 6, 7
_FQ_TARGET, _FQ_LIMIT, _FQ_INTERVAL, _FQ_QUANTUM = 1, 2, 3, 6
_CAKE_DIFFSERV, _CAKE_RTT, _CAKE_TARGET = 3, 7, 8
_U32_CLASSID, _U32_SELECTOR = 1, 5
_KIND, _OPTIONS, _STATS2 = 1, 2, 7
_STATS_BASIC, _STATS_QUEUE, _STATS_PACKETS64 = 1, 3, 8


@dataclass(frozen=True, slots=True)
class Message:
    """struct tcmsg and the attributes we look at."""

    index: int
    handle: int
    parent: int
    info: int
    kind: str
    options: bytes
    stats2: bytes


@dataclass(frozen=True, slots=True)
class Counters:
    """Sent packets and bytes, dropped packets, bytes waiting."""

    packets: int = 0
    bytes: int = 0
    drops: int = 0
    backlog_bytes: int = 0


def qdisc_options(options: QdiscOptions) -> bytes:
    match options:
        case Tbf():
            parms = _TBF.pack(_rate(options.rate_bps), bytes(12), options.limit_bytes, options.burst_ns // _TICK_NS, 0)
            return _attributes((_TBF_PARMS, parms))
        case Htb():
            return _attributes((_HTB_INIT, _HTB_GLOB.pack(_HTB_VERSION, options.r2q, options.default_minor, 0, 0)))
        case Bfifo():
            return _WORD.pack(options.limit_bytes)
        case FqCodel():
            return _attributes(
                (_FQ_TARGET, _WORD.pack(options.target_us)),
                (_FQ_LIMIT, _WORD.pack(options.limit_packets)),
                (_FQ_INTERVAL, _WORD.pack(options.interval_us)),
                (_FQ_QUANTUM, _WORD.pack(options.quantum_bytes)),
            )
        case Cake():
            return _attributes(
                (_CAKE_DIFFSERV, _WORD.pack(options.diffserv)),
                (_CAKE_RTT, _WORD.pack(options.interval_us)),
                (_CAKE_TARGET, _WORD.pack(options.target_us)),
            )
        case Foreign():
            return b""
        case _:
            assert_never(options)


def class_options(each: HtbClass) -> bytes:
    parms = _HTB_CLASS.pack(
        _rate(each.rate_bps),
        _rate(each.ceil_bps),
        each.burst_ns // _TICK_NS,
        each.cburst_ns // _TICK_NS,
        each.quantum_bytes,
        0,
        each.prio,
    )
    return _attributes((_HTB_PARMS, parms))


def filter_options(each: Filter) -> bytes:
    # u32 wants at least one key; one with an empty mask matches everything.
    keys = each.keys or (Key(0, 0, 0),)
    selector = _U32_SEL.pack(_U32_TERMINAL, 0, len(keys), 0, 0, 0, 0, 0)
    selector += b"".join(_U32_KEY.pack(key.mask, key.value) + _U32_KEY_AT.pack(key.offset, 0) for key in keys)
    return _attributes((_U32_CLASSID, _WORD.pack(each.class_id)), (_U32_SELECTOR, selector))


def filter_info(each: Filter) -> int:
    """tcm_info: preference above the ethertype in network order."""
    return each.preference << 16 | socket.htons(each.protocol)


def read_message(body: bytes) -> Message | None:
    """What follows the netlink header; None if it is cut short."""
    if len(body) < _TCMSG.size:
        return None
    _, index, handle, parent, info = _TCMSG.unpack_from(body)
    attributes = dict(_each_attribute(body[_TCMSG.size :]))
    kind = attributes.get(_KIND, b"").rstrip(b"\0").decode("ascii", "replace")
    return Message(index, handle, parent, info, kind, attributes.get(_OPTIONS, b""), attributes.get(_STATS2, b""))


def read_qdisc(message: Message) -> Qdisc:
    """What cannot be read as one of our kinds is Foreign, never an error: it will not equal any plan."""
    try:
        options = _read_qdisc_options(message.kind, message.options)
    except (struct.error, KeyError):
        options = Foreign(message.kind)
    return Qdisc(message.handle, message.parent, options)


def read_class(message: Message) -> HtbClass | None:
    """None for classes of other queues than htb."""
    if message.kind != "htb":
        return None
    try:
        attributes = dict(_each_attribute(message.options))
        rate, top, buffer, cbuffer, quantum, _, prio = _HTB_CLASS.unpack_from(attributes[_HTB_PARMS])
        rate_bps = _rate_bps(rate, attributes.get(_HTB_RATE64))
        ceil_bps = _rate_bps(top, attributes.get(_HTB_CEIL64))
    except (struct.error, KeyError):
        return None
    # A dump calls the uppermost class's parent "root"; to us it is the queue it hangs in.
    parent = message.handle & 0xFFFF0000 if message.parent == ROOT else message.parent
    return HtbClass(message.handle, parent, rate_bps, ceil_bps, buffer * _TICK_NS, cbuffer * _TICK_NS, quantum, prio)


def read_filter(message: Message) -> Filter | None:
    """None for the headers a dump puts before the nodes of u32."""
    preference, protocol = message.info >> 16, socket.ntohs(message.info & 0xFFFF)
    if message.kind != "u32":
        return Filter(preference, protocol, 0, (), 0, message.parent)
    attributes = dict(_each_attribute(message.options))
    if message.handle & 0xFFF == 0 or _U32_SELECTOR not in attributes:
        return None
    try:
        keys = tuple(_read_keys(attributes[_U32_SELECTOR]))
        (class_id,) = _WORD.unpack(attributes.get(_U32_CLASSID, bytes(4)))
    except struct.error:
        keys, class_id = (), 0
    keys = () if keys == (Key(0, 0, 0),) else keys
    return Filter(preference, protocol, message.handle & 0xFFF, keys, class_id, message.parent, message.handle)


def read_counters(message: Message) -> tuple[Message, Counters]:
    """Of a class or a queue; zeros where it does not count."""
    try:
        attributes = dict(_each_attribute(message.stats2))
        size, packets = _BASIC.unpack_from(attributes[_STATS_BASIC])
        _, backlog, drops, _, _ = _QUEUE.unpack_from(attributes[_STATS_QUEUE])
        if (wide := attributes.get(_STATS_PACKETS64)) is not None:
            (packets,) = _LONG.unpack_from(wide)
    except (struct.error, KeyError):
        return message, Counters()
    return message, Counters(packets, size, drops, backlog)


def _read_qdisc_options(kind: str, options: bytes) -> QdiscOptions:
    if kind == "bfifo":
        return Bfifo(*_WORD.unpack_from(options))
    attributes = dict(_each_attribute(options))
    match kind:
        case "tbf":
            rate, _, limit, buffer, _ = _TBF.unpack_from(attributes[_TBF_PARMS])
            return Tbf(_rate_bps(rate, attributes.get(_TBF_RATE64)), buffer * _TICK_NS, limit)
        case "htb":
            _, r2q, default, _, _ = _HTB_GLOB.unpack_from(attributes[_HTB_INIT])
            return Htb(default, r2q)
        case "fq_codel":
            target_us, interval_us = (_codel_us(_word(attributes, number)) for number in (_FQ_TARGET, _FQ_INTERVAL))
            return FqCodel(target_us, interval_us, _word(attributes, _FQ_LIMIT), _word(attributes, _FQ_QUANTUM))
        case "cake":
            return Cake(*(_word(attributes, number) for number in (_CAKE_DIFFSERV, _CAKE_TARGET, _CAKE_RTT)))
        case _:
            return Foreign(kind)


def _word(attributes: dict[int, bytes], number: int) -> int:
    (value,) = _WORD.unpack(attributes[number])
    return int(value)


def _codel_us(told_us: int) -> int:
    """Codel keeps units of 1024 ns and reports them rounded down: round up twice to get back what was asked."""
    return ceil(ceil(told_us * 1000 / 1024) * 1024 / 1000)


def _read_keys(selector: bytes) -> Iterator[Key]:
    _, _, count, *_ = _U32_SEL.unpack_from(selector)
    for start in range(_U32_SEL.size, _U32_SEL.size + 16 * count, 16):
        mask, value = _U32_KEY.unpack_from(selector, start)
        offset, _ = _U32_KEY_AT.unpack_from(selector, start + 8)
        yield Key(offset, value, mask)


def _rate(rate_bps: int) -> bytes:
    return _RATE.pack(0, _LINKLAYER_ETHERNET, 0, 0, 0, rate_bps // 8)


def _rate_bps(packed: bytes, wide: bytes | None) -> int:
    bytes_per_s: int = _LONG.unpack_from(wide)[0] if wide is not None else _RATE.unpack(packed)[-1]
    return bytes_per_s * 8


def _attributes(*pairs: tuple[int, bytes]) -> bytes:
    return b"".join(
        _ATTRIBUTE.pack(4 + len(payload), number) + payload + bytes(-len(payload) % 4) for number, payload in pairs
    )


def _each_attribute(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Stops at the first attribute that is cut short."""
    start = 0
    while start + 4 <= len(data):
        length, number = _ATTRIBUTE.unpack_from(data, start)
        if length < 4 or start + length > len(data):
            return
        yield number & _TYPE_MASK, data[start + 4 : start + length]
        start += (length + 3) & ~3
