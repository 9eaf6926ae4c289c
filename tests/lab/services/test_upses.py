"""The lab's UPSes over NUT: real upsd with dummy-ups and our double must tell the same story."""

import asyncio

from tests.lab.services.conftest import Stage, all_gone, descendants, eventually, free_port, new_stage


class Nut:
    """One question, one connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def ask(self, line: str, last: str = "") -> list[str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(f"{line}\n".encode())
            rows = [(await reader.readline()).decode().rstrip()]
            while last and rows[-1] != last and not rows[-1].startswith("ERR"):
                rows.append((await reader.readline()).decode().rstrip())
        finally:
            writer.close()
        return rows

    async def status(self, ups: str) -> str:
        try:
            return (await self.ask(f"GET VAR {ups} ups.status"))[0]
        except ConnectionError:
            return "no upsd"

    async def until(self, ups: str, *statuses: str) -> None:
        async with eventually(f"{ups} says one of {statuses}"):
            while await self.status(ups) not in statuses:
                await asyncio.sleep(0.02)


def said(ups: str, status: str) -> str:
    return f'VAR {ups} ups.status "{status}"'


async def test_a_mains_failure_and_an_upsd_in_trouble_are_the_same_story_told_by_either_part() -> None:
    """All at once: most of it is waiting."""
    async with asyncio.TaskGroup() as telling:
        telling.create_task(_story())
        telling.create_task(_story("--double"))
        telling.create_task(_story(rootless=True))


async def _story(*part: str, rootless: bool = False) -> None:
    port = free_port()
    listen = "--listen", f"127.0.0.1:{port}", "--time-factor", "300"
    with new_stage() as stage:
        async with stage.running("upses", *listen, *part, rootless=rootless) as process:
            children = descendants(process.pid)
            assert len(children) == (0 if part else 3)  # upsd and two drivers
            await _mains_fail_and_return(Nut(port), stage)
            await _upsd_is_in_trouble(Nut(port), stage)
        await all_gone(children)


async def _mains_fail_and_return(nut: Nut, stage: Stage) -> None:
    listed = await nut.ask("LIST UPS", "END LIST UPS")
    assert [row.split()[1] for row in listed[1:-1]] == ["network", "workstation"]
    assert await nut.status("network") == said("network", "OL")
    rows = await nut.ask("LIST VAR workstation", "END LIST VAR workstation")
    for expected in ('ups.load "60"', 'battery.charge "100"', 'ups.model "Lab UPS 750"', 'input.voltage "120.4"'):
        assert f"VAR workstation {expected}" in rows

    stage.say(mains=False)
    await nut.until("network", said("network", "OB DISCHRG"))
    await nut.until("workstation", said("workstation", "OB DISCHRG LB"))  # 9 minutes at 60 % load, 300 times as fast
    assert await nut.status("network") == said("network", "OB DISCHRG")

    stage.say(mains=True)
    await nut.until("workstation", said("workstation", "OL CHRG"))


async def _upsd_is_in_trouble(nut: Nut, stage: Stage) -> None:
    stage.say(upsd="stale")
    await nut.until("network", "ERR DATA-STALE")
    stage.say(upsd="dead")
    await nut.until("network", "no upsd")
    stage.say(upsd="ok")
    await nut.until("network", said("network", "OL CHRG"), said("network", "OL"))
