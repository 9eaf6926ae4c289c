import pytest
from pydantic import ValidationError

from probes.pace import Pace, PaceControl, Paces
from probes.tcp import TcpTarget

TCP = TcpTarget.model_validate({"address": "198.51.100.30", "port": 443})


@pytest.mark.parametrize(
    ("session", "suspicious", "pace", "heavy_s"),
    [
        (False, False, Pace.CALM, 5.0),
        (False, True, Pace.ALERT, 1.0),
        (True, False, Pace.SESSION, 5.0),
        (True, True, Pace.SESSION, 1.0),
    ],
)
def test_a_session_is_fastest_and_suspicion_quickens_the_rest(
    session: bool, suspicious: bool, pace: Pace, heavy_s: float
) -> None:
    assert PaceControl(session=session).pace(suspicious=suspicious) is pace
    assert Paces().heavy_interval_s(TCP, suspicious=suspicious) == heavy_s


def test_the_daemon_can_begin_and_end_a_session() -> None:
    control = PaceControl()
    control.session = True
    assert control.pace(suspicious=False) is Pace.SESSION
    control.session = False
    assert control.pace(suspicious=False) is Pace.CALM


def test_the_intervals_are_the_configured_ones() -> None:
    paces = Paces(calm_s=7, alert_s=2, session_s=0.02)
    assert [paces.interval_s(pace) for pace in Pace] == [7, 2, 0.02]
    assert [paces.heavy_interval_s(TCP, suspicious=suspicious) for suspicious in (False, True)] == [7, 2]


def test_a_run_of_misses_quickens_every_pace_and_slows_none() -> None:
    paces = Paces(calm_s=0.5, alert_s=0.1, session_s=0.015, suspect_s=0.02)
    assert [paces.interval_s(pace, in_doubt=True) for pace in Pace] == [0.02, 0.02, 0.015]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"calm_s": 0.1, "alert_s": 0.2}, "quicken from calm to alert to session, not 0.1, 0.2, 0.05 s"),
        ({"session_s": 0.2}, "quicken"),
        ({"session_s": 0}, "greater than or equal to 0.01"),
        ({"calm": 1}, "Extra inputs are not permitted"),
        ({"calm_s": "often"}, "valid number"),
    ],
)
def test_a_mistake_in_the_settings_is_named(table: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Paces.model_validate(table)
