"""When a site owes a signature, and when it does not."""

from edge_noc.intake import Intake
from edge_noc.witnessed import Witnessed

from edged.contract.examples import DATA
from edged.core.events import Channel, Event, Json
from edged.record.envelope import event_envelope
from tests.noc.sites import NEW, NOW, OLD, ORIGIN, S, event
from tests.noc.test_intake import arrived, hist, taken


def test_what_is_told_waits_for_a_checkpoint_and_one_covers_all_before() -> None:
    box = Witnessed()
    waits = [box.since_s]
    for sequence, now_s in ((1, 10.0), (2, 20.0)):
        box.event(S, sequence, now_s)
        waits.append(box.since_s)
    box.checkpoint(S, 2, 60.0)
    assert [*waits, box.since_s] == [None, 10.0, 10.0, None]


def test_what_came_meanwhile_waits_from_the_checkpoint_on() -> None:
    box = Witnessed()
    box.event(S, 1, 10.0)
    box.event(S, 2, 20.0)
    box.checkpoint(S, 1, 60.0)
    assert box.since_s == 60.0


def test_a_checkpoint_in_a_new_stream_covers_the_old_one() -> None:
    box = Witnessed()
    box.event(OLD, 40, 10.0)
    box.event(NEW, 1, 20.0)
    box.checkpoint(NEW, 1, 60.0)
    assert box.since_s is None


def test_a_checkpoint_without_a_place_covers_nothing() -> None:
    box = Witnessed()
    box.event(S, 1, 10.0)
    box.checkpoint(S, None, 60.0)
    box.checkpoint(S, True, 60.0)
    assert box.since_s == 10.0


def checkpoint(sequence: int, at: int) -> bytes:
    data: dict[str, Json] = {**DATA["ledger.checkpoint"], "stream": S, "at": at}
    sealed = Event(Channel.LOG, "ledger.checkpoint", 0, 99.5, data)
    return event_envelope(sealed, origin=ORIGIN, now=NOW, stream=S, sequence=sequence)


def test_a_consumer_knows_since_when_a_site_has_signed_nothing() -> None:
    intake, key = Intake("a"), ("clinic", "room-1")
    taken(intake, arrived("evt/t2", event(S, 1)), now_s=10.0)
    taken(intake, arrived("evt/t2", event(S, 2)), now_s=20.0)
    assert intake.sites[key].witnessed.since_s == 10.0
    taken(intake, arrived("evt/log", checkpoint(3, 2)), now_s=60.0)
    assert intake.sites[key].witnessed.since_s is None
    taken(intake, arrived("evt/t2", event(S, 5)), hist(checkpoint(6, 5)), now_s=70.0)
    taken(intake, hist(event(S, 4)), now_s=80.0)  # a gap that is filled is nothing new
    assert intake.sites[key].witnessed.since_s is None
