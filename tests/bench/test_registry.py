import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from bench.registry import BENCHES, listing


@pytest.mark.parametrize("name", BENCHES)
def test_every_bench_is_a_module_with_a_main(name: str) -> None:
    spec = importlib.util.find_spec(BENCHES[name].module)
    assert spec is not None
    assert spec.origin is not None
    assert "\ndef main() -> None:\n" in Path(spec.origin).read_text()


def test_the_listing_gives_each_bench_one_line() -> None:
    lines = listing().splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(BENCHES)


def test_an_unknown_name_lists_what_there_is() -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "qoss"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no bench 'qoss'" in done.stderr
    assert all(name in done.stderr for name in BENCHES)
