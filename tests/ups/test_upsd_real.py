"""Against Debian's own upsd and dummy-ups."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager

import pytest

from tests.ups.readings import Readings, supervised
from tests.ups.upsd_real import UPSES, RealUpsd, running
from ups.nut_client import NutClient, Tracking
from ups.nut_wire import NutPeerError, NutRefused
from ups.reading import Contact, Power
from ups.watch import NutWatcher


@pytest.fixture(scope="module")
def upsd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealUpsd]:
    with running(tmp_path_factory.mktemp("nut")) as upsd:
        yield upsd


def watching(upsd: RealUpsd) -> AbstractAsyncContextManager[Readings]:
    return supervised(NutWatcher(upsd.server), pause_s=0.1)


async def say(upsd: RealUpsd, ups: str, **variables: str) -> None:
    """What the dummy UPS shall say from now on; an underscore stands for the dot."""
    async with await NutClient.connect(upsd.settings_with_login) as client:
        for name, value in variables.items():
            await client.set_var(ups, name.replace("_", "."), value)


async def test_upsd_and_we_speak_the_same_language(upsd: RealUpsd) -> None:
    async with await NutClient.connect(upsd.settings) as client:
        assert (await client.version()).startswith("Network UPS Tools upsd 2.")
        assert await client.protocol_version() in ("1.2", "1.3")
        assert set(await client.list_ups()) == set(UPSES)
        variables = await client.list_vars("network")
        assert (variables["ups.status"], variables["battery.charge"]) == ("OL", "100")
        assert await client.list_cmds("network") == ("load.off",)
        with pytest.raises(NutRefused, match="UNKNOWN-UPS"):
            await client.get_var("nobody", "ups.status")
        with pytest.raises(NutRefused, match="VAR-NOT-SUPPORTED"):
            await client.get_var("network", "no.such.variable")
        with pytest.raises(NutRefused, match="USERNAME-REQUIRED"):
            await client.instcmd("network", "load.off")


async def test_a_quoted_password_is_believed_and_a_change_is_tracked(upsd: RealUpsd) -> None:
    async with await NutClient.connect(upsd.settings_with_login) as client:
        await client.set_tracking(True)
        tracked = await client.set_var("workstation", "ups.model", 'a "b" \\c')
        assert tracked is not None
        async with asyncio.timeout(3):
            while (state := await client.tracking(tracked)) is Tracking.PENDING:
                await client.rest(0.02)
        assert state is Tracking.SUCCESS
        assert await client.tracking("1bd31808-cb49-4aec-9d75-d056e6f018d2") is Tracking.UNKNOWN
        with pytest.raises(NutRefused, match="CMD-NOT-SUPPORTED"):
            await client.instcmd("network", "test.battery.start")


async def test_demanding_tls_of_a_server_without_it_fails(upsd: RealUpsd) -> None:
    with pytest.raises(NutPeerError, match="FEATURE-NOT-CONFIGURED"):
        await NutClient.connect(upsd.settings.model_copy(update={"tls": True}))


async def test_mains_lost_and_back(upsd: RealUpsd) -> None:
    async with watching(upsd) as readings:
        await readings.until(lambda reading: reading.ups == "network" and reading.charge_pct == 100)
        await say(upsd, "network", battery_charge="15", battery_runtime="65535", ups_status="OB DISCHRG LB")
        assert (await readings.power("network", Power.BATTERY)).flags == ("OB", "DISCHRG", "LB")
        low = await readings.until(lambda reading: reading.charge_pct == 15)
        assert (low.power, low.runtime_s) == (Power.BATTERY, None)
        await say(upsd, "network", battery_charge="100", battery_runtime="1800", ups_status="OL CHRG")
        await readings.power("network", Power.MAINS)
        await say(upsd, "network", ups_status="OL")


async def test_a_killed_driver_is_told_at_once_and_its_return_too(upsd: RealUpsd) -> None:
    async with watching(upsd) as readings:
        await readings.power("network", Power.MAINS)
        upsd.kill("network")
        try:
            lost = await readings.contact("network", Contact.DRIVER_LOST, within_s=1)
            assert lost.power is Power.UNKNOWN
        finally:
            upsd.start_driver("network")
        await readings.power("network", Power.MAINS, within_s=8)


async def test_a_frozen_driver_is_stale_and_on_battery_that_is_a_low_battery(upsd: RealUpsd) -> None:
    async with watching(upsd) as readings:
        await say(upsd, "workstation", ups_status="OB")
        await readings.power("workstation", Power.BATTERY)
        upsd.freeze("workstation")
        try:
            assert (await readings.contact("workstation", Contact.STALE, within_s=6)).power is Power.LOW_BATTERY
        finally:
            upsd.thaw("workstation")
        assert (await readings.contact("workstation", Contact.OK)).power is Power.BATTERY
        await say(upsd, "workstation", ups_status="OL")
        await readings.power("workstation", Power.MAINS)


async def test_a_killed_server_is_told_at_once_for_each_ups_and_found_again(upsd: RealUpsd) -> None:
    async with watching(upsd) as readings:
        await readings.power("network", Power.MAINS)
        await readings.power("workstation", Power.MAINS)
        upsd.kill("upsd")
        try:
            for ups in UPSES:
                assert (await readings.contact(ups, Contact.SERVER_LOST, within_s=1)).power is Power.UNKNOWN
        finally:
            await asyncio.to_thread(upsd.start_server)
        await readings.power("network", Power.MAINS)
