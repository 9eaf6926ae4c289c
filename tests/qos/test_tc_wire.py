"""Bytes of traffic control: what is written is read back as it was, and garbage is never an exception."""

import socket
import struct
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from qos import tc_wire
from qos.match import Key
from qos.plan import Abilities, plan
from qos.settings import QosSettings
from qos.tc_wire import Counters, Message
from qos.tree import Filter, Foreign, FqCodel, HtbClass, Qdisc, QdiscOptions

SITE = QosSettings.model_validate(
    {"interfaces": [{"name": "wan0", "direction": "up"}], "p1": {"ports": [{"protocol": "udp", "port": "5004-5010"}]}}
)
leaves = st.sampled_from(["cake", "fq_codel", "bfifo"])
rates = st.integers(100_000, 10_000_000_000)


def message(kind: str, options: bytes, *, handle: int = 0, parent: int = 0, info: int = 0) -> Message:
    return Message(1, handle, parent, info, kind, options, b"")


def told(options: QdiscOptions) -> QdiscOptions:
    """What the kernel tells of what it was asked: codel keeps units of 1024 ns and rounds down both ways."""
    if isinstance(options, FqCodel):
        target_us, interval_us = ((us * 1000 // 1024) * 1024 // 1000 for us in (options.target_us, options.interval_us))
        return replace(options, target_us=target_us, interval_us=interval_us)
    return options


@given(rates, leaves, st.booleans())
def test_every_plan_survives_the_wire(link_bps: int, leaf: str, tbf: bool) -> None:
    tree = plan(SITE, "up", link_bps=link_bps, abilities=Abilities(leaves=(leaf,), tbf=tbf))
    for qdisc in tree.qdiscs:
        options = tc_wire.qdisc_options(told(qdisc.options))
        assert tc_wire.read_qdisc(message(qdisc.kind, options, handle=qdisc.handle, parent=qdisc.parent)) == qdisc
    for each in tree.classes:
        options = tc_wire.class_options(each)
        assert tc_wire.read_class(message("htb", options, handle=each.handle, parent=each.parent)) == each


def test_filters_survive_the_wire() -> None:
    for each in plan(SITE, "up", link_bps=10_000_000, abilities=Abilities()).filters:
        back = tc_wire.read_filter(
            message(
                "u32",
                tc_wire.filter_options(each),
                handle=0x80100000 | each.node,
                parent=each.parent,
                info=tc_wire.filter_info(each),
            )
        )
        assert back == each
        assert back.kernel_handle == 0x80100000 | each.node


def test_a_class_is_laid_out_as_the_kernels_header_says() -> None:
    each = HtbClass(0x10010, 0x10001, 8_000_000, 16_000_000, 6400, 3200, 1514, 2)
    rate = struct.pack("=BBHhHI", 0, 1, 0, 0, 0, 1_000_000)
    ceil = struct.pack("=BBHhHI", 0, 1, 0, 0, 0, 2_000_000)
    assert tc_wire.class_options(each) == struct.pack("=HH", 48, 1) + rate + ceil + struct.pack(
        "=5I", 100, 50, 1514, 0, 2
    )


def test_a_key_is_laid_out_as_the_kernels_header_says() -> None:
    each = Filter(10, 0x0800, 1, (Key(0, 0x00B80000, 0x00FC0000),), 0x10010, 0x10000)
    class_id = struct.pack("=HHI", 8, 1, 0x10010)
    selector = struct.pack("=BBBxHHhhI", 1, 0, 1, 0, 0, 0, 0, 0) + struct.pack(">II", 0x00FC0000, 0x00B80000)
    assert tc_wire.filter_options(each) == class_id + struct.pack("=HH", 36, 5) + selector + bytes(8)
    assert tc_wire.filter_info(each) == 10 << 16 | socket.htons(0x0800)


def test_codels_unit_is_rounded_back_to_what_was_asked() -> None:
    # The kernel keeps 5001 µs as 4883 units of 1024 ns and reports 5000; so with 100001, 97657 and 100000.
    told_us = {1: 5000, 2: 1000, 3: 100_000, 6: 1518}
    body = b"".join(struct.pack("=HHI", 8, number, value) for number, value in told_us.items())
    assert tc_wire.read_qdisc(message("fq_codel", body)).options == FqCodel(5001, 100_001, 1000, 1518)


def test_a_rate_beyond_32_bits_is_read_from_its_own_attribute() -> None:
    each = HtbClass(1, 0, 8, 8, 64, 64, 1514, 0)
    wide = struct.pack("=HHQ", 12, 6, 5_000_000_000)
    read = tc_wire.read_class(message("htb", tc_wire.class_options(each) + wide, handle=1))
    assert read is not None
    assert (read.rate_bps, read.ceil_bps) == (40_000_000_000, 8)


def test_counters_come_from_stats2_and_packets_from_the_wide_attribute_where_there_is_one() -> None:
    basic = struct.pack("=HHQII", 20, 1, 123_456, 7, 0)
    queue = struct.pack("=HH5I", 24, 3, 2, 3000, 5, 0, 0)
    wide = struct.pack("=HHQ", 12, 8, 5_000_000_000)
    assert tc_wire.read_counters(Message(1, 9, 0, 0, "htb", b"", basic + queue))[1] == Counters(7, 123_456, 5, 3000)
    assert tc_wire.read_counters(Message(1, 9, 0, 0, "htb", b"", basic + queue + wide))[1].packets == 5_000_000_000


def test_other_kinds_are_foreign_and_other_filters_stand_for_themselves() -> None:
    assert tc_wire.read_qdisc(message("sfq", b"\x01\x02")) == Qdisc(0, 0, Foreign("sfq"))
    assert tc_wire.read_qdisc(message("tbf", b"")) == Qdisc(0, 0, Foreign("tbf"))
    assert tc_wire.read_class(message("prio", b"")) is None
    bpf = tc_wire.read_filter(message("bpf", b"", handle=1, info=7 << 16 | socket.htons(3)))
    assert bpf == Filter(7, 3, 0, (), 0, 0)


def test_the_headers_before_the_nodes_of_u32_are_no_filters() -> None:
    assert tc_wire.read_filter(message("u32", b"")) is None
    assert tc_wire.read_filter(message("u32", struct.pack("=HHI", 8, 4, 1), handle=0x80000000)) is None


@given(st.binary(max_size=200))
def test_garbage_is_never_an_exception(body: bytes) -> None:
    read = tc_wire.read_message(body)
    assert (read is None) == (len(body) < 20)
    for kind in ("tbf", "htb", "bfifo", "fq_codel", "cake", "u32", "?"):
        garbage = Message(1, 0x80000001, 0, 0, kind, body, body)
        assert isinstance(tc_wire.read_qdisc(garbage), Qdisc)
        tc_wire.read_class(garbage)
        tc_wire.read_filter(garbage)
        assert tc_wire.read_counters(garbage)[0] == garbage


@given(st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=60)), max_size=6), st.integers(0, 200))
def test_cut_attributes_are_never_an_exception(pairs: list[tuple[int, bytes]], length: int) -> None:
    body = b"".join(struct.pack("=HH", 4 + len(p), n) + p + bytes(-len(p) % 4) for n, p in pairs)[:length]
    for kind in ("tbf", "htb", "bfifo", "fq_codel", "cake", "u32"):
        assert tc_wire.read_qdisc(message(kind, body)).kind == kind
        tc_wire.read_class(message("htb", body))
        tc_wire.read_filter(message("u32", body, handle=0x80000001))
