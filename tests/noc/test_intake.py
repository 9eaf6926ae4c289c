"""Messages in, what is due out; the network loses, doubles and reorders as hypothesis likes."""

from collections.abc import Iterable
from random import Random

import pytest
from edge_noc.intake import MAX_LEAP, Arrived, Due, Intake
from edge_noc.reading import Channel
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.core.events import Channel as EventChannel
from edged.core.events import Json
from edged.report import history
from tests.noc.sites import BASE, NEW, OLD, S, T, event, measurement, moment, state, tombstone

KEY = ("clinic", "room-1")


def arrived(below: str, payload: bytes, *, retained: bool = False) -> Arrived:
    return Arrived(f"{BASE}/{below}", payload, retained, 1_767_225_600.0)


def taken(intake: Intake, *batch: Arrived, now_s: float = 0.0) -> Due:
    return intake.take(batch, now_s)


def hist(*members: bytes) -> Arrived:
    return arrived("hist", history.pack(members))


def answer(**data: Json) -> Arrived:
    return arrived("cmd/res", moment("answer", {"command": "resend", "status": "done", **data}))


def test_a_member_of_a_batch_is_as_if_it_had_come_alone() -> None:
    alone, batched = Intake("a"), Intake("b")
    bodies = [event(S, 1), measurement(T, 4, first=1), event(S, 3), tombstone(S, 2, 2)]
    for body, below in zip(bodies[:3], ("evt/t2", "tel/links", "evt/t2"), strict=True):
        taken(alone, arrived(below, body))
    taken(alone, hist(bodies[3]))
    due = taken(batched, hist(*bodies))
    for stream in (S, T):
        left, right = (intake.site(KEY).streams[stream] for intake in (alone, batched))
        assert (left.kind, left.book.to_json()) == (right.kind, right.book.to_json())
    assert [row.message.body for row in due.rows] == bodies[:3]
    assert due.acks == {(KEY, S): 3}


def test_a_tier_event_is_acknowledged_when_nothing_is_missing_below_it() -> None:
    intake = Intake("a")
    assert taken(intake, arrived("evt/t2", event(S, 1))).acks == {(KEY, S): 1}
    assert taken(intake, arrived("evt/t2", event(S, 3))).acks == {}
    assert taken(intake, arrived("evt/log", event(S, 2, channel=EventChannel.LOG))).acks == {(KEY, S): 3}


def test_one_that_comes_again_is_acknowledged_again_and_not_written_again() -> None:
    intake = Intake("a")
    taken(intake, arrived("evt/t2", event(S, 1)))
    due = taken(intake, arrived("evt/t2", event(S, 1)))
    assert (due.rows, due.acks) == ([], {(KEY, S): 1})


def test_a_site_that_did_not_hear_us_says_so_in_its_heads() -> None:
    intake = Intake("a")
    taken(intake, arrived("evt/t2", event(S, 1)))
    assert taken(intake, arrived("state", state("online", (S, 1, 0)))).acks == {(KEY, S): 1}
    assert taken(intake, arrived("state", state("online", (S, 1, 1), epoch=2))).acks == {}


def test_heads_tell_of_missing_ends_also_of_streams_never_heard_of() -> None:
    intake = Intake("a")
    taken(intake, arrived("state", state("online", (OLD, 3, 3), (S, 2, 0))), now_s=0.0)
    [(key, first)] = intake.ask(5.0)
    assert (key, first.stream, first.first, first.last) == (KEY, OLD, 1, 3)
    stone: Json = {"first": 1, "last": 3, "why": "evicted"}
    taken(intake, answer(id=first.id, stream=OLD, missing=[stone], sent=0, missing_rows=3), now_s=6.0)
    [(_, second)] = intake.ask(6.0)
    assert (second.stream, second.first, second.last) == (S, 1, 2)


def test_nothing_is_asked_of_a_site_that_is_not_there() -> None:
    intake = Intake("a")
    taken(intake, arrived("state", state("online", (S, 5, 0))), arrived("state", state("lost")))
    assert intake.ask(1000.0) == []


def test_a_stream_the_site_does_not_know_is_lost_and_what_it_held_back_is_acknowledged() -> None:
    intake = Intake("a")
    taken(intake, arrived("state", state("online", stream=NEW)), arrived("evt/t2", event(S, 9)))
    [(_, question)] = intake.ask(5.0)
    refused = moment("answer", {"id": question.id, "status": "refused", "reason": "unknown_stream"})
    due = taken(intake, arrived("cmd/res", refused), now_s=6.0)
    book = intake.site(KEY).streams[S].book
    assert book.lost() == {"unknown_stream": [(1, 8)]}
    assert due.acks == {(KEY, S): 9}
    assert intake.ask(5000.0) == []


@pytest.mark.parametrize("reason", ["busy", "range", "not_allowed"])
def test_another_refusal_closes_nothing(reason: str) -> None:
    intake = Intake("a")
    taken(intake, arrived("state", state("online", (S, 5, 0))))
    [(_, question)] = intake.ask(5.0)
    taken(
        intake,
        arrived("cmd/res", moment("answer", {"id": question.id, "status": "refused", "reason": reason})),
        now_s=5.0,
    )
    assert intake.site(KEY).streams[S].book.holes() == [(1, 5)]
    assert intake.ask(14.9) == []
    assert len(intake.ask(15.0)) == 1


def test_a_site_that_was_online_before_we_were_is_asked_for_its_state_once_a_connection() -> None:
    intake = Intake("a")
    for _ in range(2):
        intake.connected()
        retained = arrived("state", state("online"), retained=True)
        assert [taken(intake, each).births for each in (retained, retained)] == [[KEY], []]
    fresh = Intake("b")
    assert taken(fresh, arrived("state", state("online"))).births == []


def test_garbage_is_counted_and_harms_nobody_else() -> None:
    intake = Intake("a")
    due = taken(
        intake,
        arrived("evt/t2", b"\xff"),
        arrived("evt/t2", b"[]"),
        arrived("hist", b"no batch"),
        arrived("evt/t9", event(S, 1)),
        arrived("evt/t2", event(S, MAX_LEAP + 1)),
        arrived("evt/t2", event(S, 1)),
    )
    assert intake.garbage == {"no_json": 1, "no_object": 1, "no_batch": 1, "topic": 1, "leap": 1}
    assert len(due.rows) == 1


def test_an_empty_retained_message_is_no_garbage_and_neither_is_our_own_word() -> None:
    intake = Intake("a")
    taken(
        intake,
        arrived("snap/ups", b"", retained=True),
        Arrived("edge/v1/clinic/noc/state", b'{"state":"online"}', True, 0.0),
    )
    assert not intake.garbage


def test_a_stream_first_heard_of_by_its_tombstone_is_of_the_kind_of_what_comes_then() -> None:
    intake = Intake("a")
    taken(intake, hist(tombstone(T, 1, 3)), arrived("tel/links", measurement(T, 4)))
    assert intake.site(KEY).streams[T].kind.value == "telemetry"


def test_two_sites_may_claim_one_stream_and_do_not_touch_each_other() -> None:
    intake = Intake("a")
    taken(intake, arrived("evt/t2", event(S, 1)), Arrived("edge/v1/clinic/room-2/evt/t2", event(S, 1), False, 0.0))
    assert [site.streams[S].book.held.count for site in intake.sites.values()] == [1, 1]
    assert [site.streams[S].book.duplicates for site in intake.sites.values()] == [0, 0]


class LossyNet:
    """A site that keeps all but the evicted, behind a network that loses, doubles and reorders."""

    def __init__(self, seed: int, count: int, evicted: set[int]) -> None:
        self.chance = Random(seed)
        self.kept = [number for number in range(1, count + 1) if number not in evicted]
        self.head = count

    def spoilt(self, batch: Iterable[Arrived]) -> list[Arrived]:
        left = [each for each in batch for _ in range(self.chance.choice((0, 1, 1, 2)))]
        self.chance.shuffle(left)
        return left

    def everything(self) -> list[Arrived]:
        return [
            arrived("evt/t1", event(S, n)) if n % 3 else arrived("evt/log", event(S, n, channel=EventChannel.LOG))
            for n in self.kept
        ]

    def answered(self, first: int, last: int, asked: str) -> list[Arrived]:
        rows = [event(S, n) for n in self.kept if first <= n <= last]
        gone: list[Json] = [
            {"first": n, "last": n, "why": "evicted"} for n in range(first, last + 1) if n not in self.kept
        ]
        told = answer(id=asked, stream=S, missing=gone[:32], sent=0, missing_rows=len(gone))
        return [*self.spoilt([hist(*rows[:20]), hist(*rows[20:])]), *([told] if self.chance.random() < 0.8 else [])]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60), st.sets(st.integers(1, 60), max_size=20))
def test_whatever_the_network_does_all_is_held_once_in_the_end(seed: int, count: int, evicted: set[int]) -> None:
    net, intake, now_s = LossyNet(seed, count, evicted), Intake("a"), 0.0
    written: list[int] = []

    def took(batch: list[Arrived]) -> None:
        due = intake.take(batch, now_s)
        written.extend(row.message.sequence for row in due.rows)
        for (_, stream), seq in due.acks.items():
            holes = intake.site(KEY).streams[stream].book.holes(limit=1)
            assert not holes or seq < holes[0][0]

    took(net.spoilt(net.everything()))
    took([arrived("state", state("online", (S, net.head, 0)))])
    book = intake.site(KEY).streams[S].book
    for _ in range(2000):
        if book.complete:
            break
        now_s += 10.0
        for _, question in intake.ask(now_s):
            took(net.answered(question.first, question.last, question.id))
    assert sorted(written) == net.kept
    assert book.complete
    assert book.holes() == []
    assert intake.site(KEY).events.total() == len(net.kept)
    assert sum(last - first + 1 for first, last in book.lost().get("evicted", [])) == count - len(net.kept)


def test_events_are_counted_by_how_they_came() -> None:
    intake = Intake("a")
    taken(intake, arrived("evt/t2", event(S, 1)), hist(event(S, 2)), arrived("tel/links", measurement(T, 1)))
    assert intake.site(KEY).events == {Channel.TIER: 1, Channel.HISTORY: 1, Channel.TELEMETRY: 1}
