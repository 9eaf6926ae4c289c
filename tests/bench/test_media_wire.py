import pytest

from bench.media_traffic import Stream, consent, ethernet, report
from bench.media_wire import NewFrames

ROOM, PLATFORM = ("10.77.0.20", 50_000), ("198.51.100.30", 40_000)
OUT, IN = (ROOM, PLATFORM), (PLATFORM, ROOM)


def video() -> Stream:
    return Stream(97, 90_000, 15, 3, 1000, 7)


def test_a_frame_is_new_once_whichever_of_its_packets_comes_first() -> None:
    tap, stream = NewFrames(), video()
    seen = [tap.take(ethernet(packet, *OUT)) for number in range(2) for packet in stream.frame(number)]
    assert seen == ["from_room video", None, None] * 2


def test_the_time_of_the_last_frame_again_is_nothing_new_though_the_numbers_go_on() -> None:
    tap, stream = NewFrames(), video()
    seen = [tap.take(ethernet(packet, *IN)) for number in (4, 4, 4, 5) for packet in stream.frame(number)]
    assert [new for new in seen if new] == ["to_room video"] * 2


@pytest.mark.parametrize(
    "payload",
    [consent(answer=False), report(7), b"", b"\x16\xfe\xfd" + bytes(50), *Stream(98, 90_000, 15, 1, 500, 8).frame(1)],
    ids=["STUN", "RTCP", "nothing", "DTLS", "RTX"],
)
def test_what_is_no_frame_is_not_counted(payload: bytes) -> None:
    assert NewFrames().take(ethernet(payload, *OUT)) is None
