import json

import pytest

from bench.report_oracle import Holding, Told, Verdict, compare, holding, parse_oracle


def told(sequence: int, mark: str = "", *, tier: bool = True) -> Told:
    return Told(tier, ("s", sequence), mark or f"m{sequence}")


def held(*sequences: int, gone: frozenset[tuple[str, int]] = frozenset(), holes: int = 0) -> Holding:
    return Holding([(("s", each), f"m{each}") for each in sequences], gone, holes, 0, 0)


def test_the_oracle_reads_what_it_wrote_but_for_a_line_cut_short() -> None:
    lines = [told(1), told(2, tier=False)]
    assert parse_oracle(b"".join(each.line() for each in lines) + b"T s 3") == lines
    assert parse_oracle(b"") == []


def test_all_held_is_all_well() -> None:
    verdict = compare([told(1), told(2, tier=False)], held(1, 2, 3))
    assert verdict == Verdict(told=1)
    assert verdict.quiet


@pytest.mark.parametrize(
    ("oracle", "noc", "lost", "named", "logs"),
    [
        ([told(1)], held(), [1], [], []),
        ([told(1, tier=False)], held(), [], [], [1]),
        ([told(1, "another")], held(1), [1], [], []),  # held is another event under its number
        ([told(1), told(2)], held(2, gone=frozenset({("s", 1)})), [], [1], []),
    ],
)
def test_what_is_missing_is_lost_unless_the_site_named_it(
    oracle: list[Told], noc: Holding, lost: list[int], named: list[int], logs: list[int]
) -> None:
    verdict = compare(oracle, noc)
    found = [[each.number[1] for each in some] for some in (verdict.lost, verdict.named, verdict.lost_logs)]
    assert found == [lost, named, logs]


def test_what_came_after_the_end_of_a_stream_is_named() -> None:
    ended = Holding([(("s", 1), "m1")], frozenset(), 0, 0, 0, {"s": 2})
    verdict = compare([told(1), told(2), told(3)], ended)
    assert ([each.number[1] for each in verdict.named], verdict.lost) == ([2, 3], [])


def test_a_number_or_a_mark_held_twice_is_a_duplicate() -> None:
    rows = [(("s", 1), "a"), (("s", 1), "b"), (("s", 2), "b"), (("s", 3), "c")]
    assert compare([], Holding(rows, frozenset(), 0, 0, 0)).duplicates == 2


def test_while_a_hole_is_open_it_is_not_quiet() -> None:
    assert not compare([told(1)], held(1, holes=2)).quiet


def test_books_tell_what_is_gone_and_what_is_missing() -> None:
    body = json.dumps({"data": {"session": "m1"}})
    book = {
        "held": [[1, 2], [5, 5]],
        "gone": {"evicted": [[2, 3]]},
        "known_last": 6,
        "duplicates": 4,
        "end": [6, "torn"],
    }
    measured = {"held": [[3, 3]], "gone": {}, "known_last": 3, "duplicates": 9, "end": None}
    books = [("s", "event", json.dumps(book)), ("t", "telemetry", json.dumps(measured))]
    assert holding([("s", 1, body)], books) == Holding([(("s", 1), "m1")], frozenset({("s", 3)}), 2, 2, 4, {"s": 6})
