import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.ups.readings import Readings, supervised
from tests.ups.upsd_double import Cut, Silent, Step, UpsdDouble
from ups.nut_wire import NutPeerError, NutRefused, NutUsageError
from ups.reading import Contact, Power
from ups.settings import NutServer, RatedRuntime, UpsSettings
from ups.watch import NutWatcher

STATUS = "GET VAR network ups.status"
DESK_STATUS = "GET VAR workstation ups.status"
ON_BATTERY = b'VAR network ups.status "OB DISCHRG"\n'


def watcher_of(upsd: UpsdDouble, *, only_network: bool = False, **changes: object) -> NutWatcher:
    settings = upsd.settings_with(**changes)
    upses = {"network": UpsSettings(host=settings.host)}
    if not only_network:
        upses["desk"] = UpsSettings(host=settings.host, name="workstation")
    return NutWatcher(NutServer(settings, upses))


def only_network(upsd: UpsdDouble, **changes: object) -> NutWatcher:
    return watcher_of(upsd, only_network=True, **changes)


async def test_a_first_reading_comes_at_once_and_the_figures_right_after() -> None:
    async with UpsdDouble() as upsd, supervised(only_network(upsd)) as readings:
        first = await readings.power("network", Power.MAINS)
        assert (first.contact, first.flags, first.charge_pct) == (Contact.OK, ("OL", "CHRG"), None)
        full = await readings.power("network", Power.MAINS)
        assert (full.charge_pct, full.runtime_s, full.load_pct, full.model) == (97, 1800, 20, 'Smart "1500"')
        assert full.since_s == first.since_s
        assert full.at_s >= first.at_s


async def test_two_upses_share_one_connection_and_are_told_apart() -> None:
    async with UpsdDouble() as upsd, supervised(watcher_of(upsd)) as readings:
        await readings.power("network", Power.MAINS)
        await readings.power("desk", Power.MAINS)
        upsd.answers[STATUS] = ON_BATTERY
        await readings.power("network", Power.BATTERY)
        assert upsd.connections == 1
        assert all(reading.power is Power.MAINS for reading in readings.all if reading.ups == "desk")


async def test_the_variables_are_read_at_once_when_the_status_changes_and_slowly_otherwise() -> None:
    async with UpsdDouble() as upsd, supervised(only_network(upsd, slow_poll_s=60)) as readings:
        await readings.power("network", Power.MAINS)
        await readings.power("network", Power.MAINS)
        await asyncio.sleep(0.25)  # at least two polls in which nothing changes
        assert (upsd.heard.count("LIST VAR network"), readings.all) == (1, [])
        upsd.answers[STATUS] = ON_BATTERY
        upsd.answers["LIST VAR network"] = (
            b'BEGIN LIST VAR network\nVAR network battery.charge "90"\nEND LIST VAR network\n'
        )
        changed = await readings.power("network", Power.BATTERY)
        listed = await readings.power("network", Power.BATTERY)
        assert (changed.charge_pct, listed.charge_pct) == (97, 90)
        assert upsd.heard.count("LIST VAR network") == 2


async def test_a_slow_poll_is_told_even_when_nothing_changed() -> None:
    async with UpsdDouble() as upsd, supervised(only_network(upsd, slow_poll_s=0.1)) as readings:
        for _ in range(4):
            await readings.power("network", Power.MAINS)
        assert upsd.heard.count("LIST VAR network") >= 3


CONTACTS: Mapping[str, tuple[Step, Contact]] = {
    "stale": (b"ERR DATA-STALE\n", Contact.STALE),
    "driver gone": (b"ERR DRIVER-NOT-CONNECTED\n", Contact.DRIVER_LOST),
    "no such UPS": (b"ERR UNKNOWN-UPS\n", Contact.UNKNOWN_UPS),
    "denied": (b"ERR ACCESS-DENIED\n", Contact.UNKNOWN_UPS),
    "no status yet": (b"ERR VAR-NOT-SUPPORTED\n", Contact.STALE),
    "an error of tomorrow": (b"ERR NOT-TODAY\n", Contact.UNKNOWN_UPS),
    "hung up": (Cut(), Contact.SERVER_LOST),
    "silent": (Silent(), Contact.SERVER_LOST),
    "garbage": (b"\x00\xff\n", Contact.SERVER_LOST),
}


@pytest.mark.parametrize("case", CONTACTS)
@pytest.mark.parametrize(
    ("before", "power"), [(b'VAR network ups.status "OL"\n', Power.UNKNOWN), (ON_BATTERY, Power.LOW_BATTERY)]
)
async def test_the_ways_not_to_know_are_told_apart(case: str, before: bytes, power: Power) -> None:
    step, contact = CONTACTS[case]
    async with UpsdDouble({STATUS: before}) as upsd, supervised(only_network(upsd)) as readings:
        await readings.until(lambda reading: reading.charge_pct == 97)
        upsd.answers[STATUS] = step
        lost = await readings.contact("network", contact)
        assert (lost.power, lost.flags, lost.charge_pct, lost.runtime_s) == (power, (), None, None)
        assert lost.model == 'Smart "1500"'
        upsd.answers[STATUS] = before
        back = await readings.contact("network", Contact.OK)
        assert back.power is (Power.MAINS if power is Power.UNKNOWN else Power.BATTERY)


async def test_one_missing_ups_does_not_hide_the_other() -> None:
    async with UpsdDouble({STATUS: b"ERR UNKNOWN-UPS\n"}) as upsd, supervised(watcher_of(upsd)) as readings:
        await readings.contact("network", Contact.UNKNOWN_UPS)
        await readings.power("desk", Power.MAINS)
        upsd.answers[DESK_STATUS] = b'VAR workstation ups.status "OB"\n'
        await readings.power("desk", Power.BATTERY)
        assert upsd.connections == 1


async def test_a_lost_server_is_told_for_each_ups_at_once_and_found_again() -> None:
    async with UpsdDouble() as upsd, supervised(watcher_of(upsd, poll_s=30)) as readings:
        await readings.power("network", Power.MAINS)
        await readings.until(lambda reading: reading.ups == "desk" and reading.power is Power.MAINS)
        await upsd.stop()
        for ups in ("network", "desk"):  # poll_s is 30: it was the end of the connection that told
            lost = await readings.contact(ups, Contact.SERVER_LOST)
            assert lost.power is Power.UNKNOWN
        again = await readings.contact("network", Contact.SERVER_LOST)
        assert again.since_s == lost.since_s
        assert again.at_s > again.since_s
        await upsd.start()
        await readings.power("network", Power.MAINS)
        await readings.power("desk", Power.MAINS)


async def test_no_server_at_all_is_a_reading_and_the_rooms_error() -> None:
    async with UpsdDouble() as upsd:
        watcher = watcher_of(upsd)
    readings = Readings()
    with pytest.raises(NutPeerError, match="cannot connect"):
        await watcher.run(readings.emit)
    assert [(reading.ups, reading.contact, reading.power) for reading in readings.all] == [
        ("network", Contact.SERVER_LOST, Power.UNKNOWN),
        ("desk", Contact.SERVER_LOST, Power.UNKNOWN),
    ]


async def test_what_was_learnt_survives_the_connection() -> None:
    lb = b'VAR network ups.status "OB LB"\n'
    clock = [1000.0]
    async with UpsdDouble({STATUS: lb}) as upsd:
        settings = upsd.settings_with()
        server = NutServer(settings, {"network": UpsSettings(host=settings.host)})
        watcher = NutWatcher(server, monotonic=lambda: clock[0])
        async with supervised(watcher) as readings:
            assert (await readings.until(lambda reading: reading.charge_pct == 97)).since_s == 1000
            clock[0] = 1020.0
            upsd.hang_up()
            await readings.contact("network", Contact.SERVER_LOST)
            back = await readings.contact("network", Contact.OK)
            assert (back.power, back.charge_pct) == (Power.BATTERY, None)  # weighed with 97 %, not shown
            clock[0] = 1030.0  # LB against healthy figures stands since 1000, across the reconnection
            assert (await readings.power("network", Power.LOW_BATTERY)).since_s == 1030


async def test_a_server_that_refuses_the_login_was_not_lost(tmp_path: Path) -> None:
    credentials = tmp_path / "nut"
    credentials.write_text("edged\nwrong\n")
    async with UpsdDouble({"PASSWORD wrong": b"ERR INVALID-PASSWORD\n"}) as upsd:
        readings = Readings()
        with pytest.raises(NutRefused):
            await only_network(upsd, credentials_file=credentials).run(readings.emit)
        assert [reading.contact for reading in readings.all] == [Contact.UNKNOWN_UPS]
        readings = Readings()
        with pytest.raises(NutUsageError):
            await only_network(upsd, credentials_file="/nonexistent/nut").run(readings.emit)
        assert [reading.contact for reading in readings.all] == [Contact.SERVER_LOST]


async def test_the_battery_model_gives_the_shorter_runtime_and_the_flag() -> None:
    async with UpsdDouble() as upsd:
        settings = upsd.settings_with()
        rated = RatedRuntime(full_load_s=60, half_load_s=150)  # 97 % charge at 20 % load: 489 s, the UPS claims 1800
        network = UpsSettings(host=settings.host, rated=rated)
        async with supervised(NutWatcher(NutServer(settings, {"network": network}))) as readings:
            full = await readings.until(lambda reading: reading.runtime_s is not None)
    assert full.runtime_s == pytest.approx(489, abs=1)
    assert full.runtime_doubtful


async def test_a_runtime_test_is_told_as_a_test() -> None:
    async with (
        UpsdDouble({STATUS: b'VAR network ups.status "OB CAL DISCHRG"\n'}) as upsd,
        supervised(only_network(upsd)) as readings,
    ):
        reading = await readings.contact("network", Contact.OK)
        assert (reading.power, reading.testing) == (Power.MAINS, True)


async def test_a_cancelled_watcher_leaves_no_connection_behind() -> None:
    async with UpsdDouble() as upsd:
        async with supervised(only_network(upsd)) as readings:
            await readings.power("network", Power.MAINS)
            assert upsd.open_connections == 1
        async with asyncio.timeout(1):
            while upsd.open_connections:
                await asyncio.sleep(0.01)


async def test_on_battery_the_figures_are_read_every_5_s_and_weighed_at_once() -> None:
    clock = [1000.0]
    async with UpsdDouble({STATUS: b'VAR network ups.status "OB LB"\n'}) as upsd:
        settings = upsd.settings_with(slow_poll_s=600)
        server = NutServer(settings, {"network": UpsSettings(host=settings.host)})
        async with supervised(NutWatcher(server, monotonic=lambda: clock[0])) as readings:
            await readings.until(lambda reading: reading.charge_pct == 97)
            upsd.answers["LIST VAR network"] = (
                b'BEGIN LIST VAR network\nVAR network battery.charge "15"\nEND LIST VAR network\n'
            )
            clock[0] = 1004.9
            await asyncio.sleep(0.1)  # some polls
            assert upsd.heard.count("LIST VAR network") == 1
            clock[0] = 1005.0
            assert (await readings.until(lambda reading: reading.charge_pct == 15)).power is Power.LOW_BATTERY
