"""The mobile workstation, heard by the box's own ear."""

import asyncio
import socket

from probes.mobile import watch_mobile
from probes.mobile_settings import MobileSettings
from probes.reading import MobileReading
from tests.lab.services.conftest import Stage, eventually, free_port


async def test_c3_it_is_heard_in_its_own_network_until_it_is_switched_off(stage: Stage) -> None:
    port = free_port(socket.SOCK_DGRAM)
    readings: list[MobileReading] = []

    async with stage.running("mobile", "--to", f"127.0.0.1:{port}", "--every", "0.1", "--mcc-mnc", "001-07"):
        given = {"address": "127.0.0.1", "port": port, "key_file": stage.directory / "mobile.key", "silence_s": 2}
        watch = asyncio.create_task(watch_mobile(MobileSettings.model_validate(given), readings.append))
        async with eventually("heard, silent, heard"):
            for switched_on in (True, False, True):
                stage.say(mobile=switched_on)
                while not (readings and readings[-1].heard is switched_on):
                    await asyncio.sleep(0.02)
        assert (readings[-1].mcc_mnc, readings[-1].asn, readings[-1].registered) == ("001-07", 64512, True)
        watch.cancel()


async def test_its_key_is_for_its_owner_only(stage: Stage) -> None:
    async with stage.running("mobile", "--to", "127.0.0.1:9"):
        assert (stage.directory / "mobile.key").stat().st_mode & 0o777 == 0o600
