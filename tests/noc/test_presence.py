import pytest
from edge_noc.presence import KEPT, Presence

Said = tuple[str, str, int]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ([("online", "a", 1)], "online"),
        ([("online", "a", 1), ("lost", "a", 1)], "lost"),
        ([("online", "a", 2), ("lost", "a", 1)], "online"),
        ([("lost", "a", 1), ("online", "a", 2)], "online"),
        ([("online", "a", 1), ("stopped", "a", 1)], "stopped"),
        # A new stream begins to count anew.
        ([("online", "a", 9), ("online", "b", 1), ("lost", "a", 9)], "online"),
        ([("online", "a", 9), ("online", "b", 1), ("lost", "b", 1)], "lost"),
        # One whose birth was missed is the newer one.
        ([("online", "a", 9), ("lost", "b", 1)], "lost"),
        ([("lost", "a", 3)], "lost"),
    ],
)
def test_a_will_of_an_older_connection_is_ignored(said: list[Said], state: str) -> None:
    presence = Presence()
    for each in said:
        presence.told(*each)
    assert presence.state == state
    assert Presence.from_json(presence.to_json()) == presence


def test_old_streams_are_forgotten() -> None:
    presence = Presence()
    for number in range(20):
        presence.told("online", f"s{number}", 1)
    assert list(presence.epochs) == [f"s{number}" for number in range(20 - KEPT, 20)]
