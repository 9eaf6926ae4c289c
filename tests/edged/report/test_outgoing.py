"""What is sent next: no broker, no store, no clock."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.core.events import Channel
from edged.record.envelope import Origin
from edged.record.recorded import Gone, Recorded, Stretch, Tombstone
from edged.report.commands import Resend
from edged.report.history import unpack
from edged.report.outgoing import MAX_ANSWERS, Allowed, Kind, Outgoing, Publication
from edged.report.sweep import READ_AT_ONCE
from edged.report.taken import Taken
from edged.report.topics import Topics

TIER, LOG = Channel.TIER, Channel.LOG
ALL = Allowed(asked=True, backlog=True, telemetry=True)
YES, UNHEARD, DENIED = 0x00, 0x10, 0x87


def row(number: int, channel: Channel = TIER) -> Recorded:
    return Recorded(number, "s", number, channel, 2, b'{"n":%d}' % number, True)


def message(kind: Kind, topic: str = "t") -> Publication:
    return Publication(kind, topic, b"")


@dataclass
class Line:
    """Plays the store and the broker to an Outgoing."""

    rows: list[Recorded] = field(default_factory=list)
    window: int = 8
    live: list[Publication] = field(default_factory=list)
    born_row: int = 0
    allowed: Allowed = ALL
    now_s: float = 0.0
    sent: list[str] = field(default_factory=list)
    """Of each message: its sequence if it is an event, its topic if not."""

    def __post_init__(self) -> None:
        self.out = Outgoing(window=self.window, topics=Topics(Origin("clinic", "room-1")), born_row=self.born_row)
        self._waiting: list[tuple[int, Publication]] = []
        self._number = 0

    def read(self) -> None:
        while want := self.out.wants(self.allowed):
            if want.sweep:
                after = want.sweep.asked()
                found = [r for r in self.rows if r.channel is want.sweep.channel and r.row > after]
                self.out.offer(want.sweep, found[:READ_AT_ONCE])
            elif want.job and want.job.next:
                found = [r for r in self.rows if want.job.next <= r.sequence <= want.job.asked.last]
                more = found[READ_AT_ONCE:]
                want.job.offer(Stretch(tuple(found[:READ_AT_ONCE]), more[0].sequence if more else None))
            if any(sweep.ready for sweep in self.out._sweeps):
                break

    def speak(self) -> "Line":
        self.out.tick(self.now_s)
        while True:
            self.read()
            publication = self.out.next(lambda: self.live.pop(0) if self.live else None, self.allowed)
            if publication is None:
                return self
            self._number += 1
            self.out.sent(self._number, publication, self.now_s)
            self._waiting.append((self._number, publication))
            self.sent.append("+".join(str(row.sequence) for row in publication.rows) or publication.topic)

    def hear(self, *codes: int) -> "Line":
        """The broker answers the oldest messages with these codes; the last code goes for all that are left."""
        for index, (number, _) in enumerate(self._waiting):
            self.out.answered(number, codes[min(index, len(codes) - 1)], self.now_s)
        self._waiting.clear()
        return self

    def finish(self, *codes: int) -> list[str]:
        """Speaks and hears until nothing is left to say; what was sent meanwhile."""
        self.sent.clear()
        while self.speak()._waiting:
            self.hear(*codes)
        return list(self.sent)


def test_the_order_is_state_tier_snapshots_telemetry_log_resend() -> None:
    line = Line([row(1, LOG), row(2), row(3, LOG)], live=[message(Kind.TELEMETRY, "tel")])
    line.out.snapshot("link", message(Kind.SNAPSHOT, "snap"))
    line.out.resend(Resend.model_validate({"command": "resend", "id": "1", "stream": "s", "from": 3, "to": 3}))
    line.out.say(message(Kind.STATE, "state"))
    assert line.finish(YES) == ["state", "2", "snap", "tel", "1", "3", "3"]


def test_no_more_than_the_window_is_in_flight() -> None:
    line = Line([row(n) for n in range(1, 20)], window=3)
    assert line.speak().sent == ["1", "2", "3"]
    assert line.out.in_flight == 3
    assert line.hear(YES).speak().sent == ["1", "2", "3", "4", "5", "6"]


def test_a_tier_event_overtakes_a_backlog_of_log_events() -> None:
    line = Line([row(n, LOG) for n in range(1, 100)], window=2)
    line.speak()
    line.rows.append(row(100))
    line.out.new_rows()
    line.hear(YES).speak()
    assert line.sent == ["1", "2", "100", "3"]


def test_log_events_from_before_the_connection_go_in_batches_behind_everything() -> None:
    line = Line([*(row(n, LOG) for n in range(1, 200)), row(200), row(201, LOG)], born_row=199, window=4)
    sent = line.finish(YES)
    assert sent[:2] == ["200", "201"]
    assert [int(n) for batch in sent[2:] for n in batch.split("+")] == list(range(1, 200))
    assert len(sent[2:]) == 4, "64 in each"


def test_a_new_tier_event_goes_before_those_of_three_days() -> None:
    line = Line([row(n) for n in range(1, 401)], born_row=400)
    line.speak()
    line.rows.append(row(401))
    line.out.new_rows()
    line.hear(YES).speak()
    assert line.sent[8] == "401"
    line.finish(YES)
    assert line.out.believable("s", 401) == 401


def test_only_one_batch_is_in_flight_and_a_live_event_never_waits_for_it() -> None:
    line = Line([row(n, LOG) for n in range(1, 200)], born_row=199)
    line.speak()
    assert line.out.in_flight == 1
    line.rows.append(row(200, LOG))
    line.out.new_rows()
    line.speak()
    assert line.sent[1:] == ["200"]


def test_a_batch_holds_the_events_as_they_are_kept() -> None:
    line = Line([row(1, LOG), row(2, LOG)], born_row=2)
    line.speak()
    ((_, publication),) = line._waiting
    assert unpack(publication.payload) == [{"n": 1}, {"n": 2}]
    assert publication.topic == "edge/v1/clinic/room-1/hist"


def test_backlog_waits_until_it_is_allowed() -> None:
    line = Line([row(1, LOG), row(2), row(3, LOG)], born_row=2, live=[message(Kind.TELEMETRY, "tel")])
    line.allowed = Allowed(asked=False, backlog=False, telemetry=False)
    assert line.finish(YES) == ["2", "3"]
    assert line.out.bulk_waits
    line.allowed = ALL
    assert line.finish(YES) == ["tel", "1"]


def test_rows_recorded_while_others_are_read_are_not_forgotten() -> None:
    out = Line().out
    want = out.wants(ALL)
    assert want
    assert want.sweep
    want.sweep.asked()
    out.new_rows()
    out.offer(want.sweep, [])
    assert out.wants(ALL) == want


def test_a_tier_event_is_not_sent_twice_on_one_connection() -> None:
    line = Line([row(1), row(2)])
    assert line.finish(YES) == ["1", "2"]
    line.rows.append(row(3))
    line.out.new_rows()
    assert line.finish(YES) == ["3"]
    line.out.look_again()
    assert line.finish(YES) == []


def test_the_nocs_return_brings_everything_it_has_not_acknowledged() -> None:
    line = Line([row(1), row(2)])
    line.finish(YES)
    line.out.acknowledged("s", 1)
    line.rows.pop(0)
    line.out.start_over()
    assert line.finish(YES) == ["2"]


@pytest.mark.parametrize(("code", "taken"), [(DENIED, Taken.REFUSED), (UNHEARD, Taken.UNHEARD)])
@pytest.mark.parametrize("channel", [TIER, LOG])
def test_what_is_turned_away_holds_nothing_up_and_comes_again(code: int, taken: Taken, channel: Channel) -> None:
    assert Taken.of(code) is taken
    line = Line([row(n, channel) for n in (1, 2, 3)])
    line.speak().hear(YES, code, YES)
    if channel is LOG:
        assert line.out.log_rows_taken() == [1, 3]
    assert line.finish(YES) == []
    assert line.out.again_at_s() == 30.0
    line.now_s = 30.0
    assert line.finish(code) == ["2"]
    assert line.out.again_at_s() == 90.0, "each time a longer pause"
    line.now_s = 90.0
    assert line.finish(YES) == ["2"]
    assert line.out.again_at_s() is None


def test_the_pause_grows_to_a_cap_and_starts_small_again() -> None:
    line = Line([row(1)])
    pauses = []
    for _ in range(7):
        line.finish(DENIED)
        due_s = line.out.again_at_s()
        assert due_s is not None
        pauses.append(due_s - line.now_s)
        line.now_s = due_s
    assert pauses == [30, 60, 120, 240, 480, 600, 600]
    line.finish(YES)
    line.rows.append(row(2))
    line.out.new_rows()
    line.finish(DENIED)
    assert line.out.again_at_s() == line.now_s + 30


def test_the_noc_cannot_hold_what_was_turned_away() -> None:
    line = Line([row(n) for n in range(1, 6)])
    line.speak().hear(YES, YES, DENIED, YES)
    assert line.out.believable("s", 5) == 2
    assert line.out.believable("another", 5) == 5
    line.now_s = 30.0
    line.finish(YES)
    assert line.out.believable("s", 5) == 5


def test_log_rows_taken_are_told_until_the_record_knows() -> None:
    line = Line([row(1, LOG), row(2, LOG)])
    line.finish(YES)
    assert line.out.log_rows_taken() == [1, 2]
    line.out.arrived([1, 2])
    assert line.out.log_rows_taken() == []


def test_of_two_snapshots_of_a_thing_only_the_newer_is_sent() -> None:
    line = Line()
    line.out.snapshot("link", message(Kind.SNAPSHOT, "old"))
    line.out.snapshot("tier", message(Kind.SNAPSHOT, "tier"))
    line.out.snapshot("link", message(Kind.SNAPSHOT, "new"))
    assert line.finish(YES) == ["new", "tier"]


def test_a_resend_reads_in_pieces_and_tells_the_holes() -> None:
    line = Line([row(n, LOG) for n in range(10, 100) if n not in (20, 21)], window=5)
    line.finish(YES)
    line.out.arrived(line.out.log_rows_taken())
    assert line.out.resend(Resend.model_validate({"command": "resend", "id": "7", "stream": "s", "from": 5, "to": 101}))
    batches = line.finish(YES)
    assert [int(n) for batch in batches for n in batch.split("+")] == [r.sequence for r in line.rows]
    assert len(batches) == 2
    (job,) = line.out.finished_resends()
    answer = job.answer([Tombstone("s", 20, 30, Gone.EVICTED)], head=99)
    assert (answer["sent"], answer["missing_rows"]) == (88, 9)
    assert answer["missing"] == [
        {"first": 5, "last": 9, "why": "settled"},
        {"first": 20, "last": 21, "why": "evicted"},
        {"first": 100, "last": 101, "why": "never"},
    ]
    assert line.out.finished_resends() == []


def test_what_a_resend_could_not_deliver_is_not_called_sent() -> None:
    line = Line([row(1, LOG)])
    line.finish(YES)
    line.out.resend(Resend.model_validate({"command": "resend", "id": "7", "stream": "s", "from": 1, "to": 1}))
    line.finish(DENIED)
    (job,) = line.out.finished_resends()
    assert job.answer([], head=1)["sent"] == 0


def test_floods_of_questions_are_bounded() -> None:
    line = Line()
    asked = Resend.model_validate({"command": "resend", "id": "7", "stream": "s", "from": 1, "to": 1})
    assert [line.out.resend(asked) for _ in range(5)] == [True] * 4 + [False]
    for _ in range(MAX_ANSWERS + 10):
        line.out.say(message(Kind.ANSWER))
    line.out.say(message(Kind.STATE, "state"))
    assert len(line.finish(YES)) == MAX_ANSWERS + 1


def test_an_answer_to_nothing_is_ignored() -> None:
    assert Line().out.answered(7, YES, 0.0) is None


def test_the_oldest_unanswered_message_is_the_one_that_counts() -> None:
    line = Line([row(1)])
    assert line.out.silent_since_s() is None
    line.speak()
    line.now_s = 3.0
    line.rows.append(row(2))
    line.out.new_rows()
    line.speak()
    assert line.out.silent_since_s() == 0.0
    line.hear(YES)
    assert line.out.silent_since_s() is None


@given(
    channels=st.lists(st.sampled_from([TIER, LOG]), max_size=120),
    window=st.integers(1, 9),
    born_row=st.integers(0, 130),
    codes=st.lists(st.sampled_from([YES, YES, YES, UNHEARD, DENIED]), min_size=1, max_size=40),
)
def test_every_row_is_taken_once_in_the_end_whatever_is_turned_away(
    channels: list[Channel], window: int, born_row: int, codes: list[int]
) -> None:
    line = Line([row(n, channel) for n, channel in enumerate(channels, 1)], window=window, born_row=born_row)
    taken: list[int] = []
    for round_number in range(40):
        while line.speak()._waiting:
            number, publication = line._waiting.pop(0)
            code = codes.pop(0) if codes else YES
            line.out.answered(number, code, line.now_s)
            assert publication.rows
            if Taken.of(code) is Taken.YES:
                taken += [each.sequence for each in publication.rows]
        line.now_s += 600.0
        assert round_number < 39
        if line.out.again_at_s() is None:
            break
    assert sorted(taken) == list(range(1, len(channels) + 1))
