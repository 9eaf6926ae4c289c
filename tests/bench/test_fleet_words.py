"""The simulated sites say nothing a real one could not."""

from random import Random

import pytest

from bench.fleet_words import link_seconds, things, tier_event
from edged.contract import fit
from edged.record.canonical import canonical


@pytest.mark.parametrize("seed", range(8))
def test_tier_events_fit_the_contract_and_have_a_real_size(seed: int) -> None:
    event = tier_event(12.5, Random(seed))
    assert fit(event.name, event.data)[1] == []
    assert 650 < len(canonical(event.data)) < 1000


@pytest.mark.parametrize("thing", things(2))
def test_snapshots_fit_the_contract(thing: str) -> None:
    looks = things(2)[thing]
    assert fit(f"snap.{thing}", looks if isinstance(looks, dict) else {thing: looks})[1] == []


def test_telemetry_fits_the_contract_and_has_a_real_size() -> None:
    data = link_seconds(Random(3))
    assert fit("tel.links", data)[1] == []
    assert 900 < len(canonical(data)) < 1400
