import random

import pytest

from bench.report_talk import links, log_event, mark_of, shapers, tier_event, upses
from edged.contract.fitting import fit
from edged.core.events import Event


@pytest.mark.parametrize("event", [tier_event("life-3.12", 1.0), log_event("life-3.12", 1.0)])
def test_an_event_is_as_the_contract_wants_it_and_keeps_its_mark(event: Event) -> None:
    said, left_out = fit(event.name, event.data)
    assert (left_out, mark_of({"data": said})) == ([], "life-3.12")


def test_telemetry_is_as_the_contract_wants_it() -> None:
    chance = random.Random(1)
    told = {"tel.links": links(chance), "tel.ups": upses(chance), "tel.qos": shapers(chance)}
    assert [fit(kind, data)[1] for kind, data in told.items()] == [[], [], []]
