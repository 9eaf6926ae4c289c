from pathlib import Path

import pytest

from lab.services.dummy_ups import RealUpsd, as_somebody
from lab.services.errors import MisuseError

PROGRAMS = ("/lib/nut/upsd", "/lib/nut/dummy-ups")


@pytest.mark.parametrize(
    ("user_id", "setgroups", "before", "after"),
    [
        (0, "allow\n", (), ("-u", "root")),
        (0, "deny\n", ("unshare", "--user", "--map-user=1000", "--"), ()),
        (1000, "allow\n", (), ()),
        (1000, "deny\n", (), ()),
    ],
)
def test_upsd_is_kept_from_changing_its_user(
    user_id: int, setgroups: str, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    assert as_somebody(user_id, setgroups) == (before, after)


def test_each_file_has_a_time_of_its_own_in_whole_seconds(tmp_path: Path) -> None:
    upsd = RealUpsd(PROGRAMS, tmp_path, ("127.0.0.1", 1), ("network",))
    times = []
    for charge in ("100", "99", "98"):
        upsd.say("network", {"ups.status": "OL", "battery.charge": charge})
        times.append(int((tmp_path / "network.dev").stat().st_mtime))
    assert len(set(times)) == 3
    assert (tmp_path / "network.dev").read_text() == "ups.status: OL\nbattery.charge: 98\n"


async def test_a_path_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    with pytest.raises(MisuseError, match="too long"):
        async with RealUpsd(PROGRAMS, deep, ("127.0.0.1", 1), ("network",)).serving():
            pass
