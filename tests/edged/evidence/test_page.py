"""The page needs nothing but itself, says what the packet says, and is the same each time."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from edged.evidence.derived import derived
from edged.evidence.packet import Packet
from edged.evidence.page import page
from edged.evidence.page_parts import timeline
from edged.evidence.page_words import since, span
from tests.edged.evidence.ten_minutes import SESSION

VOID = {"meta", "br", "rect", "line"}


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_sound_and_asks_for_nothing_from_outside(html: bytes) -> None:
    text = html.decode()
    balanced = Balanced()
    balanced.feed(text)
    assert balanced.open == []
    assert not balanced.seen & {"script", "link", "img", "iframe", "object", "form", "a"}
    assert not re.search(r"https?:|//|@import|url\((?!#)", text)


def test_e1_the_first_sentence_says_what_was(html: bytes) -> None:
    text = html.decode()
    assert "Supervision was interrupted 3 times, for 32 s in all; the longest gap was 21 s." in text
    assert "9 min 22 s of 10 min with live two-way audio and video." in text
    assert "6 s were not observed and count as neither." in text


def test_e2_the_response_class_is_there(html: bytes) -> None:
    assert "24 s" in html.decode()
    assert "best (under 30 s)" in html.decode()


def with_live(packet: Packet, letters: str) -> str:
    """The page of the same session, had all seconds with one of these letters been live."""
    rows = []
    for row in packet.rows:
        data = row.said.data
        if row.said.kind == "av.seconds":
            lanes = {name: re.sub(letters, "L", data[name]) for name in data if name.startswith(("audio", "video"))}
            av = re.sub(letters.replace("D", "N"), "Y", data["av"])
            data = {**data, **lanes, "av": av}
        rows.append(replace(row.said, data=data))
    return page(replace(packet, derived=dict(derived(rows, SESSION))))


def test_e1_continuous_is_said_only_if_every_second_was_seen(packet: Packet) -> None:
    assert "Supervision was continuous for 10 min." in with_live(packet, "[DU]")
    unseen = with_live(packet, "[D]")
    assert "cannot be said: 6 s were not observed" in unseen
    assert "was continuous for" not in unseen


def test_unobserved_seconds_are_hatched_in_every_lane(html: bytes) -> None:
    assert html.decode().count('fill="url(#unseen)"') >= 6


def test_there_is_no_word_in_it_that_is_not_escaped(packet: Packet) -> None:
    session = {**packet.derived["session"], "room": "<script>alert(1)</script>"}
    text = page(replace(packet, derived={**packet.derived, "session": session}))
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def said_of(packet: Packet, **changed: object) -> str:
    """The page of the same session, had these parts been otherwise."""
    return page(replace(packet, derived={**packet.derived, **changed}))


def test_e1_one_second_that_was_not_live_is_not_rounded_away(packet: Packet) -> None:
    held = {**packet.derived["supervision"], "seconds": 36_000, "live_s": 35_999, "dead_s": 1}
    text = said_of(packet, supervision=held)
    assert "99.9 %" in text
    assert "9 h 59 min 59 s of 10 h" in text


def test_the_highest_tier_is_that_of_the_session_and_not_of_what_came_after(packet: Packet) -> None:
    after = {**packet.derived["tiers"][0], "tier": 4, "at_s": 630.0, "cause": "power"}
    text = said_of(packet, tiers=[*packet.derived["tiers"], after])
    assert '<span class="tier t3">3</span><small>line down (fiber)' in text


def test_an_id_that_was_used_again_is_said_at_the_top(packet: Packet) -> None:
    again = {"at_s": 9e4, "time": "2026-11-23T11:00:00.000Z", "actor": "tech", "role": "operate"}
    text = said_of(packet, session={**packet.derived["session"], "again": again})
    assert "The id was used for another procedure on 2026-11-23 at 11:00:00" in text[: text.index("figures", 5000)]


def test_nothing_is_said_to_be_good_where_nobody_joined(packet: Packet) -> None:
    rows = [row.said for row in packet.rows if row.said.kind in ("act.session_requested", "act.session_closed")]
    text = page(replace(packet, derived=dict(derived(rows, SESSION))))
    assert "No supervision is recorded: nobody joined." in text
    assert "No second was seen without" not in text
    assert "0 gaps" not in text


@pytest.mark.parametrize("kinds", [("act.session_closed",), ("av.seconds", "act.session_closed")])
def test_that_nobody_joined_is_not_said_where_the_beginning_is_lost(packet: Packet, kinds: tuple[str, ...]) -> None:
    rows = [row.said for row in packet.rows if row.said.kind in kinds]
    text = page(replace(packet, derived=dict(derived(rows, SESSION))))
    assert "nobody joined" not in text
    assert "no moment at which a radiologist joined" in text


def test_who_joined_for_less_than_a_second_joined(packet: Packet) -> None:
    rows = [row.said for row in packet.rows if row.said.kind in ("act.session_requested", "act.session_joined")]
    text = page(replace(packet, derived=dict(derived(rows, SESSION))))
    assert "No second of supervision is recorded." in text
    assert "nobody joined" not in text


def test_what_was_demanded_at_once_is_said_so(packet: Packet) -> None:
    (first, *_) = packet.derived["gaps"]
    halt = {**first["demanded"][0], "by_s": 0}
    assert "(technologist, at once)" in said_of(packet, gaps=[{**first, "demanded": [halt]}])


def test_numbers_of_dark_tiers_are_light(html: bytes) -> None:
    assert re.search(r'class="digit light">3<', html.decode())
    assert "svg .light { fill: #fff; }" in html.decode()


def test_a_narrow_screen_is_asked_for_its_width(html: bytes) -> None:
    assert '<meta name="viewport" content="width=device-width' in html.decode()


@pytest.mark.parametrize(
    ("field", "said"), [("cause", "cause unknown"), ("dies_at", "could not be walked"), ("trouble", "unknown")]
)
def test_a_code_is_said_in_the_words_of_its_field(field: str, said: str) -> None:
    told = {
        "at_s": 0,
        "time": "2026-11-22T10:00:00.000Z",
        "tier": 0,
        "what": "path.diagnosed",
        "said": {field: "unknown"},
    }
    assert said in timeline({"timeline": [told]})


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (2.4, "2.4 s"),
        (119, "119 s"),
        (120, "2 min"),
        (125, "2 min 05 s"),
        (7200, "2 h"),
        (7265, "2 h 01 min 05 s"),
        (7201, "2 h 00 min 01 s"),
        (None, "not recorded"),
    ],
)
def test_spans(seconds: float | None, said: str) -> None:
    assert span(seconds) == said


@pytest.mark.parametrize(("at_s", "said"), [(0, "+0:00"), (187.9, "+3:07"), (-40.2, "−0:40"), (3700, "+1:01:40")])
def test_moments(at_s: float, said: str) -> None:
    assert since(at_s) == said
