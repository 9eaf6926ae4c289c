from itertools import count

import pytest

from probes.media_protection import ProtectionEvidence, TelephonyRun
from probes.packets.keying import Stage
from probes.packets.rtcp import Dress
from probes.reading import Protection, Way

UP, DOWN = Way.FROM_ROOM, Way.TO_ROOM
CLEAR, ENCRYPTED, UNKNOWN = Protection.CLEAR, Protection.ENCRYPTED, Protection.UNKNOWN


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        pytest.param([], UNKNOWN, id="nothing"),
        pytest.param([(UP, Stage.ASKING), (DOWN, Stage.ASKING)], UNKNOWN, id="asked, not agreed"),
        pytest.param([(UP, Stage.SEALED)], UNKNOWN, id="one end alone"),
        pytest.param([(UP, Stage.ASKING)] * 9, UNKNOWN, id="one end asks and asks"),
        pytest.param([(UP, Stage.ASKING), (DOWN, Stage.ASKING), (UP, Stage.ASKING)], UNKNOWN, id="three flights"),
        pytest.param([(UP, Stage.ASKING), (DOWN, Stage.ASKING)] * 2, ENCRYPTED, id="four flights"),
        pytest.param([(UP, Stage.ASKING), (DOWN, Stage.SEALED)], ENCRYPTED, id="the server has keys"),
        pytest.param([(UP, Stage.ASKING), (DOWN, Stage.OTHER)], UNKNOWN, id="refused"),
        pytest.param([(UP, Stage.SEALED), (DOWN, Stage.SEALED)], ENCRYPTED, id="both use keys"),
        pytest.param([(UP, Stage.LIKELY_SEALED), (DOWN, Stage.LIKELY_SEALED)], UNKNOWN, id="may be anything"),
        pytest.param(
            [(UP, Stage.ASKING), (DOWN, Stage.ASKING), (DOWN, Stage.LIKELY_SEALED), (UP, Stage.LIKELY_SEALED)],
            ENCRYPTED,
            id="DTLS 1.3",
        ),
    ],
)
def test_h1_keys_are_agreed_when_both_ends_use_them(stages: list[tuple[Way, Stage]], expected: Protection) -> None:
    evidence = ProtectionEvidence()
    for way, stage in stages:
        evidence.handshake(way, stage)
    assert evidence.verdict(0.0) is expected


@pytest.mark.parametrize(
    ("reports", "now_s", "expected"),
    [
        pytest.param([(0.0, "c"), (1.0, "c")], 1.0, UNKNOWN, id="two sightings"),
        pytest.param([(0.0, "c"), (1.0, "c"), (2.0, "c")], 2.0, CLEAR, id="three"),
        pytest.param([(0.0, "c"), (0.01, "c"), (0.02, "c")], 1.0, UNKNOWN, id="copies of one"),
        pytest.param([(0.0, "c"), (1.0, "c"), (2.0, "c"), (2.5, "s")], 3.0, UNKNOWN, id="one of four is sealed"),
        pytest.param([(t * 1.0, "s") for t in range(50)], 50.0, UNKNOWN, id="sealed alone is no proof of keys"),
        pytest.param([(t * 1.0, "u") for t in range(50)], 50.0, UNKNOWN, id="unsure"),
        pytest.param([(0.0, "c"), (1.0, "c"), (2.0, "c")], 63.0, UNKNOWN, id="a minute ago"),
        pytest.param([(0.0, "c"), (100.0, "c"), (200.0, "c")], 200.0, UNKNOWN, id="far apart"),
    ],
)
def test_h1_clear_is_seen_several_times_apart_or_not_at_all(
    reports: list[tuple[float, str]], now_s: float, expected: Protection
) -> None:
    evidence = ProtectionEvidence()
    for t_s, dress in reports:
        evidence.report({"c": Dress.CLEAR, "s": Dress.SEALED, "u": Dress.UNSURE}[dress], t_s)
    assert evidence.verdict(now_s) is expected


def test_h1_what_passes_in_clear_outweighs_a_handshake() -> None:
    evidence = ProtectionEvidence()
    for way in Way:
        evidence.handshake(way, Stage.SEALED)
    for t_s in range(3):
        evidence.report(Dress.CLEAR, t_s)
    assert evidence.verdict(3.0) is CLEAR


@pytest.mark.parametrize(
    ("octets", "ticks", "runs"),
    [
        pytest.param(160, 160, 3, id="G.711, 20 ms"),
        pytest.param(80, 80, 3, id="10 ms"),
        pytest.param(170, 160, 0, id="a tag of 10"),
        pytest.param(164, 160, 0, id="a tag of 4"),
        pytest.param(176, 160, 0, id="a tag of 16"),
        pytest.param(160, 960, 0, id="Opus of that length"),
    ],
)
def test_h1_telephony_in_clear_has_as_many_octets_as_ticks(octets: int, ticks: int, runs: int) -> None:
    run = TelephonyRun()
    assert (
        sum(run.feed(n % 65_536, n * ticks % 2**32, octets) for n, _ in zip(count(65_500), range(77), strict=False))
        == runs
    )
