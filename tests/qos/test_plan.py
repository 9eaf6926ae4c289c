"""The wanted tree: sizes, shares, and what stands in for what the kernel lacks."""

import pytest

from qos.plan import CLASS_IDS, HTB_HANDLE, ROOT_HANDLE, Abilities, is_foreign, is_ours, leaf_kind, plan
from qos.settings import QosSettings
from qos.tree import ROOT, Bfifo, Foreign, FqCodel, Htb, Qdisc, Tbf, Tree

SITE = QosSettings.model_validate({"interfaces": [{"name": "wan0", "direction": "up"}]})
BARE = Abilities(leaves=("bfifo",))


def tree(link_bps: int = 20_000_000, abilities: Abilities = BARE, mtu_bytes: int = 1500) -> Tree:
    return plan(SITE, "up", link_bps=link_bps, mtu_bytes=mtu_bytes, abilities=abilities)


def test_the_rate_is_the_links_less_the_margin_and_all_may_borrow_all_of_it() -> None:
    trunk, *classes = tree().classes
    assert trunk.rate_bps == 19_000_000
    assert [(each.rate_bps, each.ceil_bps, each.prio) for each in classes] == [
        (7_600_000, 19_000_000, 0),
        (3_800_000, 19_000_000, 1),
        (3_800_000, 19_000_000, 2),
        (1_900_000, 19_000_000, 3),
    ]
    assert {each.parent for each in classes} == {trunk.handle}


def test_what_matches_nothing_goes_to_p4() -> None:
    (htb,) = (qdisc.options for qdisc in tree().qdiscs if isinstance(qdisc.options, Htb))
    assert HTB_HANDLE | htb.default_minor == CLASS_IDS["p4"]


@pytest.mark.parametrize(
    ("link_bps", "mtu_bytes", "burst_bytes"),
    [(1_000_000, 1500, 3036), (20_000_000, 1500, 3036), (100_000_000, 1500, 11_875), (20_000_000, 9000, 18_036)],
    ids=["two frames on a slow line", "two frames", "a millisecond", "two jumbo frames"],
)
def test_bursts_are_two_frames_or_a_millisecond(link_bps: int, mtu_bytes: int, burst_bytes: int) -> None:
    root = tree(link_bps, mtu_bytes=mtu_bytes).root
    assert root is not None
    assert isinstance(root.options, Tbf)
    assert root.options.burst_ns * root.options.rate_bps / 8e9 == pytest.approx(
        burst_bytes, abs=root.options.rate_bps * 8e-9
    )


def test_a_fifo_holds_no_more_than_30_ms_of_p1_and_50_ms_of_the_others() -> None:
    limits = [q.options.limit_bytes for q in tree(100_000_000).qdiscs if isinstance(q.options, Bfifo)]
    assert [limit * 8 / 95_000_000 for limit in limits] == pytest.approx([0.03, 0.05, 0.05, 0.05])


def test_a_slow_line_still_holds_ten_frames() -> None:
    assert {q.options.limit_bytes for q in tree(500_000).qdiscs if isinstance(q.options, Bfifo)} == {15_180}


def test_codels_target_leaves_room_for_a_frame_at_the_guaranteed_rate() -> None:
    leaves = [
        q.options for q in tree(2_000_000, Abilities(leaves=("fq_codel",))).qdiscs if isinstance(q.options, FqCodel)
    ]
    frame_us = [1518 * 8 / (1.9e6 * share) * 1e6 for share in (0.4, 0.2, 0.2, 0.1)]
    assert [leaf.target_us > 1.5 * one for leaf, one in zip(leaves, frame_us, strict=True)] == [True] * 4
    fast = [
        q.options.target_us
        for q in tree(1_000_000_000, Abilities(leaves=("fq_codel",))).qdiscs
        if isinstance(q.options, FqCodel)
    ]
    assert fast == pytest.approx([5000] * 4, abs=2)


def test_without_tbf_htb_is_the_root_and_a_fifo_takes_uncut_packets_of_64_kib() -> None:
    bare = tree(1_000_000, Abilities(leaves=("bfifo",), tbf=False))
    assert bare.root == Qdisc(HTB_HANDLE, ROOT, Htb(default_minor=0x40, r2q=10))
    assert {q.options.limit_bytes for q in bare.qdiscs if isinstance(q.options, Bfifo)} == {131_072}
    assert is_ours(bare)


def test_abilities_are_lost_one_by_one_down_to_what_cannot_be_missed() -> None:
    hopeful = Abilities()
    no_cake = hopeful.without("cake")
    assert no_cake is not None
    assert leaf_kind(tree(abilities=no_cake)) == "fq_codel"
    no_codel = no_cake.without("fq_codel")
    assert no_codel is not None
    assert leaf_kind(tree(abilities=no_codel)) == "bfifo"
    no_tbf = no_codel.without("tbf")
    assert no_tbf is not None
    assert not no_tbf.tbf
    assert [no_codel.without(kind) for kind in ("bfifo", "htb", "u32")] == [None, None, None]


@pytest.mark.parametrize(
    ("root", "ours", "foreign"),
    [
        (None, False, False),
        (Qdisc(0, ROOT, Foreign("noqueue")), False, False),
        (Qdisc(0, ROOT, Foreign("mq")), False, False),
        (Qdisc(ROOT_HANDLE, ROOT, Foreign("tbf")), True, False),
        (Qdisc(HTB_HANDLE, ROOT, Foreign("htb")), True, False),
        (Qdisc(0x80010000, ROOT, Foreign("fq")), False, True),
        (Qdisc(0x00010000, ROOT, Htb(0x10, 10)), False, True),
    ],
)
def test_only_our_handles_are_ours_and_handle_zero_is_the_kernels(
    root: Qdisc | None, ours: bool, foreign: bool
) -> None:
    found = Tree((root,) if root else ())
    assert (is_ours(found), is_foreign(found)) == (ours, foreign)


def test_filters_are_numbered_within_each_protocol_in_the_order_they_are_tried() -> None:
    filters = tree().filters
    for preference in {each.preference for each in filters}:
        nodes = [each.node for each in filters if each.preference == preference]
        assert nodes == list(range(1, len(nodes) + 1))
    catches = {each.protocol: each for each in filters}  # the last of each protocol
    assert [catches[protocol].class_id for protocol in (0x0800, 0x86DD, 0x8100)] == [CLASS_IDS["p4"]] * 3
    assert (catches[3].keys, catches[3].class_id) == ((), CLASS_IDS["p2"])


def test_the_longest_settings_stay_within_the_nodes_u32_can_number() -> None:
    rules = [{"protocol": "udp", "port": "1-65534"}] * 16
    settings = QosSettings.model_validate(
        {
            "interfaces": [{"name": "wan0", "direction": "up"}],
            **{name: {"ports": rules} for name in ("p1", "p2", "p3", "p4")},
        }
    )
    filters = plan(settings, "up", link_bps=10_000_000, abilities=BARE).filters
    assert max(each.node for each in filters) <= 4095
