import time

import pytest

from bench.cpu_shares import CpuShares


def burn(ms: int) -> None:
    until_ns = time.thread_time_ns() + ms * 1_000_000
    while time.thread_time_ns() < until_ns:
        pass


class Worker:
    def inner(self) -> str:
        burn(20)
        return "done"

    def outer(self, twice: bool) -> None:
        burn(5)
        for _ in range(1 + twice):
            self.inner()

    def fails(self) -> None:
        raise ValueError("as before")


def test_each_part_is_counted_without_the_others_it_calls() -> None:
    bare = Worker.outer
    with CpuShares({"inside": [(Worker, "inner")], "around": [(Worker, "outer"), (Worker, "fails")]}) as shares:
        worker = Worker()
        worker.outer(twice=True)
        assert worker.inner() == "done"
        with pytest.raises(ValueError, match="as before"):
            worker.fails()
    assert Worker.outer is bare
    assert shares.calls == {"inside": 3, "around": 2}
    assert shares.ns["inside"] >= 60_000_000
    assert 5_000_000 <= shares.ns["around"] < shares.ns["inside"]
    shares.reset()
    assert shares.ns == shares.calls == {"inside": 0, "around": 0}
