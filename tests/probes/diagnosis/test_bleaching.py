"""The code point on its way, from what each hop saw of it."""

import pytest

from probes.diagnosis.bleaching import bleaching
from probes.path_document import DscpFinding, Hop

A, B, C, D = "10.77.0.1", "100.64.1.1", "172.31.0.2", "198.51.100.20"


def hops(*seen: int | None) -> tuple[Hop, ...]:
    return tuple(
        Hop(ttl=ttl, address=address, dscp_seen=dscp)
        for ttl, (address, dscp) in enumerate(zip((A, B, C, D), seen, strict=False), start=1)
    )


def finding(**fields: object) -> DscpFinding:
    return DscpFinding.model_validate({"sent": 46} | fields)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ((46, 46, 46, 46), finding(seen_to=4, intact_to=D)),
        ((46, None, 46, None), finding(seen_to=3, intact_to=C)),
        (
            (46, 46, 0, 0),
            finding(seen_to=4, intact_to=B, changed_at=C, changed_ttl=3, became=0, bits_lost=46),
        ),
        (
            (46, None, None, 10),  # 101110 → 001010: anywhere after hop 1
            finding(seen_to=4, intact_to=A, changed_at=D, changed_ttl=4, became=10, bits_lost=36),
        ),
        (
            (40, 40),  # 101110 → 101000, before the first hop
            finding(seen_to=2, changed_at=A, changed_ttl=1, became=40, bits_lost=6),
        ),
        ((46, 63), finding(seen_to=2, intact_to=A, changed_at=B, changed_ttl=2, became=63, bits_gained=17)),
        ((46, 0, 46), finding(seen_to=3, intact_to=C)),  # hop 2 quotes what it never got
        ((46, 0, 46, 0), finding(seen_to=4, intact_to=C, changed_at=D, changed_ttl=4, became=0, bits_lost=46)),
    ],
)
def test_the_change_is_told_where_it_begins(seen: tuple[int | None, ...], expected: DscpFinding) -> None:
    assert bleaching(46, hops(*seen)) == expected


def test_nothing_is_found_where_nobody_saw_anything() -> None:
    assert bleaching(46, hops(None, None)) is None
    assert bleaching(46, ()) is None


def test_an_unmarked_packet_may_gain_bits() -> None:
    found = bleaching(0, hops(0, 8))
    assert found is not None
    assert (found.bits_lost, found.bits_gained, found.became) == (0, 8, 8)


def test_what_came_back_is_told_beside_it() -> None:
    found = bleaching(46, hops(46), came_back=0)
    assert found is not None
    assert found.came_back == 0
